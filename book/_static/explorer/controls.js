/* Small helpers for the elements of a figure, and for numbers in sentences. */
window.Explorer ??= {};
Explorer.controls = (() => {
"use strict";
/** An element with attributes, listeners and children; text children are text, never HTML. */
const element = (name, attributes = {}, ...children) => {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (typeof value === "function") made.addEventListener(key, value);
		else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
	}
	made.append(...children);
	return made;
};

const box = (name, ...children) => element("div", { class: name }, ...children);

/** Write a text that is read aloud, unless it is there already. */
const tell = (place, text) => { if (place.textContent !== text) place.textContent = text; };

const button = (text, click, attributes) => element("button", { type: "button", click, ...attributes }, text);

/** Buttons that belong together. */
const menu = (title, names, action) => element("div", { role: "group", "aria-label": title, class: "ex-menu" }, `${title}:`,
	...names.map((name) => button(name, () => action(name))));

/** A checkbox, or another field, with its label: the label, whose `control` is the field. */
const labelled = (text, field) => element("label", { class: field.type === "checkbox" && "ex-flag" }, field, element("span", {}, text));
const check = (text, action) => labelled(text, element("input", { type: "checkbox", change: ({ target }) => action(target.checked) }));

/** A list to choose from; a value that is not in it is added, so that the list shows it. */
const choice = (attributes, value, options) => {
	const all = options.some(([key]) => key === value) ? options : [[value, value], ...options];
	return element("select", attributes, ...all.map(([key, text]) => element("option", { value: key, selected: key === value }, text)));
};

const thousands = (number) => number.toLocaleString("en");

const bytes = (count) => {
	let value = Number(count), unit = 0;
	while (value >= 1024 && unit < 4) { value /= 1024; unit += 1; }
	return unit ? `${value.toFixed(value < 10 ? 2 : 1)} ${["", "KiB", "MiB", "GiB", "TiB"][unit]}` : `${count} bytes`;
};

/** A number of things, with its word. */
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

const copyButton = (title, text) => button(title, async ({ target }) => {
	try {
		await navigator.clipboard.writeText(text());
		target.textContent = "Copied";
	} catch { target.textContent = "Not allowed here"; }
	setTimeout(() => { target.textContent = title; }, 2000);
});

return { box, bytes, button, check, choice, copyButton, element, labelled, menu, plural, tell, thousands };
})();
