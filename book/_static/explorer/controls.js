/* The form of a setting, the list of results, and small helpers for elements. */
window.Explorer = window.Explorer || {};
Explorer.controls = (() => {
	"use strict";
	const { OPS, MODES } = Explorer.arithmetic;
	const { START, namesOf } = Explorer.address;
	const FLAGS = ["bias", "ceil_mode", "count_include_pad"];
	const HINTS = {
		input: "channels x height x width, such as 3x224x224",
		padding: "a number, two such as 1x2, same, valid, or left,right,top,bottom",
	};
	let forms = 0;

	/** An element with attributes, classes and children; text children are text, never HTML. */
	const element = (name, attributes = {}, ...children) => {
		const made = document.createElement(name);
		for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
		made.append(...children.filter((child) => child !== undefined && child !== null));
		return made;
	};

	const choice = (name, value, options) => {
		const made = element("select", { name }, ...options.map(([key, text]) => element("option", { value: key }, text)));
		made.value = value;
		return made;
	};

	const field = (name, value) => {
		if (name === "op") return choice(name, value, Object.entries(OPS).map(([key, { title }]) => [key, title]));
		if (name === "padding_mode") return choice(name, MODES.includes(value) ? value : "zeros", MODES.map((mode) => [mode, mode]));
		if (FLAGS.includes(name)) return element("input", { type: "checkbox", name, checked: ["1", "True", "true"].includes(value) });
		return element("input", { name, value, size: 8, autocomplete: "off", autocapitalize: "off", spellcheck: "false", title: HINTS[name] });
	};

	/** A form for a setting. `changed(texts)` is called with what its fields say, half-typed or not. */
	const form = (texts, changed) => {
		const made = element("form", { class: "ex-form" });
		const id = (forms += 1);
		const fill = () => {
			const op = Object.hasOwn(OPS, texts.op ?? "") ? texts.op : START.op;
			made.replaceChildren(...namesOf(op).map((name) => {
				const usual = name === "stride" && !Explorer.arithmetic.isPool({ op }) ? "1" : START[name];
			const input = field(name, texts[name] ?? usual);
				input.id = `ex-${id}-${name}`;
				return element("label", { for: input.id, class: FLAGS.includes(name) ? "ex-flag" : undefined }, element("span", {}, name), input);
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

	const copyButton = (text) => {
		const button = element("button", { type: "button", class: "ex-copy" }, "Copy");
		button.addEventListener("click", async () => {
			try {
				await navigator.clipboard.writeText(text());
				button.textContent = "Copied";
			} catch { button.textContent = "Select the line to copy it"; }
			setTimeout(() => { button.textContent = "Copy"; }, 2000);
		});
		return button;
	};

	return { bytes, copyButton, element, form, thousands };
})();
