/* Layers stacked to a network: shapes, counts, receptive fields, and what a cell of the last map sees. */
window.Explorer = window.Explorer || {};
Explorer.network = (() => {
	"use strict";
	const arithmetic = Explorer.arithmetic;
	const { bytes, element, thousands } = Explorer.controls;
	const { START, read } = Explorer.address;
	const KEYS = ["op", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups"];
	const SHORT = { c: "conv2d", t: "conv_transpose2d", m: "max_pool2d", a: "avg_pool2d" };

	// op:out_channels:kernel:stride:padding:dilation:groups, what is empty has PyTorch's default.
	const block = (channels, stride) => `c:${channels}:3:${stride}:1;c:${channels}:3:1:1;c:${channels}:3:1:1;c:${channels}:3:1:1`;
	const vgg = [[64, 2], [128, 2], [256, 3], [512, 3], [512, 3]];
	const PRESETS = {
		"LeNet-5": ["1x28x28", "c:6:5::2;m::2;c:16:5;m::2;c:120:5"],
		VGG16: ["3x224x224", vgg.map(([width, count]) => `${`c:${width}:3::1;`.repeat(count)}m::2`).join(";")],
		"ResNet-18": ["3x224x224", `c:64:7:2:3;m::3:2:1;${[[64, 1], [128, 2], [256, 2], [512, 2]].map((one) => block(...one)).join(";")}`],
	};

	/** The texts of the layers in `layers`, each with its input; stops at a layer that does not fit. */
	const rows = (layers, input) => {
		const found = [];
		let shape = input;
		for (const part of layers.split(";").filter(Boolean).slice(0, 200)) {
			const words = part.split(":");
			const texts = { input: shape };
			KEYS.forEach((name, place) => { if (words[place]) texts[name] = place ? words[place] : SHORT[words[place]] ?? words[place]; });
			const { setting, error } = read(texts);
			const result = setting ? arithmetic.layer(setting) : { error };
			found.push({ texts, setting, ...result });
			if (result.error) break;
			shape = result.shape.join("x");
		}
		return found;
	};

	const line = (texts) => KEYS.map((name, place) => {
		const text = texts[name] ?? "";
		return place ? (text === START[name] && name !== "kernel_size" ? "" : text) : Object.keys(SHORT).find((one) => SHORT[one] === text);
	}).join(":").replace(/:+$/, "");

	/** How often each cell of the input, and of every map, is used by cell `index` of the last, along one axis. */
	const paths = (settings, index, axis) => {
		let counts = new Map([[index, 1]]);
		const every = [counts];
		for (const setting of [...settings].reverse()) {
			const before = new Map();
			for (const [cell, times] of counts) {
				for (const { cell: one } of arithmetic.axisReads(setting, cell, axis)) if (one >= 0) before.set(one, (before.get(one) ?? 0) + times);
			}
			counts = before;
			every.unshift(counts);
		}
		return every;
	};

	const mount = (place, { texts, changed }) => {
		const table = element("tbody");
		const total = element("p", { "data-explorer": "network", role: "status" });
		const maps = element("div", { class: "ex-panels" });
		const seen = element("p", { class: "ex-sum", "aria-live": "polite" });
		const add = element("button", { type: "button" }, "Add the layer above");
		const clear = element("button", { type: "button" }, "Clear");
		const presets = element("select", { "aria-label": "Networks" }, element("option", { value: "" }, "Networks …"), ...Object.keys(PRESETS).map((name) => element("option", { value: name }, name)));
		const heads = ["layer", "output", "parameters", "multiply-accumulates", "receptive field, jump", "remove"];
		place.append(element("div", { class: "ex-bar" }, add, presets, clear),
			element("div", { class: "ex-scroll", tabindex: "0", role: "region", "aria-label": "Layers" }, element("table", { class: "ex-network" }, element("thead", {}, element("tr", {}, ...heads.map((one) => element("th", { scope: "col" }, one)))), table)),
			total, maps, seen);
		let last = null;

		const set = (layers) => { texts.layers = layers; changed(texts); show(texts); };
		add.addEventListener("click", () => {
			const { setting } = read(texts);
			if (!setting || Array.isArray(setting.padding) && setting.padding.length === 4) return;
			set([texts.layers, line(texts)].filter(Boolean).join(";"));
		});
		clear.addEventListener("click", () => set(""));
		presets.addEventListener("change", () => {
			if (!PRESETS[presets.value]) return;
			[texts.input, texts.layers] = PRESETS[presets.value];
			presets.value = "";
			changed(texts, true);
			show(texts);
		});

		const look = (settings, shape, index) => {
			const [down, across] = [0, 1].map((axis) => paths(settings, index[axis], axis));
			const shapes = [settings[0].input, ...settings.map((one) => arithmetic.layer(one).shape)];
			maps.replaceChildren(...shapes.map(([, height, width], layer) => {
				const canvas = element("canvas", { width, height, style: `width: ${Math.min(Math.max(width * 6, 24), 200)}px`, "aria-hidden": "true" });
				const pen = canvas.getContext("2d");
				pen.fillStyle = "#8884";
				pen.fillRect(0, 0, width, height);
				const most = Math.max(...down[layer].values(), 1) * Math.max(...across[layer].values(), 1);
				for (const [r, times] of down[layer]) for (const [k, more] of across[layer]) {
					pen.fillStyle = `hsl(36 90% ${80 - 45 * Math.sqrt((times * more) / most)}%)`;
					pen.fillRect(k, r, 1, 1);
				}
				return element("div", {}, element("div", { class: "ex-title" }, layer ? `map ${layer}` : "input"), canvas);
			}));
			const target = maps.lastElementChild.lastElementChild;
			target.classList.add("ex-target");
			target.addEventListener("pointermove", (event) => {
				const at = [event.offsetY / target.clientHeight * shape[1], event.offsetX / target.clientWidth * shape[2]].map(Math.floor);
				if (at.some((one, axis) => one < 0 || one >= shape[axis + 1]) || at.join() === index.join()) return;
				look(settings, shape, at);
			});
			const say = (counts, name) => {
				const cells = [...counts.keys()].sort((a, b) => a - b);
				const span = cells.at(-1) - cells[0] + 1;
				return `${name} ${cells[0]} to ${cells.at(-1)}${span > cells.length ? `, of which ${span - cells.length} are holes` : ""}`;
			};
			seen.textContent = down[0].size && across[0].size ? `Cell (${index.join(", ")}) of the last map sees ${say(down[0], "rows")}; ${say(across[0], "columns")} of the input.` : "It sees padding only.";
		};

		const show = (next) => {
			texts = next;
			const found = rows(texts.layers ?? "", texts.input ?? START.input);
			const kept = found.filter(({ error }) => !error);
			let fields = [0, 1].map(() => ({ size: 1, jump: 1 }));
			table.replaceChildren(...found.map(({ setting, error, shape, parameters, macs, texts: own }, place) => {
				const remove = element("button", { type: "button", "aria-label": `Remove layer ${place + 1}` }, "×");
				remove.addEventListener("click", () => set(texts.layers.split(";").filter((_, one) => one !== place).join(";")));
				if (error) return element("tr", {}, element("td", { colspan: 5 }, `${own.op ?? "layer"} after ${own.input}: ${error}`), element("td", {}, remove));
				const stack = kept.slice(0, place + 1).map((one) => one.setting);
				fields = [0, 1].map((axis) => arithmetic.receptiveField(stack, axis));
				const both = (name) => (fields[0][name] === fields[1][name] ? fields[0][name] : `${fields[0][name]}x${fields[1][name]}`);
				return element("tr", {}, ...[arithmetic.code(setting), shape.join("x"), thousands(parameters), thousands(macs), `${both("size")}, ${both("jump")}`].map((text) => element("td", {}, String(text))), element("td", {}, remove));
			}));
			const sum = (name) => kept.reduce((result, one) => result + one[name], 0n);
			last = kept.at(-1);
			total.textContent = last ? `${kept.length} layers: output ${last.shape.join("x")}, ${thousands(sum("parameters"))} parameters, ${thousands(sum("macs"))} multiply-accumulates, ${bytes(sum("bytes"))} of maps.` : "";
			const plain = last && kept.every(({ setting }) => !arithmetic.isTransposed(setting)) && Math.max(...kept[0].setting.input.slice(1)) <= 256;
			if (plain) look(kept.map(({ setting }) => setting), last.shape, last.shape.slice(1).map((one) => Math.floor(one / 2)));
			else { maps.replaceChildren(); seen.textContent = ""; }
		};
		show(texts);
		return { show };
	};

	return { PRESETS, mount, paths, rows };
})();
