/* A figure of a layer: the form of its setting, and the tools that show it. data-setting is the setting
 at first, data-fields limits the form, data-address keeps the setting in the address of the page. */
window.Explorer ??= {};
Explorer.figure = (() => {
"use strict";
const { OPS, MODES, isPool } = Explorer.arithmetic;
const { FLAGS, START, find, namesOf, parse, read, write } = Explorer.address;
const { box, choice, copyButton, element, labelled, tell } = Explorer.controls;

const field = (name, value) => {
	if (name === "op") return choice({ name }, value, Object.entries(OPS).map(([key, { title }]) => [key, title]));
	if (name === "padding_mode") return choice({ name }, value, MODES.map((mode) => [mode, mode]));
	if (FLAGS.includes(name)) return element("input", { type: "checkbox", name, checked: /^(1|true)$/i.test(value) });
	return element("input", { name, value, autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
};

/** A form for a setting; `only` limits it to some arguments. It calls `changed`, half-typed or not. */
const form = (texts, changed, only) => {
	const kept = {}; // arguments that the kind of layer at hand does not take
	const fill = () => made.replaceChildren(...namesOf(texts.op).filter((name) => !only || only.includes(name))
		.map((name) => labelled(name, field(name, texts[name] ?? (name === "stride" && !isPool(texts) ? "1" : START[name])))));
	const input = ({ target: { name, type, checked, value } }) => {
		const before = texts.op;
		texts[name] = type === "checkbox" ? String(Number(checked)) : value;
		if (name === "op" && before !== value) {
			const names = namesOf(value);
			for (const one of names) if (one in kept) texts[one] = kept[one];
			for (const one of Object.keys(texts)) {
				if (!(one in START) || names.includes(one)) continue;
				kept[one] = texts[one];
				delete texts[one];
			}
			fill();
			made.elements.op.focus();
		}
		changed(texts);
	};
	const made = element("form", { class: "ex-form", input, submit: (event) => event.preventDefault() });
	fill();
	return { form: made, fill: (next) => { texts = next; fill(); } };
};

const mount = (place) => {
	const { tool, setting: first = "", fields } = place.dataset;
	const keeps = "address" in place.dataset;
	let texts = parse(keeps && location.hash.includes("=") ? location.hash : first);
	const results = tool === "explorer" || tool === "calculator" ? Explorer.calculator.results((made) => {
		for (const [name, text] of made) texts[name] = text;
		player?.show(texts);
		changed(texts, { refill: true });
		(entry.form.elements[made[0][0]] ?? entry.form.elements[0]).focus();
	}) : null;
	const note = results ? null : element("p", { class: "ex-error", role: "status" });
	const figure = tool === "receptive" || tool === "calculator" ? null : box("ex-player");
	const stack = tool === "player" ? null : box("ex-stack");
	const link = element("a", {}, keeps ? "Address of this setting" : "Open in the explorer");
	let player = null, network = null, timer = 0, input = texts.input;

	/** `refill` writes the setting into the form, `later` waits until it rests for a moment. */
	const changed = (next, { refill, later, keep = keeps } = {}) => {
		texts = next;
		if (texts.input !== input && read(texts).setting) {
			input = texts.input;
			network?.show(texts);
		}
		const save = () => {
			link.href = new URL(`explorer.html${write(texts)}`, location.href);
			if (keep) history.replaceState(null, "", link.hash);
		};
		clearTimeout(timer);
		if (later) { timer = setTimeout(save, 200); return; }
		save();
		if (refill) entry.fill(texts);
		results?.show(texts);
		if (note) tell(note, find(texts).error);
	};
	const entry = form(texts, (next) => {
		player?.show(next);
		changed(next);
	}, fields?.split(" "));
	const above = tool === "player" ? [figure, entry.form, note] : [entry.form, note, ...(results?.parts ?? []), figure, results?.list];
	place.replaceChildren(...[...above, stack, element("p", { class: "ex-bar" }, link, copyButton("Copy the address", () => link.href))].filter(Boolean));
	if (figure) player = Explorer.player.mount(figure, { texts, changed });
	if (stack) {
		network = Explorer.network.mount(stack, { texts, changed: (next, refill, later) => {
			changed(next, { refill, later });
			if (refill) player?.show(next);
		} });
	}
	changed(texts, { keep: false });
	if (keeps) {
		window.addEventListener("hashchange", () => {
			if (!location.hash.includes("=")) return;
			changed(parse(location.hash), { keep: false, refill: true });
			player?.show(texts);
			network?.show(texts);
		});
	}
};

return { mount };
})();
