/* The form of a setting, and small helpers for elements. */
window.Explorer ??= {};
Explorer.controls = (() => {
"use strict";
const { OPS, MODES, isPool } = Explorer.arithmetic;
const { FLAGS, START, namesOf } = Explorer.address;
let ids = 0;

/** An element with attributes and children; text children are text, never HTML. */
const element = (name, attributes = {}, ...children) => {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
	made.append(...children);
	return made;
};

const box = (name, ...children) => element("div", { class: name }, ...children);

/** Write a text that is read aloud, unless it is there already. */
const tell = (place, text) => { if (place.textContent !== text) place.textContent = text; };

const button = (text, action, attributes) => {
	const made = element("button", { type: "button", ...attributes }, text);
	made.addEventListener("click", action);
	return made;
};

/** Buttons that belong together. */
const menu = (title, names, action) => element("div", { role: "group", "aria-label": title, class: "ex-menu" }, `${title}:`,
	...names.map((name) => button(name, () => action(name))));

const check = (text, action) => {
	const field = element("input", { type: "checkbox", id: `ex-${ids += 1}` });
	field.addEventListener("change", () => action(field.checked));
	return { field, label: element("label", { for: field.id, class: "ex-flag" }, field, element("span", {}, text)) };
};

/** A list to choose from; a value that is not in it is added, so that the list shows it. */
const choice = (attributes, value, options) => {
	const all = options.some(([key]) => key === value) ? options : [[value, value], ...options];
	const made = element("select", attributes, ...all.map(([key, text]) => element("option", { value: key }, text)));
	made.value = value;
	return made;
};

const field = (name, value, id) => {
	if (name === "op") return choice({ name, id }, value, Object.entries(OPS).map(([key, { title }]) => [key, title]));
	if (name === "padding_mode") return choice({ name, id }, value, MODES.map((mode) => [mode, mode]));
	if (FLAGS.includes(name)) return element("input", { type: "checkbox", name, id, checked: /^(1|true)$/i.test(value) });
	return element("input", { name, id, value, autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
};

/** A form for a setting; `only` limits it to some arguments. It calls `changed`, half-typed or not. */
const form = (texts, changed, only) => {
	const made = element("form", { class: "ex-form" });
	const kept = {}; // arguments that the kind of layer at hand does not take
	const fill = () => {
		made.replaceChildren(...namesOf(texts.op).filter((name) => !only || only.includes(name)).map((name) => {
			const usual = name === "stride" && !isPool({ op: "", ...texts }) ? "1" : START[name];
			const input = field(name, texts[name] ?? usual, `ex-${ids += 1}`);
			return element("label", { for: input.id, class: FLAGS.includes(name) && "ex-flag" }, input, element("span", {}, name));
		}));
	};
	made.addEventListener("input", ({ target }) => {
		const before = texts.op;
		texts[target.name] = target.type === "checkbox" ? (target.checked ? "1" : "0") : target.value;
		if (target.name === "op" && before !== target.value) {
			const names = namesOf(target.value);
			Object.assign(texts, Object.fromEntries(names.filter((name) => name in kept).map((name) => [name, kept[name]])));
			for (const name of Object.keys(texts)) {
				if (!(name in START) || names.includes(name)) continue;
				kept[name] = texts[name];
				delete texts[name];
			}
			fill();
			made.elements.op.focus();
		}
		changed(texts);
	});
	made.addEventListener("submit", (event) => event.preventDefault());
	fill();
	return { form: made, fill: (next) => { texts = next; fill(); } };
};

const thousands = (value) => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

const bytes = (count) => {
	let value = Number(count), unit = 0;
	while (value >= 1024 && unit < 4) { value /= 1024; unit += 1; }
	return unit ? `${value.toFixed(value < 10 ? 2 : 1)} ${["", "KiB", "MiB", "GiB", "TiB"][unit]}` : `${count} bytes`;
};

const copyButton = (title, text) => {
	const made = button(title, async () => {
		try {
			await navigator.clipboard.writeText(text());
			made.textContent = "Copied";
		} catch { made.textContent = "Not allowed here"; }
		setTimeout(() => { made.textContent = title; }, 2000);
	});
	return made;
};

return { box, bytes, button, check, choice, copyButton, element, form, menu, tell, thousands };
})();
