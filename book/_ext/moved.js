// Lead from the address of a section or a page that has moved to where it is now. The table of
// addresses is loaded only where an address does not exist.
(() => {
  const table = document.currentScript.src.replace(/moved\.js.*$/, "moved-table.js");
  function load() {
    return new Promise((resolve, reject) => {
      if (window.MOVED) return resolve();
      const script = document.createElement("script");
      Object.assign(script, { src: table, onload: resolve, onerror: reject });
      document.head.append(script);
    });
  }
  async function follow() {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { /* a percent sign that stands for itself */ }
    const isHere = document.querySelector("article") && (!id || document.getElementById(id));
    if (isHere) return;
    await load();
    const [page] = location.pathname.match(/[^/]*$/);
    const target = MOVED[`${page}#${id}`] ?? MOVED[page];
    if (target) location.replace(target);
  }
  document.addEventListener("DOMContentLoaded", follow);
  window.addEventListener("hashchange", follow);
})();
