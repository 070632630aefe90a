/* <conv-explorer data-tool="player" data-setting="op=…">. The scripts stand before it on its page, so
 that it is drawn while the page is read. data-fields limits the form; data-address keeps the setting. */
(() => {
"use strict";
const { box, copyButton, element, form, tell } = Explorer.controls;
const { find, parse, read, write } = Explorer.address;

const mount = (place) => {
	const { tool, setting: first = "", fields } = place.dataset;
	place.setAttribute("role", "group");
	place.setAttribute("aria-label", `Interactive figure: ${tool}`);
	if (Explorer.small?.TOOLS[tool]) { Explorer.small.mount(place); return; }
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

customElements.define("conv-explorer", class extends HTMLElement {
	connectedCallback() {
		if (this.childElementCount === 0) mount(this);
	}
});
})();
