// Small repairs to the theme that a screen reader notices. Labels that hide the text which
// a button shows are dropped; the sidebar becomes a landmark with a name; boxes that scroll
// sideways can be reached with the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  for (const selector of [".search-button-field", "details.hide > summary"]) {
    document.querySelectorAll(selector).forEach((e) => e.removeAttribute("aria-label"));
  }
  document.querySelectorAll(".bd-sidebar-primary").forEach((e) => {
    e.setAttribute("role", "region");
    e.setAttribute("aria-label", "Sidebar");
  });
  // The arrows that open a part of the sidebar are icons without a name.
  document.querySelectorAll(".bd-sidebar-primary summary").forEach((e) => {
    e.setAttribute("aria-label", "Pages below");
  });
  // Sphinx marks each entry of the bibliography with a role that ARIA has withdrawn.
  document.querySelectorAll("[role=doc-biblioentry]").forEach((e) => e.setAttribute("role", "listitem"));
  document.querySelectorAll("pre, .math, mjx-container, .pst-scrollable-table-container").forEach((e) => {
    const isLarger = e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight;
    if (isLarger && getComputedStyle(e).overflowX === "auto") e.setAttribute("tabindex", "0");
  });
});
