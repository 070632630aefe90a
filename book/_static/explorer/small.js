/* Four small figures: groups and shuffle, learning rate, padding mode, axes of a normalization. */
window.Explorer = window.Explorer || {};
Explorer.small = (() => {
	"use strict";
	const { element } = Explorer.controls;
	const { MODES, source } = Explorer.arithmetic;
	const range = (length) => Array.from({ length }, (_, one) => one);

	/** A field with a label. */
	const labelled = (text, field) => element("label", {}, `${text} `, field);
	const choice = (options) => element("select", {}, ...options.map((one) => element("option", { value: one }, String(one))));
	const cells = (label, columns, list) => element("div", { role: "img", "aria-label": label, class: "ex-strip", style: `--columns: ${columns}` },
		...list.map(([text, mark]) => element("div", { class: `ex-cell ${mark}` }, String(text))));

	const TOOLS = {
		/** Which of 12 channels reach an output of two grouped layers, with and without a shuffle. */
		groups(place, say) {
			const count = choice([1, 2, 3, 4, 6, 12]), shuffle = element("input", { type: "checkbox" });
			count.value = "3";
			const figure = element("div");
			place.append(labelled("groups", count), labelled("shuffle between the layers", shuffle), figure);
			return () => {
				const groups = Number(count.value), width = 12 / groups;
				const order = range(12).map((one) => (shuffle.checked ? (one % groups) * width + Math.floor(one / groups) : one));
				const of = (one) => Math.floor(one / width);
				const behind = range(12).filter((one) => of(one) === 0); // what output 0 of layer 2 reads
				const hit = new Set(behind.map((one) => order[one]));
				const sources = new Set([...hit].map(of));
				const mark = (one, on) => `ex-group-${of(one) % 3}${on ? " ex-read" : ""}`;
				figure.replaceChildren(
					cells("input channels", 12, range(12).map((one) => [one, mark(one, sources.has(of(one)))])),
					cells("outputs of the first layer, in the order in which the second reads them", 12, range(12).map((one) => [order[one], mark(order[one], behind.includes(one))])),
					cells("outputs of the second layer", 12, range(12).map((one) => [one, mark(one, false) + (one ? "" : " ex-made")])));
				say(`Output 0 of the second layer sees ${sources.size * width} of 12 input channels.`);
			};
		},

		/** Gradient descent in the valley (x² + 10 y²) / 2, for a learning rate. */
		rate(place, say) {
			const rate = element("input", { type: "range", min: -3, max: -0.6, step: 0.02, value: -1.4 });
			const canvas = element("canvas", { width: 480, height: 200, class: "ex-wide", "aria-hidden": "true" });
			place.append(labelled("learning rate", rate), canvas);
			return () => {
				const step = 10 ** Number(rate.value), pen = canvas.getContext("2d");
				let [x, y] = [4, 1.2];
				pen.clearRect(0, 0, 480, 200);
				const at = (a, b) => [240 + 50 * a, 100 + 50 * b];
				pen.strokeStyle = "#888";
				for (const level of [0.5, 2, 5, 9]) {
					pen.beginPath();
					pen.ellipse(240, 100, 50 * Math.sqrt(2 * level), 50 * Math.sqrt(level / 5), 0, 0, 7);
					pen.stroke();
				}
				pen.strokeStyle = "#d9770b";
				pen.lineWidth = 2;
				pen.beginPath();
				pen.moveTo(...at(x, y));
				for (let i = 0; i < 30; i += 1) {
					[x, y] = [x - step * x, y - step * 10 * y];
					if (Math.abs(y) < 1e4) pen.lineTo(...at(x, y));
				}
				pen.stroke();
				const loss = (x * x + 10 * y * y) / 2;
				say(`Learning rate ${step.toPrecision(2)}: the loss goes from 15.2 to ${loss > 1e6 ? "more than a million" : loss.toPrecision(2)} in 30 steps. ${step > 0.2 ? "Above 0.2 each step across the valley overshoots further." : step > 0.1 ? "It zigzags across the valley." : ""}`);
			};
		},

		/** What lies beyond the edge of a row, for each padding mode. */
		border(place, say) {
			const mode = choice(MODES), padding = element("input", { type: "range", min: 0, max: 3, value: 2 });
			const figure = element("div");
			place.append(labelled("padding_mode", mode), labelled("padding", padding), figure);
			return () => {
				const row = [3, 1, 4, 2], amount = Number(padding.value);
				const padded = range(4 + 2 * amount).map((one) => source(one - amount, 4, mode.value));
				const shown = padded.map((one, place_) => [one < 0 ? 0 : row[one], place_ < amount || place_ >= 4 + amount ? "ex-border" : ""]);
				figure.replaceChildren(cells("a row and its border", shown.length, shown));
				say(`${mode.value}: ${shown.map(([one]) => one).join(" ")}`);
			};
		},

		/** Which maps of a batch share a mean and a deviation. */
		norm(place, say) {
			const kind = choice(["BatchNorm2d", "InstanceNorm2d", "GroupNorm (2 groups)", "LayerNorm"]);
			const figure = element("div");
			place.append(labelled("normalization", kind), figure);
			return () => {
				const shares = [(n, c) => c === 0, (n, c) => n + c === 0, (n, c) => n === 0 && c < 2, (n) => n === 0][kind.selectedIndex];
				const list = range(12).map((one) => [`${Math.floor(one / 4)}, ${one % 4}`, shares(Math.floor(one / 4), one % 4) ? "ex-read" : ""]);
				figure.replaceChildren(cells("maps of 3 images with 4 channels", 4, list));
				say(`Map (0, 0) shares its mean with the marked ones: ${[3, 1, 2, 4][kind.selectedIndex]} maps. Means in all: ${[4, 12, 6, 3][kind.selectedIndex]}.`);
			};
		},
	};

	const mount = (place) => {
		const said = element("p", { role: "status" });
		const box = element("div", { class: "ex-small" });
		place.replaceChildren(box, said);
		const draw = TOOLS[place.dataset.tool](box, (text) => { said.textContent = text; });
		box.addEventListener("input", draw);
		draw();
	};
	return { TOOLS, mount };
})();
