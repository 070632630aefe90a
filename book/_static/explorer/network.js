/* Layers stacked to a network: shapes, counts, receptive fields, and what a cell of the last map sees. */
window.Explorer ??= {};
Explorer.network = (() => {
"use strict";
const { axisReads, code, isTransposed, layer, receptiveField } = Explorer.arithmetic;
const { box, bytes, button, element, menu, thousands } = Explorer.controls;
const { START, namesOf, read } = Explorer.address;
// A layer is op:out_channels:kernel_size:stride:padding:dilation:groups, and then name=value of
// further arguments; what is empty has PyTorch's default.
const KEYS = ["op", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups"];
const SHORT = { c: "conv2d", t: "conv_transpose2d", m: "max_pool2d", a: "avg_pool2d" };

const vgg = [[64, 2], [128, 2], [256, 3], [512, 3], [512, 3]].map(([width, count]) => `${`c:${width}:3::1;`.repeat(count)}m::2;`).join("");
const resnet = [[64, 1], [128, 2], [256, 2], [512, 2]].map(([width, stride]) => `c:${width}:3:${stride}:1:bias=0;${`c:${width}:3::1:bias=0;`.repeat(3)}`).join("");
const PRESETS = {
	"LeNet-5": ["1x28x28", "c:6:5::2;a::2;c:16:5;a::2;c:120:5;c:84:1;c:10:1"],
	VGG16: ["3x224x224", `${vgg}c:4096:7;c:4096:1;c:1000:1`],
	"ResNet-18, without shortcuts": ["3x224x224", `c:64:7:2:3:bias=0;m::3:2:1;${resnet}a::7;c:1000:1`],
};

const parseLayer = (text) => {
	const texts = {};
	text.split(":").forEach((word, place) => {
		const [name, ...value] = word.split("=");
		if (value.length) texts[name] = value.join("=");
		else if (word) texts[KEYS[place] ?? word] = place ? word : SHORT[word] ?? word;
	});
	return texts;
};

const line = (texts) => {
	const op = texts.op ?? START.op;
	const names = namesOf(op);
	const given = (name) => texts[name] && texts[name] !== START[name] && names.includes(name);
	const words = KEYS.map((name) => (name === "op" ? Object.keys(SHORT).find((one) => SHORT[one] === op) : given(name) || (name === "kernel_size" || name === "out_channels") && names.includes(name) ? texts[name] ?? START[name] : ""));
	return [...words.join(":").replace(/:+$/, "").split(":"), ...names.filter((name) => name !== "input" && !KEYS.includes(name) && given(name)).map((name) => `${name}=${texts[name]}`)].join(":");
};

/** The layers in `layers`, each with its input; stops at a layer that does not fit. */
const rows = (layers, input) => {
	const found = [];
	let shape = input;
	for (const part of layers.split(";").filter(Boolean).slice(0, 200)) {
		const texts = { ...parseLayer(part), input: shape };
		const { setting, error } = read(texts);
		const result = setting ? layer(setting) : { error };
		found.push({ texts, setting, ...result });
		if (result.error) break;
		shape = result.shape.join("x");
	}
	return found;
};

/** On how many paths each cell of the input, and of every map, leads to cell `index` of the last, along one axis. */
const paths = (settings, index, axis) => {
	let counts = new Map([[index, 1]]);
	const every = [counts];
	for (const setting of [...settings].reverse()) {
		const before = new Map();
		for (const [cell, times] of counts) {
			for (const { cell: one } of axisReads(setting, cell, axis)) if (one >= 0) before.set(one, (before.get(one) ?? 0) + times);
		}
		counts = before;
		every.unshift(counts);
	}
	return every;
};

const many = (count) => (Number.isSafeInteger(count) ? thousands(count) : `about ${count.toPrecision(2)}`);

const mount = (place, { texts, changed }) => {
	const table = element("tbody");
	const total = element("p", { "data-explorer": "network", role: "status" });
	const maps = box("ex-panels");
	const seen = element("p", { class: "ex-sum", "aria-live": "polite" });
	const cells = (name, parts) => element("tr", {}, ...parts.map((part) => element(name, {}, part)));
	const set = (layers) => { texts.layers = layers; changed(texts); show(texts); };
	place.append(
		box("ex-bar",
			button("Add this layer", () => {
				const setting = read(texts);
				if (setting.error) total.textContent = `Not added: ${setting.error}`;
				else set([texts.layers, line(texts)].filter(Boolean).join(";"));
			}),
			menu("Networks", Object.keys(PRESETS), (name) => {
				[texts.input, texts.layers] = PRESETS[name];
				changed(texts, true);
				show(texts);
			}),
			button("Clear", () => set(""))),
		element("div", { class: "ex-scroll", tabindex: "0", role: "region", "aria-label": "Layers" },
			element("table", { class: "ex-network" }, element("thead", {}, cells("th", ["layer", "output", "parameters", "multiply-accumulates", "receptive field, jump", "remove"])), table)),
		total, maps, seen);

	const draw = (settings) => {
		const shapes = [settings[0].input, ...settings.map((one) => layer(one).shape)].map((shape) => shape.slice(1));
		const last = shapes.at(-1), widest = Math.max(...shapes.map((shape) => shape[1]));
		let index = last.map((one) => Math.floor(one / 2)), counts = [];
		const canvases = shapes.map(([height, width]) => element("canvas", { height, width, "aria-hidden": "true", style: `width: ${Math.max(24, 180 * width / widest)}px` }));
		const look = (next) => {
			index = next;
			counts = [0, 1].map((axis) => paths(settings, index[axis], axis));
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
			const span = (one, name) => {
				const cells = [...one[0].keys()].sort((a, b) => a - b);
				const holes = cells.at(-1) - cells[0] + 1 - cells.length;
				return `${name} ${cells[0]} to ${cells.at(-1)}${holes ? `, of which ${holes} are holes` : ""}`;
			};
			const ends = counts.map((one) => [...one[0].values()]);
			seen.textContent = ends.every((one) => one.length)
				? `Cell (${index.join(", ")}) of the last map sees ${span(counts[0], "rows")}, ${span(counts[1], "columns")} of the input. A pixel that it sees lies on ${[Math.min, Math.max].map((end) => many(end(...ends[0]) * end(...ends[1]))).join(" to ")} paths.`
				: `Cell (${index.join(", ")}) of the last map sees padding only.`;
		};
		maps.replaceChildren(...canvases.map((canvas, map) => {
			const title = map ? `map ${map}` : "input";
			canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => {
				const r = Math.floor(offsetY / canvas.clientHeight * canvas.height), k = Math.floor(offsetX / canvas.clientWidth * canvas.width);
				if (map < settings.length) seen.textContent = `Pixel (${r}, ${k}) of the ${title} lies on ${many((counts[0][map].get(r) ?? 0) * (counts[1][map].get(k) ?? 0))} paths to cell (${index.join(", ")}) of the last map.`;
				else if (r >= 0 && k >= 0 && r < last[0] && k < last[1] && `${r},${k}` !== index.join()) look([r, k]);
			});
			const target = map === settings.length && { class: "ex-target", tabindex: "0", role: "application", "aria-label": "Cell of the last map: arrow keys move it" };
			return element("div", target || {}, box("ex-title", title), canvas);
		}));
		maps.lastChild.addEventListener("keydown", (event) => {
			const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
			if (!move) return;
			event.preventDefault();
			look(index.map((one, axis) => Math.min(Math.max(one + move[axis], 0), last[axis] - 1)));
		});
		look(index);
	};

	const show = (next) => {
		texts = next;
		const found = rows(texts.layers ?? "", texts.input ?? START.input);
		const kept = found.filter(({ error }) => !error);
		table.replaceChildren(...found.map(({ setting, error, shape, parameters, macs, texts: own }, index) => {
			const remove = button("×", () => set(texts.layers.split(";").filter(Boolean).filter((_, one) => one !== index).join(";")), { "aria-label": `Remove layer ${index + 1}` });
			if (error) return element("tr", {}, element("td", { colspan: 5 }, `${own.op ?? START.op} after ${own.input}: ${error}`), element("td", {}, remove));
			const stack = kept.slice(0, index + 1).map((one) => one.setting);
			const fields = [0, 1].map((axis) => receptiveField(stack, axis));
			const both = (name) => (fields[0][name] === fields[1][name] ? fields[0][name] : `${fields[0][name]}x${fields[1][name]}`);
			// Behind a transposed convolution it differs from cell to cell.
			const field = stack.some(isTransposed) ? "varies" : `${both("size")}, ${both("jump")}`;
			return cells("td", [code(setting), shape.join("x"), thousands(parameters), thousands(macs), field, remove]);
		}));
		const sum = (name) => kept.reduce((result, one) => result + one[name], 0n);
		const last = kept.at(-1);
		total.textContent = last ? `Layers: ${kept.length}, output ${last.shape.join("x")}, ${thousands(sum("parameters"))} parameters, ${thousands(sum("macs"))} multiply-accumulates, ${bytes(sum("bytes"))} of maps.` : "";
		const largest = kept.length ? Math.max(...kept[0].setting.input.slice(1), ...kept.flatMap(({ shape }) => shape.slice(1))) : 0;
		maps.replaceChildren();
		seen.textContent = largest > 256 ? "Maps of more than 256 rows or columns are not drawn." : "";
		if (largest && largest <= 256) draw(kept.map(({ setting }) => setting));
	};
	show(texts);
	return { show };
};

return { PRESETS, mount, paths, rows };
})();
