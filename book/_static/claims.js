/* Filters the list of claims by document, verdict and words. Without it, all claims are shown. */
(() => {
  const place = document.querySelector(".claims-filter");
  const rows = [...document.querySelectorAll(".claims-all > .claim")];
  if (!place || !rows.length) return;

  const start = new URLSearchParams(location.search);
  const verdicts = ["true", "false", "misleading", "incomplete", "outdated", "not checkable"];
  const choices = {
    document: ["0", "1", "2", "3", "4"].map((one) => [`d${one}`, `document ${one}`]),
    verdict: verdicts.map((one) => [one.replace(" ", "-"), one]),
  };
  const form = document.createElement("form");
  form.setAttribute("role", "search");
  form.setAttribute("aria-label", "Claims");
  form.innerHTML = Object.entries(choices).map(([name, options]) =>
    `<label>${name === "document" ? "Document" : "Verdict"} <select name="${name}"><option value="">all</option>${
      options.map(([value, text]) => `<option value="${value}">${text}</option>`).join("")}</select></label>`).join("")
    + '<label>Words <input name="words" type="search" autocomplete="off"></label><output></output>';
  place.append(form);
  for (const [name, value] of start) if (form.elements[name]) form.elements[name].value = value;

  const texts = rows.map((row) => row.textContent.toLowerCase());
  const shows = (row, text) => {
    const { document: doc, verdict, words } = form.elements;
    return (!doc.value || row.classList.contains(`claim-${doc.value}`))
      && (!verdict.value || row.classList.contains(`claim-${verdict.value}`))
      && words.value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  };
  const filter = () => {
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden = !shows(row, texts[index]);
      shown += !row.hidden;
    });
    form.querySelector("output").textContent = `${shown} of ${rows.length} claims`;
    const asked = [...new FormData(form)].filter(([, value]) => value);
    const query = asked.length ? `?${new URLSearchParams(asked)}` : location.pathname;
    try { history.replaceState(null, "", query + location.hash); } catch { /* a page opened as a file */ }
  };
  // A claim that is asked for by its address is shown, whatever the filter says.
  const showTarget = () => {
    const row = document.getElementById(location.hash.slice(1))?.closest(".claim");
    if (row?.hidden) {
      form.reset();
      filter();
    }
    row?.scrollIntoView();
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", showTarget);
  filter();
  if (location.hash) showTarget();
})();
