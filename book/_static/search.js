// Search sections instead of pages, on the page of results that Sphinx writes.
//
// MiniSearch ranks; this file says what the words of the field mean the same, in what a word
// weighs more, and how a result looks. Scripts, and nothing else, are loaded, so that it works from a
// file, too.
(() => {
  // Each line: names of one thing. A query that contains one finds the others as well.
  const SYNONYMS = [
    ["skip connection", "shortcut", "residual connection", "residual block"],
    ["backprop", "backpropagation", "backward pass"],
    ["filter", "kernel"],
    ["flip", "flipped", "turned"],
    ["calculator", "compute the size"],
    ["xavier", "glorot"],
    ["kaiming", "he initialization"],
    ["batchnorm", "batch norm", "batch normalization"],
    ["atrous", "dilated", "dilation"],
    ["pointwise", "1x1 convolution"],
    ["deconvolution", "transposed convolution"],
    ["checkerboard", "checkerboard artifacts"],
    ["learning rate", "step size"],
    ["amp", "mixed precision"],
    ["channels last", "channels_last", "memory format"],
    ["receptive field", "field of view"],
    ["shape error", "shape mismatch", "shapes cannot be multiplied"],
    ["initialisation", "initialization"],
    ["normalisation", "normalization"],
    ["transfer learning", "fine-tuning"],
    ["gap", "global average pooling"],
    ["flop", "flops", "multiply-accumulates", "macs"],
    ["ddp", "data parallel"],
  ];
  const STOP = new Set(
    "a an and are as at be by do does for from how i in is it me my of on or that the this to what when where which why with you".split(" "),
  );

  const plain = (text) => text.toLowerCase().replace(/×/g, "x").replace(/[’']/g, "");
  const split = (text) => plain(text).split(/[^\p{L}\p{N}_]+/u).filter(Boolean);
  const stemmer = typeof Stemmer === "function" ? new Stemmer() : null;

  function load(source) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      Object.assign(script, { src: source, onload: resolve, onerror: reject });
      document.head.append(script);
    });
  }

  // The JSON in a text that holds compressed bytes, in base64.
  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  function rewordings(query) {
    const text = ` ${split(query).join(" ")} `;
    const found = new Set([query]);
    for (const names of SYNONYMS) {
      for (const name of names) {
        const words = ` ${split(name).join(" ")} `;
        if (!text.includes(words)) continue;
        names.forEach((other) => found.add(text.replace(words, ` ${other} `)));
      }
    }
    return [...found];
  }

  async function makeIndex() {
    const root = document.documentElement.dataset.content_root ?? "./";
    await Promise.all(["vendor/minisearch.js", "sections.js"].map((name) => load(`${root}_static/${name}`)));
    const index = new MiniSearch({
      fields: ["title", "name", "page", "text", "code"],
      storeFields: ["title", "name", "page", "text", "weight"],
      tokenize: split,
      processTerm: (term) => (STOP.has(term) ? null : stemmer ? stemmer.stemWord(term) : term),
    });
    await index.addAllAsync(await unpack(window.SECTIONS), { chunkSize: 20 }); // the page stays usable
    return index;
  }

  function find(index, query) {
    const options = {
      boost: { title: 5, name: 8, page: 2, code: 0.5 },
      boostDocument: (_id, _term, fields) => fields.weight,
      prefix: (term) => term.length > 3,
      fuzzy: (term) => (term.length > 5 ? 0.2 : false),
      weights: { prefix: 0.3, fuzzy: 0.1 },
    };
    const all = { combineWith: "AND", ...options };
    const queries = rewordings(query).map((text, i) => ({
      queries: [text], combineWith: "AND", boostDocument: (id, term, fields) => fields.weight * (i ? 0.7 : 1),
    }));
    let results = index.search({ combineWith: "OR", queries }, all);
    if (!results.length) results = index.search(query, { ...options, combineWith: "OR" });
    // The words side by side count more than the words anywhere.
    const phrase = split(query).join(" ");
    for (const result of results) {
      if (phrase.includes(" ") && split(result.text).join(" ").includes(phrase)) result.score *= 1.5;
      if (split(result.title).join(" ").includes(phrase)) result.score *= 2;
      if (result.name === phrase) result.score *= 4; // a whole chapter is about it
    }
    return results.sort((a, b) => b.score - a.score);
  }

  function show(results, query) {
    const words = split(query).filter((word) => !STOP.has(word));
    for (const { id, title, page, text } of results.slice(0, 50)) {
      const [docname, anchor] = id.split("#");
      const item = document.createElement("li");
      const link = item.appendChild(document.createElement("a"));
      link.href = `${docname}${DOCUMENTATION_OPTIONS.LINK_SUFFIX}${anchor ? `#${anchor}` : ""}`;
      link.textContent = title === page ? page : `${page} > ${title}`;
      const places = words.map((word) => plain(text).indexOf(word)).filter((place) => place >= 0);
      const start = Math.max(0, Math.min(...places, text.length) - 60);
      const context = item.appendChild(document.createElement("p"));
      context.className = "context";
      context.textContent = `${start ? "… " : ""}${text.slice(places.length ? start : 0).slice(0, 220)} …`;
      Search.output.append(item);
    }
    Search.stopPulse();
    Search.title.innerText = "Search Results";
    Search.status.innerText = results.length
      ? `${results.length} ${results.length === 1 ? "section" : "sections"} found.`
      : "No section has these words. Fewer or other words may find more.";
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (typeof Search === "undefined") return;
    Search.query = async (query) => show(find(await makeIndex(), query), query);
    Search.setIndex({}); // Sphinx waits for its own index before it asks
  });
})();
