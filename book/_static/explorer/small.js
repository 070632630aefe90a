/* Four small figures: groups and shuffle, learning rate, padding mode, axes of a normalization. */
window.Explorer ??= {};
Explorer.small = (() => {
"use strict";
const { box, check, choice, element, plural } = Explorer.controls;

const range = (length) => Array.from({ length }, (_, one) => one);
const labelled = (text, field) => element("label", {}, element("span", {}, text), field);
const options = (names) => choice({}, String(names[0]), names.map((one) => [one, String(one)]));
const slider = (min, max, step, value) => element("input", { type: "range", min, max, step, value });
/** A table of cells, each [text, classes]. */
const cells = (label, columns, list) => box("ex-block", box("ex-title", label),
	element("div", { class: "ex-strip", "aria-hidden": "true", style: `--columns: ${columns}` }, ...list.map(([text, mark]) => box(`ex-cell ${mark}`, String(text)))));

// Each builds its fields in `bar` and returns a function that draws, and says what is drawn.
const TOOLS = {
	/** Which of 12 channels reach an output of two grouped layers, with and without a shuffle. */
	groups(bar, figure) {
		const count = options([1, 2, 3, 4, 6, 12]);
		const label = check("shuffle between the layers", () => {}), shuffle = label.control;
		count.value = "3";
		bar.append(labelled("groups", count), label);
		return () => {
			const groups = Number(count.value), width = 12 / groups;
			const order = range(12).map((one) => (shuffle.checked ? (one % groups) * width + Math.floor(one / groups) : one));
			const groupOf = (one) => Math.floor(one / width);
			const sources = new Set(order.slice(0, width).map(groupOf)); // of what output 0 of layer 2 reads
			const seen = range(12).filter((one) => sources.has(groupOf(one)));
			const mark = (one, more) => `ex-group-${groupOf(one) % 3}${more}`;
			figure.replaceChildren(
				cells("input channels", 12, range(12).map((one) => [one, mark(one, sources.has(groupOf(one)) ? " ex-read" : "")])),
				cells("outputs of the first layer, in the order in which the second reads them", 12, order.map((one, place) => [one, mark(one, place < width ? " ex-read" : "")])),
				cells("outputs of the second layer", 12, range(12).map((one) => [one, mark(one, one ? "" : " ex-made")])));
			return `${plural(groups, "group")}${shuffle.checked ? ", shuffled" : ""}: output 0 of the second layer sees ${seen.length} of the 12 input channels${seen.length < 12 ? `: ${seen.join(", ")}` : ""}.`;
		};
	},

	/** Gradient descent on the loss (2w − 8)² from w = 1, for a learning rate. */
	rate(bar, figure) {
		const rate = slider(0.01, 0.3, 0.005, 0.1);
		const canvas = element("canvas", { width: 960, height: 400, class: "ex-wide", "aria-hidden": "true" });
		bar.append(labelled("learning rate", rate));
		figure.append(canvas);
		return () => {
			const step = Number(rate.value), pen = canvas.getContext("2d");
			const at = (w) => [80 * (w + 2), 380 - 2.5 * (2 * w - 8) ** 2];
			const steps = range(8).reduce((path) => [...path, path.at(-1) - step * 4 * (2 * path.at(-1) - 8)], [1]);
			const stroke = (points, color, width) => {
				pen.strokeStyle = color;
				pen.lineWidth = width;
				pen.beginPath();
				points.forEach((w) => pen.lineTo(...at(w)));
				pen.stroke();
			};
			pen.clearRect(0, 0, 960, 400);
			stroke(range(121).map((one) => one / 10 - 2), "#888", 3);
			stroke(steps, "#d9770b", 4);
			pen.fillStyle = "#d9770b";
			steps.forEach((w) => pen.fillRect(at(w)[0] - 6, at(w)[1] - 6, 12, 12));
			const by = Math.round(1000 * (1 - 8 * step)) / 1000;
			const what = by === 0 ? "one step arrives" : Math.abs(by) === 1 ? "it jumps between two places" : Math.abs(by) > 1 ? "it flies away" : by < 0 ? "it comes nearer, from side to side" : "it comes nearer from one side";
			return `Learning rate ${step}: each step multiplies the distance from 4 by ${by}: ${what}. After 8 steps w = ${steps[8].toFixed(2)}.`.replaceAll("-", "−");
		};
	},

	/** What lies beyond the edge of a row, for each padding mode. */
	border(bar, figure) {
		const { MODES, source } = Explorer.arithmetic; // which the pages of the other figures do not load
		const mode = options(MODES), padding = slider(0, 3, 1, 3);
		bar.append(labelled("padding_mode", mode), labelled("padding", padding));
		return () => {
			const row = [1, 2, 3, 4], amount = Number(padding.value);
			const list = range(4 + 2 * amount).map((one) => {
				const from = source(one - amount, { size: 4, before: amount, after: amount }, mode.value);
				return [row[from] ?? 0, one < amount || one >= 4 + amount ? "ex-border" : "ex-read"];
			});
			figure.replaceChildren(cells("a row and its border", list.length, list));
			return `padding_mode="${mode.value}", padding=${amount}: ${list.map(([one]) => one).join(" ")}`;
		};
	},

	/** Which maps of a batch share a mean and a variance. */
	norm(bar, figure) {
		const kind = options(["BatchNorm2d(4)", "LayerNorm((4, 3, 3))", "InstanceNorm2d(4)", "GroupNorm(2, 4)"]);
		bar.append(labelled("normalization", kind));
		return () => {
			const group = [(n, c) => c, (n) => n, (n, c) => 4 * n + c, (n, c) => 2 * n + (c >> 1)][kind.selectedIndex];
			const shares = range(12).map((one) => group(Math.floor(one / 4), one % 4));
			const marked = range(12).filter((one) => shares[one] === 0).map((one) => `(${Math.floor(one / 4)}, ${one % 4})`);
			figure.replaceChildren(cells("maps of 3 images (rows) with 4 channels (columns)", 4, shares.map((one) => [one, one ? "" : "ex-read"])));
			return `${kind.value}: ${new Set(shares).size} means, numbered in the cells. Mean 0 is taken over ${plural(marked.length, "map")} (image, channel): ${marked.join(", ")}.`;
		};
	},
};

const mount = (place) => {
	const bar = box("ex-bar"), figure = box("ex-panels");
	const said = element("p", { role: "status" });
	place.replaceChildren(bar, figure, said);
	const draw = TOOLS[place.dataset.tool](bar, figure);
	const show = () => { said.textContent = draw(); };
	bar.addEventListener("input", show);
	show();
};
return { TOOLS, mount };
})();
