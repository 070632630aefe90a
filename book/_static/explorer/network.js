/* Layers stacked to a network: shapes, counts, receptive fields, and what a cell of the last map sees. */
window.Explorer ??= {};
Explorer.network = (() => {
"use strict";
const { axisReads, clamp, isTransposed, layer, receptiveField } = Explorer.arithmetic;
const { box, bytes, button, element, menu, tell, thousands } = Explorer.controls;
const { START, code, find, namesOf, read } = Explorer.address;
// A layer is op:out_channels:kernel_size:stride:padding:dilation:groups, and then name=value of
// further arguments; what is empty has PyTorch's default.
const KEYS = ["op", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups"];
const SHORT = { c: "conv2d", t: "conv_transpose2d", m: "max_pool2d", a: "avg_pool2d" };

const vgg = [[64, 2], [128, 2], [256, 3], [512, 3], [512, 3]].map(([width, count]) => `${`c:${width}:3::1;`.repeat(count)}m::2;`).join("");
const resnet = [[64, 1], [128, 2], [256, 2], [512, 2]].map(([width, stride]) => `c:${width}:3:${stride}:1:bias=0;${`c:${width}:3::1:bias=0;`.repeat(3)}`).join("");
const PRESETS = {
	"LeNet-5": ["1x28x28", "c:6:5::2;a::2;c:16:5;a::2;c:120:5;c:84:1;c:10:1"],
	VGG16: ["3x224x224", `${vgg}c:4096:7;c:4096:1;c:1000:1`],
	"ResNet-18 without shortcuts": ["3x224x224", `c:64:7:2:3:bias=0;m::3:2:1;${resnet}a::7;c:1000:1`],
};

const parts = (layers) => (layers ?? "").split(";").filter(Boolean);

/** The texts of a layer in its short form, and back. */
const parseLayer = (text) => {
	const texts = {};
	text.split(":").forEach((word, place) => {
		const [name, ...value] = word.split("=");
		if (value.length) texts[name] = value.join("=");
		else if (word) texts[KEYS[place] ?? word] = !place && Object.hasOwn(SHORT, word) ? SHORT[word] : word;
	});
	return texts;
};
const line = (texts) => {
	const { op = START.op } = texts, names = namesOf(op);
	const given = (name) => names.includes(name) && name !== "input" && texts[name] && texts[name] !== START[name];
	const [, ...words] = KEYS.map((name) => (given(name) ? texts[name] : ""));
	const short = [Object.keys(SHORT).find((one) => SHORT[one] === op), ...words].join(":").replace(/:+$/, "");
	return [short, ...names.filter((name) => !KEYS.includes(name) && given(name)).map((name) => `${name}=${texts[name]}`)].join(":");
};

/** The layers in `layers`, each with its input; stops at a layer that does not fit. */
const rows = (layers, input) => {
	const found = [];
	let shown = input;
	for (const part of parts(layers).slice(0, 200)) {
		const result = find({ ...parseLayer(part), input: shown });
		found.push({ part, shown, ...result });
		if (result.error) break;
		shown = result.shape.join("x");
	}
	return found;
};

/** On how many paths each cell of the input, and of every map, leads to cell `index` of the last, along one axis. */
const paths = (settings, index, axis) => settings.reduceRight((every, setting) => {
	const before = new Map();
	for (const [cell, times] of every[0]) {
		for (const { cell: one } of axisReads(setting, cell, axis)) if (one >= 0) before.set(one, (before.get(one) ?? 0) + times);
	}
	return [before, ...every];
}, [new Map([[index, 1]])]);

const many = (count) => `${Number.isSafeInteger(count) ? thousands(count) : `about ${count.toPrecision(2)}`} ${count === 1 ? "path" : "paths"}`;

const mount = (place, { texts, changed }) => {
	const table = element("tbody");
	const cells = (name, contents) => element("tr", {}, ...contents.map((one) => element(name, {}, one)));
	const region = element("div", { class: "ex-scroll", tabindex: "0", role: "region", "aria-label": "Layers" },
		element("table", { class: "ex-network" }, element("thead", {}, cells("th", ["remove", "layer", "output", "parameters", "multiply-accumulates", "receptive field, jump"])), table));
	const total = element("p", { "data-explorer": "network", role: "status" });
	const maps = box("ex-panels");
	const seen = element("p", { class: "ex-sum", "aria-live": "polite" });
	const set = (layers) => { texts.layers = layers.join(";"); delete texts.see; changed(texts); show(texts); };
	const add = button("Add this layer", () => {
		const layers = [...parts(texts.layers), line(texts)];
		const { error } = read(texts);
		const last = rows(layers.join(";"), texts.input ?? START.input).at(-1);
		if (error || last.error) tell(total, `Not added: ${error || `after ${last.shown}, ${last.error}`}`);
		else set(layers);
	});
	place.append(
		box("ex-bar", add, button("Clear", () => { set([]); add.focus(); }), menu("Networks", Object.keys(PRESETS), (name) => {
			for (const key of Object.keys(texts)) delete texts[key];
			const [input, layers] = PRESETS[name];
			Object.assign(texts, parseLayer(parts(layers)[0]), { input, layers });
			changed(texts, true);
			show(texts);
		})),
		region, total, maps, seen);

	/** Draw the maps of a stack, and let a cell of the last be chosen. */
	const draw = (settings) => {
		const shapes = [settings[0].input, ...settings.map((one) => layer(one).shape)].map((shape) => shape.slice(1));
		const last = shapes.length - 1, widest = Math.max(...shapes.map((shape) => shape[1]));
		const at = shapes.map((shape) => shape.map((one) => Math.floor(one / 2)));
		const wanted = (texts.see ?? "").split(",").map(Number);
		if (wanted.length === 2 && wanted.every((one, axis) => Number.isInteger(one) && one >= 0 && one < shapes[last][axis])) at[last] = wanted;
		else delete texts.see;
		let counts = [];
		const look = () => {
			counts = at[last].map((one, axis) => paths(settings, one, axis));
			canvases.forEach((canvas, map) => {
				const [down, across] = counts.map((one) => one[map]);
				const pen = canvas.getContext("2d");
				const image = pen.createImageData(canvas.width, canvas.height);
				const most = Math.max(...down.values()) * Math.max(...across.values());
				for (const [r, times] of down) for (const [k, more] of across) {
					const dark = Math.sqrt((times * more) / most);
					image.data.set([255 - 90 * dark, 205 - 145 * dark, 120 - 120 * dark, 255], 4 * (r * canvas.width + k));
				}
				pen.putImageData(image, 0, 0);
			});
			const ends = counts.map((one) => [...one[0].values()]);
			const [rows, columns] = counts.map((one) => {
				const cells = [...one[0].keys()].sort((a, b) => a - b), [first] = cells, end = cells.at(-1);
				const holes = end - first + 1 - cells.length;
				return `${first} to ${end}${holes ? ` (${holes} of them are holes)` : ""}`;
			});
			const [least, most] = [Math.min, Math.max].map((end) => end(...ends[0]) * end(...ends[1]));
			tell(seen, `Cell (${at[last].join(", ")}) of the last map ${ends.every((one) => one.length)
				? `sees rows ${rows} and columns ${columns} of the input. Each pixel that it sees lies on ${least === most ? "" : `${thousands(least)} to `}${many(most)}.`
				: "depends on no pixel of the input."}`);
		};
		/** Choose a cell of the last map, or count the paths of a pixel of another. */
		const choose = (map, wish) => {
			const next = wish.map((one, axis) => clamp(one, shapes[map][axis] - 1));
			if (map === last && next.join() === at[map].join()) return;
			at[map] = next;
			if (map === last) {
				look();
				texts.see = next.join();
				changed(texts, false, true);
			} else tell(seen, `Pixel (${next.join(", ")}) of ${map ? `map ${map}` : "the input"} lies on ${many(next.reduce((product, one, axis) => product * (counts[axis][map].get(one) ?? 0), 1))} to cell (${at[last].join(", ")}).`);
		};
		const canvases = shapes.map(([height, width], map) => {
			const move = ({ offsetX, offsetY }) => choose(map, [offsetY / canvas.clientHeight * height, offsetX / canvas.clientWidth * width].map(Math.floor));
			const canvas = element("canvas", { height, width, "aria-hidden": "true", style: `width: ${Math.max(24, 180 * width / widest)}px`, pointermove: move, pointerdown: move });
			return canvas;
		});
		maps.replaceChildren(...canvases.map((canvas, map) => {
			const title = map ? `map ${map}` : "input";
			return element("div", {
				class: map === last && "ex-target", tabindex: "0", role: "application", "aria-label": `${title}: arrow keys choose a ${map === last ? "cell" : "pixel"}`,
				keydown: (event) => {
					const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
					if (!move) return;
					event.preventDefault();
					choose(map, at[map].map((one, axis) => one + move[axis]));
				},
			}, box("ex-title", title), canvas);
		}));
		look();
	};

	const show = (next) => {
		texts = next;
		const found = rows(texts.layers, texts.input ?? START.input);
		const kept = found.filter(({ error }) => !error), all = parts(texts.layers).length;
		region.hidden = !found.length;
		table.replaceChildren(...found.map(({ part, shown, setting, error, shape, parameters, macs }, index) => {
			const remove = button("×", () => {
				set(parts(texts.layers).filter((_, one) => one !== index));
				(table.querySelectorAll("button")[Math.min(index, table.rows.length - 1)] ?? add).focus();
			}, { "aria-label": `Remove layer ${index + 1}` });
			if (error) return element("tr", {}, element("td", {}, remove), element("td", { colspan: 5, class: "ex-error" }, `${setting ? code(setting) : part} after ${shown}: ${error}`));
			const stack = kept.slice(0, index + 1).map((one) => one.setting);
			const [down, across] = [0, 1].map((axis) => receptiveField(stack, axis));
			const both = (name) => [...new Set([down[name], across[name]])].join("x");
			// Behind a transposed convolution it differs from cell to cell.
			const field = stack.some(isTransposed) ? "varies" : `${both("size")}, ${both("jump")}`;
			return cells("td", [remove, code(setting), shape.join("x"), thousands(parameters), thousands(macs), field]);
		}));
		const sum = (name) => kept.reduce((result, one) => result + one[name], 0n);
		tell(total, kept.length ? `Layers: ${kept.length}${all > kept.length ? ` of ${all}` : ""}, output ${kept.at(-1).shape.join("x")}, ${thousands(sum("parameters"))} parameters, ${thousands(sum("macs"))} multiply-accumulates, feature maps ${bytes(sum("bytes"))}.` : "");
		const largest = Math.max(0, ...kept.flatMap(({ setting, shape }) => [...setting.input.slice(1), ...shape.slice(1)]));
		maps.replaceChildren();
		seen.hidden = !largest;
		tell(seen, largest > 256 ? "Maps of more than 256 rows or columns are not drawn." : "");
		if (largest && largest <= 256) draw(kept.map(({ setting }) => setting));
	};
	show(texts);
	return { show };
};

return { mount };
})();
