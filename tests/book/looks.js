// Mark the elements of the page whose text axe-core is to compare with its background.
//
// The contrast depends on the style of an element and of its ancestors. Most words of a page
// share it (all keywords of all cells are of one colour), so `most` elements of each look are
// enough: the first, the last, and some between them, since axe-core cannot judge one that is
// partly scrolled out of view.
(most) => {
  const properties = [
    "color", "backgroundColor", "backgroundImage", "opacity", "fontSize", "fontWeight",
    "textShadow", "filter", "mixBlendMode", "visibility", "position", "clip", "clipPath",
  ];
  const looks = new Map(); // the look of an element with its ancestors → its number
  const numbers = new Map(); // element → the number of its look

  function number(element) {
    if (element === null) return -1;
    if (!numbers.has(element)) {
      const parent = number(element.parentElement);
      const own = ["", "::before", "::after"].map((part) => {
        const style = getComputedStyle(element, part);
        if (part && ["none", "normal"].includes(style.content)) return ""; // it has no such part
        return properties.map((name) => style[name]).join();
      });
      const look = [parent, element.localName, ...own].join("|");
      if (!looks.has(look)) looks.set(look, looks.size);
      numbers.set(element, looks.get(look));
    }
    return numbers.get(element);
  }

  function hasText(element) {
    return (
      element.matches("input, select, textarea") ||
      [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue.trim())
    );
  }

  const groups = new Map(); // the number of a look → its elements
  for (const element of document.body.querySelectorAll("*")) {
    if (hasText(element) && element.getClientRects().length > 0) {
      const look = number(element);
      if (!groups.has(look)) groups.set(look, []);
      groups.get(look).push(element);
    }
  }
  for (const element of document.querySelectorAll("[data-look]")) delete element.dataset.look;
  for (const [look, group] of groups) {
    const step = Math.max(1, (group.length - 1) / (most - 1));
    for (let i = 0; i <= group.length - 1; i += step) group[Math.round(i)].dataset.look = look;
  }
}
