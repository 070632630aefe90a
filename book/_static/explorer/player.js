/* The player: a layer on an input with numbers. The window moves by pointer, touch, arrow keys or by
	 itself; the products and their sum stand below; a cell of the input shows where it goes. */
window.Explorer = window.Explorer || {};
Explorer.player = (() => {
	"use strict";
	const arithmetic = Explorer.arithmetic;
	const { element } = Explorer.controls;
	const { read } = Explorer.address;
	const MOST = { cells: 400, channels: 4, size: 16 };

	const KERNELS = {
		edge: [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
		blur: [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
		sharpen: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
		Sobel: [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
	};
	/** A nested array of a shape; `make` gives the number at the indices. */
	const fill = ([length, ...rest], make, ...at) => Array.from({ length }, (_, one) => (rest.length ? fill(rest, make, ...at, one) : make(...at, one)));
	const size = (shape) => shape.reduce((product, one) => product * one, 1);

	// Brightness 0 to 9 of a small picture: a bright disc over a dark ground.
	const picture = (shape) => fill(shape, (_, r, k) => {
		const y = (r + 0.5) / shape[1] - 0.42, x = (k + 0.5) / shape[2] - 0.55;
		return x * x + y * y < 0.07 ? 9 : r > 0.78 * shape[1] ? 2 : Math.max(0, 5 - Math.round((4 * r) / shape[1]));
	});
	const firstInput = (shape) => fill(shape, (c, r, k) => (3 * r + 5 * k + 2 * r * k + 4 * c) % 10);
	const firstWeights = (shape) => fill(shape, (o, i, r, k) => (o + i === 0 && shape.slice(2).join() === "3,3" ? KERNELS.Sobel[r][k] : ((r + 2 * k + o + i) % 3) - 1));

	/** The numbers of an address, as an array of this shape; null if they are not that many. */
	const listed = (text, shape) => {
		const numbers = (text ?? "").split(",").map(Number);
		return text && numbers.length === size(shape) && numbers.every(Number.isFinite) ? fill(shape, () => numbers.shift()) : null;
	};
	const weightShape = ({ op, input, out_channels, groups, kernel_size }) => (op === "conv2d"
		? [out_channels, input[0] / groups, ...kernel_size] : [input[0], out_channels / groups, ...kernel_size]);

	const say = (value) => {
		const rounded = Number.isInteger(value) ? value : Math.round(value * 100) / 100;
		return String(rounded).replace("-", "−");
	};
	const mount = (place, { texts, changed = () => {} }) => {
		const panels = element("div", { class: "ex-panels" });
		const sum = element("p", { class: "ex-sum", "aria-live": "polite" });
		const play = element("button", { type: "button", class: "ex-play" }, "Play");
		const presets = element("select", { "aria-label": "Presets" }, element("option", { value: "" }, "Presets …"),
			...[...Object.keys(KERNELS), "picture", "empty: draw your own"].map((name) => element("option", { value: name }, name)));
		const help = element("p", { class: "ex-help" }, "Arrow keys or a pointer move the window. Point at an input cell to see which outputs it takes part in. Enter or a second click edits a number.");
		place.append(element("div", { class: "ex-bar" }, play, presets), panels, sum, help);
		let state = null, timer = 0;

		const grids = {}; // name → {cells: Map("c,r,k" → element)}

		/** A grid of numbers. `shape` is [channels, rows, columns]; `from` the first row and column shown. */
		const grid = (name, title, shape, { from = [0, 0], groups = 1 } = {}) => {
			const cells = new Map();
			const blocks = Array.from({ length: shape[0] }, (_, c) => {
				const rows = Array.from({ length: shape[1] }, (_, r) => element("div", { role: "row" }, ...Array.from({ length: shape[2] }, (_, k) => {
					const key = [c, r + from[0], k + from[1]];
					const cell = element("div", { role: "gridcell", tabindex: "-1", class: "ex-cell" });
					cell.place = { name, key };
					cells.set(key.join(), cell);
					return cell;
				})));
				const label = shape[0] > 1 ? `${title}, channel ${c}` : title;
				const group = groups > 1 ? ` ex-group-${Math.floor(c / (shape[0] / groups)) % 3}` : "";
				return element("div", { class: `ex-block${group}` }, element("div", { class: "ex-title" }, label),
					element("div", { role: "grid", "aria-label": label, style: `--columns: ${shape[2]}` }, ...rows));
			});
			grids[name] = cells;
			return element("div", { class: `ex-panel ex-${name}` }, ...blocks);
		};

		const build = () => {
			const { setting, found } = state;
			const [[top, bottom], [left, right]] = arithmetic.isTransposed(setting) ? [[0, 0], [0, 0]] : found.sides;
			const [channels, rows, columns] = setting.input;
			const parts = [grid("input", "input", [channels, rows + top + bottom, columns + left + right], { from: [-top, -left], groups: setting.groups })];
			if (!arithmetic.isPool(setting)) {
				parts.push(grid("kernel", "kernel", [setting.input[0] / setting.groups, ...setting.kernel_size]));
			}
			parts.push(grid("output", "output", found.shape, { groups: setting.groups }));
			panels.replaceChildren(...parts);
		};

		const number = (c, r, k) => {
			const { setting, x } = state;
			if (r >= 0 && k >= 0 && r < setting.input[1] && k < setting.input[2]) return x[c][r][k];
			if (arithmetic.isPool(setting)) return setting.op === "max_pool2d" ? "−∞" : 0;
			const cell = [[r, 1], [k, 2]].map(([at, axis]) => arithmetic.source(at, setting.input[axis], setting.padding_mode));
			return cell.includes(-1) ? 0 : x[c][cell[0]][cell[1]];
		};

		/** Write numbers and marks into the cells that exist. */
		const draw = (spoken = true) => {
			const { setting, found, cell, pointed } = state;
			const { terms, value, count } = arithmetic.value(setting, state.x, state.w, state.b, cell);
			const at = new Set(terms.map(({ read: one }) => [one.channel, ...one.at].join()));
			const used = new Set(terms.map(({ read: one }) => one.kernel.join()));
			const fed = pointed ? new Set(arithmetic.feeds(setting, found.shape, pointed.slice(1)).map(([r, k]) => `${r},${k}`)) : null;
			for (const [key, one] of grids.input) {
				const [c, r, k] = key.split(",").map(Number);
				const inside = r >= 0 && k >= 0 && r < setting.input[1] && k < setting.input[2];
				const text = number(c, r, k);
				one.textContent = typeof text === "string" ? text : say(text);
				one.className = `ex-cell${inside ? "" : " ex-border"}${!pointed && at.has(key) ? " ex-read" : ""}${state.never.has(`${r},${k}`) ? " ex-never" : ""}${pointed && pointed.join() === key ? " ex-pointed" : ""}`;
			}
			for (const [key, one] of grids.kernel ?? []) {
				const [s, r, k] = key.split(",").map(Number);
				one.textContent = say(plane(s)[r][k]);
				one.className = `ex-cell${!pointed && used.has(key) ? " ex-read" : ""}`;
			}
			for (const [key, one] of grids.output) {
				const [c, r, k] = key.split(",").map(Number);
				one.textContent = say(state.y[c][r][k]);
				const reached = fed?.has(`${r},${k}`) && reaches(pointed[0], c);
				one.className = `ex-cell${!pointed && key === cell.join() ? " ex-made" : ""}${reached ? " ex-made" : ""}`;
				one.tabIndex = key === cell.join() ? 0 : -1;
			}
			for (const name of ["input", "kernel"]) {
				const cells = [...(grids[name] ?? [])];
				const inside = cells.find(([key]) => key === state.focus[name]) ?? cells.find(([, one]) => !one.classList.contains("ex-border"));
				cells.forEach(([, one]) => { one.tabIndex = inside && one === inside[1] ? 0 : -1; });
			}
			if (spoken) sum.textContent = pointed ? wherePointed(fed) : sentence(terms, value, count);
		};

		const reaches = (channel, out) => {
			const { setting } = state;
			if (arithmetic.isPool(setting)) return channel === out;
			return Math.floor(channel / (setting.input[0] / setting.groups)) === Math.floor(out / (setting.out_channels / setting.groups));
		};

		/** The slice of the kernel that makes the output channel at hand. */
		const plane = (slice) => {
			const { setting: { op, input, out_channels, groups }, w, cell: [c] } = state;
			const per = out_channels / groups;
			return op === "conv2d" ? w[c][slice] : w[Math.floor(c / per) * (input[0] / groups) + slice][c % per];
		};

		const sentence = (terms, value, count) => {
			const { setting, cell, b } = state;
			const where = `output ${setting.input[0] > 1 || state.found.shape[0] > 1 ? `channel ${cell[0]}, ` : ""}row ${cell[1]}, column ${cell[2]}`;
			const shown = terms.slice(0, 12);
			const rest = terms.length > 12 ? ` and ${terms.length - 12} more` : "";
			if (setting.op === "max_pool2d") return `${where}: the largest of ${shown.map(({ number: one }) => say(one)).join(", ")}${rest} is ${say(value)}.`;
			if (setting.op === "avg_pool2d") return `${where}: (${shown.map(({ number: one }) => say(one)).join(" + ")}${rest}) / ${count} = ${say(value)}`;
			const products = shown.map(({ number: one, weight: by }) => `${say(one)}·${by < 0 ? `(${say(by)})` : say(by)}`).join(" + ");
			return `${where}: ${products || "no input cell reaches it"}${rest}${b ? ` + bias ${say(b[cell[0]])}` : ""} = ${say(value)}`;
		};

		const wherePointed = (fed) => {
			const [, r, k] = state.pointed;
			const outputs = [...fed];
			if (!outputs.length) return `input row ${r}, column ${k} is never read.`;
			return `input row ${r}, column ${k} takes part in ${outputs.length} ${outputs.length === 1 ? "output" : "outputs"} of each channel that reads it: ${outputs.slice(0, 9).map((one) => `(${one.replace(",", ", ")})`).join(", ")}${outputs.length > 9 ? ", …" : ""}. Its gradient is the sum over them.`;
		};

		const compute = () => {
			const { setting, found } = state;
			state.y = arithmetic.forward(setting, state.x, state.w, state.b);
			state.never = new Set();
			const [rows, columns] = [0, 1].map((axis) => {
				const reached = new Set();
				for (let out = 0; out < found.shape[axis + 1]; out += 1) arithmetic.axisReads(setting, out, axis).forEach(({ at }) => reached.add(at));
				return reached;
			});
			for (const key of grids.input.keys()) {
				const [, r, k] = key.split(",").map(Number);
				if (!rows.has(r) || !columns.has(k)) state.never.add(`${r},${k}`);
			}
		};

		const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; };

		const moveTo = (cell, focus) => {
			state.cell = cell;
			state.pointed = null;
			draw();
			if (focus) grids.output.get(cell.join())?.focus();
		};

		const step = () => {
			const [channels, rows, columns] = state.found.shape;
			const [c, r, k] = state.cell;
			const next = (c * rows + r) * columns + k + 1;
			if (next >= channels * rows * columns) return moveTo([0, 0, 0]);
			return moveTo([Math.floor(next / (rows * columns)), Math.floor(next / columns) % rows, next % columns]);
		};

		play.addEventListener("click", () => {
			if (timer) return stop();
			if (!state) return undefined;
			play.textContent = "Pause";
			timer = setInterval(step, 700);
			return step();
		});

		const keep = () => {
			texts.x = state.x.flat(2).join();
			if (state.w) texts.w = state.w.flat(3).join();
			changed(texts);
		};

		const edit = (cell) => {
			const { name, key: [c, r, k] } = cell.place;
			if (name === "output" || cell.classList.contains("ex-border") || cell.querySelector("input")) return;
			const numbers = name === "input" ? state.x[c] : plane(c);
			const input = element("input", { value: numbers[r][k], "aria-label": `${name}, row ${r}, column ${k}`, inputmode: "decimal" });
			const done = (value) => {
				if (value !== null && value.trim() !== "" && Number.isFinite(Number(value))) {
					numbers[r][k] = Number(value);
					compute();
					keep();
				}
				draw();
				cell.focus();
			};
			input.addEventListener("keydown", (event) => {
				event.stopPropagation();
				if (event.key === "Enter") done(input.value);
				if (event.key === "Escape") done(null);
			});
			input.addEventListener("blur", () => { if (input.isConnected) done(input.value); });
			cell.replaceChildren(input);
			input.focus();
			input.select();
		};

		panels.addEventListener("keydown", (event) => {
			const cell = event.target.closest(".ex-cell");
			if (!cell || !state) return;
			const moves = { ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0], ArrowLeft: [0, 0, -1], ArrowRight: [0, 0, 1], PageUp: [-1, 0, 0], PageDown: [1, 0, 0] };
			const { name, key } = cell.place;
			if (event.key === "Enter" || event.key === " ") {
				event.preventDefault();
				edit(cell);
				return;
			}
			if (event.key === "Escape" && state.pointed) moveTo(state.cell, true);
			if (!(event.key in moves)) return;
			event.preventDefault();
			const next = key.map((one, axis) => one + moves[event.key][axis]);
			const target = grids[name].get(next.join());
			if (!target) return;
			stop();
			if (name === "output") moveTo(next, true);
			else {
				state.focus[name] = next.join();
				if (name === "input") point(target);
				else draw(false);
				target.focus();
			}
		});

		const point = (cell) => {
			const { key } = cell.place;
			state.pointed = cell.classList.contains("ex-border") ? null : key;
			state.focus.input = key.join();
			draw();
		};

		const over = (target) => {
			const cell = target?.closest?.(".ex-cell");
			if (!cell || !state || !panels.contains(cell) || cell.querySelector("input")) return;
			stop();
			if (cell.place.name === "output") moveTo(cell.place.key);
			if (cell.place.name === "input") point(cell);
		};
		panels.addEventListener("pointerover", (event) => { if (event.pointerType !== "touch") over(event.target); });
		panels.addEventListener("pointerleave", () => { if (state?.pointed) moveTo(state.cell); });
		panels.addEventListener("pointermove", (event) => { if (event.pointerType === "touch") over(document.elementFromPoint(event.clientX, event.clientY)); });
		panels.addEventListener("click", (event) => {
			const cell = event.target.closest(".ex-cell");
			if (!cell || !state) return;
			const again = state.last === cell;
			state.last = cell;
			if (cell.place.name === "output") moveTo(cell.place.key, true);
			else if (again) edit(cell);
			else {
				if (cell.place.name === "input") point(cell);
				cell.focus();
			}
		});

		presets.addEventListener("change", () => {
			const name = presets.value;
			presets.value = "";
			if (!state || !name) return;
			const { setting } = state;
			if (name in KERNELS && state.w && setting.kernel_size.join() === "3,3") state.w = fill(weightShape(setting), (o, i, r, k) => KERNELS[name][r][k]);
			else if (name in KERNELS) { sum.textContent = "The kernels of the presets are 3x3: set kernel_size to 3."; return; }
			if (name === "picture") state.x = picture(setting.input);
			if (name.startsWith("empty")) state.x = fill(setting.input, () => 0);
			compute();
			keep();
			draw();
		});

		/** Show a setting; what cannot be drawn is said. */
		const show = (next) => {
			texts = next;
			const { setting } = read(texts);
			const found = setting && arithmetic.layer(setting);
			stop();
			if (!found || found.error) {
				place.classList.add("ex-stale"); // the last drawing stays, pale, while a number is being typed
				return;
			}
			const cells = size(found.shape), shown = Math.max(...setting.input.slice(1), ...found.shape.slice(1));
			const large = cells > MOST.cells || size(setting.input) > MOST.cells || shown > MOST.size || Math.max(setting.input[0], found.shape[0]) > MOST.channels;
			place.classList.remove("ex-stale");
			place.classList.toggle("ex-large", large);
			if (large) {
				state = null;
				sum.textContent = `Too large to draw every number: the input is ${setting.input.join("x")}, the output ${found.shape.join("x")}. Up to ${MOST.channels} channels of ${MOST.size}x${MOST.size} are drawn.`;
				panels.replaceChildren();
				return;
			}
			const shape = arithmetic.isPool(setting) ? null : weightShape(setting);
			const x = listed(texts.x, setting.input) ?? firstInput(setting.input);
			const w = shape && (listed(texts.w, shape) ?? firstWeights(shape));
			const b = shape && setting.bias ? Array.from({ length: setting.out_channels }, () => 0) : null;
			const cell = (state?.cell ?? [0, 0, 0]).map((one, axis) => Math.min(one, found.shape[axis] - 1));
			state = { setting, found, x, w, b, cell, pointed: null, focus: {}, last: null, never: new Set() };
			for (const name of Object.keys(grids)) delete grids[name];
			build();
			compute();
			draw();
		};

		show(texts);
		return { show };
	};

	return { mount };
})();
