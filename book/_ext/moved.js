// Lead from the address of a section that has moved to where it is now.
(() => {
  const moved = TABLE;
  function follow() {
    const id = decodeURIComponent(location.hash.slice(1));
    if (!id || document.getElementById(id)) return;
    const [, page] = location.pathname.match(/([^/]*)$/);
    const target = moved[`${page}#${id}`];
    if (target) location.replace(target);
  }
  document.addEventListener("DOMContentLoaded", follow);
  window.addEventListener("hashchange", follow);
})();
