/* Puts the figures into the pages: <div class="explorer" data-tool="player" data-setting="op=…">.
	 One with data-address keeps its setting in the address. */
(() => {
	"use strict";
	const { element, form, copyButton } = Explorer.controls;
	const { parse, read, write } = Explorer.address;

	const mount = (place) => {
		const keeps = "address" in place.dataset;
		let texts = parse(place.dataset.setting ?? "");
		if (keeps && location.hash.includes("=")) texts = parse(location.hash);
		const results = place.dataset.tool === "player" && !keeps ? null : Explorer.calculator.results();
		const box = element("div", { class: "ex-player" });
		let network = null;
		const send = new URL("explorer.html", location.href);
		/** Show what a setting gives, and keep it in the address, unless it comes from there. */
		const changed = (next, keep = keeps) => {
			texts = next;
			const address = write(texts);
			if (keep) history.replaceState(null, "", address);
			send.hash = address;
			results?.show(texts);
			if (!results) {
				const { setting, error } = read(texts);
				note.textContent = error || Explorer.arithmetic.layer(setting).error;
			}
		};
		const note = results ? "" : element("p", { class: "ex-error", role: "status" });
		const fields = form(texts, (next) => { changed(next); player?.show(next); if (next.layers) network?.show(next); });
		const link = element("div", { class: "ex-bar" }, copyButton(() => send.href), "the address of this setting");
		place.replaceChildren(fields.form, note, box, ...(results?.parts ?? []), link);
		const player = place.dataset.tool === "calculator" ? null : Explorer.player.mount(box, { texts, changed });
		if (place.dataset.tool !== "player") {
			const stack = element("div");
			link.before(stack);
			network = Explorer.network.mount(stack, { texts, changed: (next, whole) => { changed(next); if (whole) { fields.fill(next); player?.show(next); } } });
		}
		changed(texts, false);
		if (keeps) {
			window.addEventListener("hashchange", () => {
				if (!location.hash.includes("=")) return;
				texts = parse(location.hash);
				fields.fill(texts);
				changed(texts, false);
				player?.show(texts);
				network?.show(texts);
			});
		}
	};
	document.querySelectorAll(".explorer").forEach(mount);
})();
