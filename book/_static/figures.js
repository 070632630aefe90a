// Enlarge a figure with a click, a touch, or Enter; and say where a formula goes on beyond the
// edge of the page.
document.addEventListener("DOMContentLoaded", () => {
  const dialog = document.createElement("dialog");
  dialog.className = "figure-zoom";
  dialog.setAttribute("aria-label", "Enlarged figure");
  dialog.innerHTML =
    '<form method="dialog"><button>Close</button></form><div tabindex="0"><img alt=""></div>';
  document.body.append(dialog);
  const large = dialog.querySelector("img");
  dialog.addEventListener("click", (event) => {
    if (!event.target.closest("button, img")) dialog.close();
  });

  document.querySelectorAll("article figure img").forEach((image) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "figure-open";
    button.title = "Enlarge the figure";
    image.replaceWith(button);
    button.append(image);
    button.addEventListener("click", () => {
      large.src = image.src;
      large.alt = image.alt;
      dialog.classList.toggle("keeps-light", image.closest(".tag_keep-light") !== null);
      // A window shows the whole figure; on a phone it is larger than on the page, and scrolls.
      const { naturalWidth, naturalHeight, clientWidth } = image;
      const fitting = Math.min(innerWidth - 32, ((innerHeight - 32) * naturalWidth) / naturalHeight);
      const onPhone = Math.max(naturalWidth, 2 * clientWidth);
      large.style.width = `${innerWidth < 800 ? onPhone : fitting}px`;
      dialog.showModal();
    });
  });

  function markScrolling() {
    document.querySelectorAll("div.math").forEach((formula) => {
      const box = formula.querySelector("mjx-container") ?? formula;
      formula.classList.toggle("scrolls", box.scrollWidth > box.clientWidth + 1);
    });
  }
  addEventListener("resize", markScrolling);
  addEventListener("load", markScrolling);
});
