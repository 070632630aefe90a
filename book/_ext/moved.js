// Lead from the address of a section or a page that has moved to where it is now.
(() => {
  const moved = TABLE;
  function follow() {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { /* a percent sign that stands for itself */ }
    const [page] = location.pathname.match(/[^/]*$/);
    const isHere = !(page in moved) && (!id || document.getElementById(id));
    const target = moved[`${page}#${id}`] ?? moved[page];
    if (!isHere && target) location.replace(target);
  }
  document.addEventListener("DOMContentLoaded", follow);
  window.addEventListener("hashchange", follow);
})();
