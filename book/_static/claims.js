/* Filters the list of claims by document, verdict and words. Without it, all claims are shown. */
(() => {
  const place = document.querySelector(".claims-filter");
  const rows = [...document.querySelectorAll(".claims-all > .claim")];
  if (!place || !rows.length) return;

  const verdicts = ["true", "false", "misleading", "incomplete", "outdated", "not checkable"];
  const choices = {
    document: ["0", "1", "2", "3", "4"].map((one) => [`d${one}`, `document ${one}`]),
    verdict: [...verdicts.map((one) => [one.replace(" ", "-"), one]), ["wrong", "all but true"]],
  };
  const form = document.createElement("form");
  form.setAttribute("role", "search");
  form.setAttribute("aria-label", "Claims");
  form.innerHTML = Object.entries(choices).map(([name, options]) =>
    `<label>${name === "document" ? "Document" : "Verdict"} <select name="${name}"><option value="">all</option>${
      options.map(([value, text]) => `<option value="${value}">${text}</option>`).join("")}</select></label>`).join("")
    + '<label>Words <input name="words" type="search" autocomplete="off"></label>'
    + '<button type="reset">Show all</button><output></output>';
  place.append(form);
  const readAddress = () => {
    const asked = new URLSearchParams(location.search);
    for (const name of ["document", "verdict", "words"]) form.elements[name].value = asked.get(name) ?? "";
  };
  readAddress();

  // The words are looked for in what is said, not in the code of the evidence.
  const texts = rows.map((row) => [...row.children].filter(({ tagName }) => tagName !== "DETAILS")
    .map((part) => part.textContent).join(" ").toLowerCase());
  const shows = (row, text) => {
    const { document: doc, verdict, words } = form.elements;
    return (!doc.value || row.classList.contains(`claim-${doc.value}`))
      && (!verdict.value || (verdict.value === "wrong" ? !row.classList.contains("claim-true") : row.classList.contains(`claim-${verdict.value}`)))
      && words.value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  };
  const filter = () => {
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden = !shows(row, texts[index]);
      shown += !row.hidden;
    });
    form.querySelector("output").textContent = `${shown || "None"} of ${rows.length} claims`;
    const asked = [...new FormData(form)].filter(([, value]) => value);
    const query = asked.length ? `?${new URLSearchParams(asked)}` : location.pathname;
    try { history.replaceState(null, "", query + location.hash); } catch { /* a page opened as a file */ }
  };
  // A claim that is asked for by its address is shown, whatever the filter says.
  const showTarget = () => {
    const row = document.getElementById(location.hash.slice(1).toLowerCase())?.closest(".claim");
    if (row?.hidden) {
      for (const field of form.querySelectorAll("select, input")) field.value = "";
      filter();
    }
    row?.scrollIntoView();
  };
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter)); // once the fields are empty
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("popstate", () => { // also on the way back from a link to a claim
    readAddress();
    filter();
    showTarget();
  });
  filter();
  if (location.hash) showTarget();
})();
