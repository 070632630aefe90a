/* The form of a setting, and small helpers for elements. */
window.Explorer ??= {};
Explorer.controls = (() => {
"use strict";
const { OPS, MODES, isPool } = Explorer.arithmetic;
const { START, namesOf } = Explorer.address;
const FLAGS = ["bias", "ceil_mode", "count_include_pad"];
let ids = 0;

/** An element with attributes, classes and children; text children are text, never HTML. */
const element = (name, attributes = {}, ...children) => {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
	made.append(...children.filter((child) => child !== undefined && child !== null));
	return made;
};

const box = (name, ...children) => element("div", { class: name }, ...children);

const button = (text, action, attributes) => {
	const made = element("button", { type: "button", ...attributes }, text);
	made.addEventListener("click", action);
	return made;
};

const check = (text, action, attributes) => {
	const box = element("input", { type: "checkbox", id: `ex-${ids += 1}`, ...attributes });
	box.addEventListener("change", () => action(box.checked));
	return { box, label: element("label", { for: box.id, class: "ex-flag" }, box, element("span", {}, text)) };
};

const choice = (attributes, value, options) => {
	const made = element("select", attributes, ...options.map(([key, text]) => element("option", { value: key }, text)));
	made.value = value;
	return made;
};

const menu = (title, names, action) => {
	const made = choice({ "aria-label": title }, "", [["", `${title} …`], ...names.map((name) => [name, name])]);
	made.addEventListener("change", () => {
		const name = made.value;
		made.value = "";
		if (name) action(name);
	});
	return made;
};

const field = (name, value, id) => {
	if (name === "op") return choice({ name, id }, value, Object.entries(OPS).map(([key, { title }]) => [key, title]));
	if (name === "padding_mode") return choice({ name, id }, MODES.includes(value) ? value : "zeros", MODES.map((mode) => [mode, mode]));
	if (FLAGS.includes(name)) return element("input", { type: "checkbox", name, id, checked: /^(1|true)$/i.test(value) });
	return element("input", { name, id, value, autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
};

/** A form for a setting; `only` limits it to some arguments. It calls `changed`, half-typed or not. */
const form = (texts, changed, only) => {
	const made = element("form", { class: "ex-form" });
	const fill = () => {
		const op = Object.hasOwn(OPS, texts.op ?? "") ? texts.op : START.op;
		made.replaceChildren(...namesOf(op).filter((name) => !only || only.includes(name)).map((name) => {
			const usual = name === "stride" && !isPool({ op }) ? "1" : START[name];
			const input = field(name, texts[name] ?? usual, `ex-${ids += 1}`);
			return element("label", { for: input.id, class: FLAGS.includes(name) && "ex-flag" }, input, element("span", {}, name));
		}));
	};
	made.addEventListener("input", ({ target }) => {
		const before = texts.op;
		texts[target.name] = target.type === "checkbox" ? (target.checked ? "1" : "0") : target.value;
		if (target.name === "op" && before !== target.value) {
			for (const name of Object.keys(texts)) if (name in START && !namesOf(target.value).includes(name)) delete texts[name];
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

return { box, bytes, button, check, choice, copyButton, element, form, menu, thousands };
})();
