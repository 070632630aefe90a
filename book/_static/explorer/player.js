/* The player: a layer on an input with numbers, and a window that moves by pointer, keys or itself. */
window.Explorer ??= {};
Explorer.player = (() => {
"use strict";
const { axisReads, code, feeds, forward, isPool, isTransposed, layer, range, sides, source, value } = Explorer.arithmetic;
const { box, button, check, element, menu } = Explorer.controls;
const { read } = Explorer.address;

const KERNELS = {
	edge: [-1, -1, -1, -1, 8, -1, -1, -1, -1],
	blur: [1, 1, 1, 1, 1, 1, 1, 1, 1],
	sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
	Sobel: [1, 0, -1, 2, 0, -2, 1, 0, -1],
};
// A pavilion of 16 x 16 pixels. Photograph: danielbuechele, CC BY 2.0, in scikit-learn.
const PHOTOGRAPH = "9999999995489999999999986643699999998655333333689999811112222226899998122234246979996312233332464789621112222245347873011223224533356111143334563454211113333346455322333444333456662101122112233666100000010125343211111223444633323223233323343332221333344443";
const fill = ([length, ...rest], make, ...at) => range(length).map((one) => (rest.length ? fill(rest, make, ...at, one) : make(...at, one)));
const size = (shape) => shape.reduce((product, one) => product * one, 1);

const firstInput = (shape) => fill(shape, (c, r, k) => (3 * r + 5 * k + 2 * r * k + 4 * c) % 10);
const firstWeights = (shape) => fill(shape, (o, i, r, k) => ((r + 2 * k + o + i) % 3) - 1);

// Numbers of an address: as many as the shape has, or one for all.
const listed = (text, shape) => {
	const numbers = (text || "none").split(",").map((one) => (one.trim() === "" ? NaN : Number(one)));
	if (!numbers.every(Number.isFinite) || (numbers.length !== size(shape) && numbers.length !== 1)) return undefined;
	return fill(shape, () => (numbers.length > 1 ? numbers.shift() : numbers[0]));
};
const inputOf = (text, shape) => (text === "photograph" && shape.slice(1).join() === "16,16"
	? fill(shape, (c, r, k) => Number(PHOTOGRAPH[16 * r + k])) : listed(text, shape) ?? firstInput(shape));
const weightsOf = (text, shape) => (Object.hasOwn(KERNELS, text ?? "") && shape.slice(2).join() === "3,3"
	? fill(shape, (o, i, r, k) => KERNELS[text][3 * r + k]) : listed(text, shape) ?? firstWeights(shape));
const weightShape = ({ op, input, out_channels, groups, kernel_size }) => (op === "conv2d"
	? [out_channels, input[0] / groups, ...kernel_size] : [input[0], out_channels / groups, ...kernel_size]);

const say = (number) => String(Math.round(number * 100) / 100).replace("-", "−").replace("Infinity", "∞");
const factor = (number) => (number < 0 ? `(${say(number)})` : say(number));
const few = (texts, most, between) => texts.slice(0, most).join(between) + (texts.length > most ? ` and ${texts.length - most} more` : "");

const mount = (place, { texts, changed }) => {
	const panels = box("ex-panels");
	const sum = element("p", { class: "ex-sum", "aria-live": "polite" });
	const caption = element("p", { class: "ex-caption" });
	const help = element("p", { class: "ex-help" }, "Drag the window, or move it with the arrow keys in the output. Point at an input cell to see where it goes. A second click, or Enter, edits a number.");
	const shades = check("as grey levels", (on) => { panels.classList.toggle("ex-shades", on); texts.show = on ? "grey" : ""; changed(texts); });
	const draws = check("draw on the input", (on) => panels.classList.toggle("ex-drawing", on));
	let state = null, timer = 0, held = null;
	const grids = {}; // name → Map("c,r,k" → element)

	const grid = (name, [channels, height, width], { from = [0, 0], groups = 1 } = {}) => {
		const cells = grids[name] = new Map();
		const make = (...key) => {
			const cell = element("div", { role: "gridcell", tabindex: "-1" });
			cell.place = { name, key };
			cells.set(key.join(), cell);
			return cell;
		};
		return box(`ex-panel ex-${name}`, ...range(channels).map((c) => {
			const title = channels > 1 ? `${name}, channel ${c}` : name;
			return element("div", { class: `ex-block${groups > 1 ? ` ex-group-${Math.floor(c / (channels / groups)) % 3}` : ""}` }, box("ex-title", title),
				element("div", { role: "grid", "aria-label": `${title}, ${height} x ${width}`, style: `--columns: ${width}` },
					...range(height).map((r) => element("div", { role: "row" }, ...range(width).map((k) => make(c, r + from[0], k + from[1]))))));
		}));
	};

	const build = () => {
		const { setting, found } = state;
		const { groups, input } = setting;
		const added = found.sides.map((pair) => pair.map((one) => (isTransposed(setting) ? 0 : Math.max(one, 0))));
		for (const name of Object.keys(grids)) delete grids[name];
		panels.replaceChildren(...[
			grid("input", input.map((one, axis) => (axis ? one + added[axis - 1][0] + added[axis - 1][1] : one)), { from: added.map(([before]) => -before), groups }),
			state.w && grid("kernel", [input[0] / groups, ...setting.kernel_size]),
			state.b && grid("bias", [1, 1, setting.out_channels]),
			grid("output", found.shape, { groups }),
		].filter(Boolean));
	};

	const isInside = ([, r, k]) => r >= 0 && k >= 0 && r < state.setting.input[1] && k < state.setting.input[2];
	const isBorder = (cell) => cell.place.name === "input" && !isInside(cell.place.key);

	// The slice of the kernel that makes the output channel at hand.
	const plane = (slice) => {
		const { setting: { op, input, out_channels, groups }, w, cell: [c] } = state;
		const per = out_channels / groups;
		return op === "conv2d" ? w[c][slice] : w[Math.floor(c / per) * (input[0] / groups) + slice][c % per];
	};

	const number = (name, [c, r, k]) => {
		const { setting, x, y, b } = state;
		if (name === "output") return y[c][r][k];
		if (name === "kernel") return plane(c)[r][k];
		if (name === "bias") return b[k];
		if (isInside([c, r, k])) return x[c][r][k];
		if (setting.op === "max_pool2d") return -Infinity;
		const [row, column] = [[r, 1], [k, 2]].map(([at, axis]) => source(at, setting.input[axis], setting.padding_mode));
		return isPool(setting) || row < 0 || column < 0 ? 0 : x[c][row][column];
	};

	const groupOf = (channel, name) => Math.floor(channel / (state.setting[name][0] ?? state.setting[name]) * state.setting.groups);
	const reaches = (channel, out) => (isPool(state.setting) ? channel === out : groupOf(channel, "input") === groupOf(out, "out_channels"));

	const sliceOf = (channel) => channel % (state.setting.input[0] / state.setting.groups);

	const draw = () => {
		const { setting, found, cell, pointed } = state;
		const { terms, value: result, count } = value(setting, state.x, state.w, state.b, cell);
		const fed = pointed ? feeds(setting, found.shape, pointed.slice(1)) : [];
		const marked = {
			input: { read: new Set(terms.map((term) => [term.read.channel, ...term.read.at].join())), never: state.never, fed: new Set([pointed?.join()]) },
			kernel: { read: new Set(terms.map((term) => term.read.kernel.join())), fed: new Set(fed.map(([, , r, k]) => (reaches(pointed[0], cell[0]) ? `${sliceOf(pointed[0])},${r},${k}` : ""))) },
			bias: { read: new Set([`0,0,${cell[0]}`]) },
			output: { made: new Set([cell.join()]), fed: new Set(fed.flatMap(([r, k]) => state.y.map((_, c) => (reaches(pointed[0], c) ? `${c},${r},${k}` : "")))) },
		};
		for (const [name, cells] of Object.entries(grids)) {
			const numbers = [...cells.values()].map((one) => number(name, one.place.key));
			const finite = numbers.filter(Number.isFinite);
			const low = Math.min(...finite), high = Math.max(...finite);
			const stop = cells.has(state.focus[name]) ? state.focus[name] : [...cells.keys()].find((key) => !isBorder(cells.get(key)));
			[...cells].forEach(([key, one], place) => {
				one.textContent = say(numbers[place]);
				one.style.setProperty("--shade", `${high > low ? Math.round(100 * Math.max(0, numbers[place] - low) / (high - low)) : 50}%`);
				one.className = `ex-cell${isBorder(one) ? " ex-border" : ""}${Object.entries(marked[name]).map(([mark, keys]) => (keys.has(key) ? ` ex-${mark}` : "")).join("")}`;
				one.tabIndex = key === (name === "output" ? cell.join() : stop) ? 0 : -1;
			});
		}
		sum.textContent = pointed ? wherePointed(fed) : sentence(terms, result, count);
		caption.textContent = `${code(setting)}: input ${setting.input.join("x")}, output ${found.shape.join("x")}.${state.never.size ? " Hatched cells are never read." : ""}`;
	};

	const sentence = (terms, result, count) => {
		const { setting, found, cell: [c, row, column], b } = state;
		const along = (axis, out) => few([...new Set(axisReads(setting, out, axis).map(({ at }) => say(at)))], 6, ", ") || "none";
		const where = `Output ${found.shape[0] > 1 ? `channel ${c}, ` : ""}row ${row}, column ${column} reads input rows ${along(0, row)} and columns ${along(1, column)}:`;
		const numbers = few(terms.map((term) => say(term.number)), 12, setting.op === "max_pool2d" ? ", " : " + ");
		if (setting.op === "max_pool2d") return `${where} the largest of ${numbers} is ${say(result)}`;
		if (setting.op === "avg_pool2d") return `${where} (${numbers}) / ${count} = ${say(result)}`;
		const products = few(terms.map((term) => `${factor(term.number)}·${factor(term.weight)}`), 12, " + ");
		return `${where} ${products || "nothing"}${b ? ` + bias ${say(b[c])}` : ""} = ${say(result)}`;
	};

	const wherePointed = (fed) => {
		const { setting, pointed: [channel, r, k], cell: [c] } = state;
		if (!fed.length) return `Input row ${r}, column ${k} is never read: its gradient is 0.`;
		const outputs = new Set(fed.map(([row, column]) => `${row},${column}`)).size;
		const start = `Input row ${r}, column ${k} takes part in ${outputs} ${outputs === 1 ? "output" : "outputs"} of each channel that reads it.`;
		if (setting.op === "max_pool2d") return `${start} It gets the gradient of those in which it is the largest.`;
		if (setting.op === "avg_pool2d") return `${start} It gets its share of the gradient of each.`;
		if (!reaches(channel, c)) return `${start} Output channel ${c} does not.`;
		const from = state.found.shape[0] > 1 ? ` from output channel ${c}` : "";
		return `${start} With gradients g of the outputs, its own${from} is ${few(fed.map(([row, column, u, v]) => `${factor(plane(sliceOf(channel))[u][v])}·g(${row}, ${column})`), 9, " + ")}.`;
	};

	const compute = () => {
		const { setting, found } = state;
		state.y = forward(setting, state.x, state.w, state.b);
		const read = [0, 1].map((axis) => new Set(range(found.shape[axis + 1]).flatMap((out) => axisReads(setting, out, axis).map(({ at }) => at))));
		state.never = new Set([...grids.input].filter(([, { place: { key } }]) => !read[0].has(key[1]) || !read[1].has(key[2])).map(([key]) => key));
		draw();
	};

	const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; };

	const moveTo = (cell, focus) => {
		state.cell = cell;
		state.pointed = null;
		draw();
		if (focus) grids.output.get(cell.join()).focus();
		texts.cell = cell.join();
		changed(texts, { later: true });
	};

	const step = () => {
		if (!state) return;
		const keys = [...grids.output.keys()];
		moveTo(keys[(keys.indexOf(state.cell.join()) + 1) % keys.length].split(",").map(Number));
	};

	const play = button("Play", () => {
		if (timer) { stop(); return; }
		play.textContent = "Pause";
		timer = setInterval(step, 700);
		step();
	}, { class: "ex-play" });

	const keep = () => {
		for (const name of ["x", "w", "b"]) if (state[name]) texts[name] = state[name].flat(3).join();
		changed(texts);
	};

	const put = (cell, to) => {
		const { name, key: [c, r, k] } = cell.place;
		if (name === "input") state.x[c][r][k] = to;
		else if (name === "bias") state.b[k] = to;
		else plane(c)[r][k] = to;
		compute();
	};

	const edit = (cell) => {
		const { name, key } = cell.place;
		if (name === "output" || isBorder(cell) || cell.querySelector("input")) return;
		const input = element("input", { value: number(name, key), "aria-label": `${name}, row ${key[1]}, column ${key[2]}`, inputmode: "decimal" });
		const done = (text) => {
			if (text.trim() !== "" && Number.isFinite(Number(text))) {
				put(cell, Number(text));
				keep();
			} else draw();
		};
		input.addEventListener("keydown", (event) => {
			event.stopPropagation();
			if (event.key !== "Enter" && event.key !== "Escape") return;
			done(event.key === "Enter" ? input.value : "");
			cell.focus();
		});
		input.addEventListener("blur", () => { if (input.isConnected) done(input.value); });
		cell.replaceChildren(input);
		input.focus();
		input.select();
	};

	const point = (cell) => {
		state.pointed = isBorder(cell) ? null : cell.place.key;
		state.focus.input = cell.place.key.join();
		draw();
	};

	const cellAt = (event, under) => {
		const cell = (under ? document.elementFromPoint(event.clientX, event.clientY) : event.target)?.closest?.(".ex-cell");
		return state && cell && panels.contains(cell) && !cell.querySelector("input") ? cell : null;
	};

	panels.addEventListener("keydown", (event) => {
		const cell = cellAt(event);
		if (!cell) return;
		const { name, key } = cell.place;
		if (event.key === "Enter" || event.key === " ") edit(cell);
		else if (event.key === "Escape" && state.pointed) moveTo(state.cell, true);
		else {
			const move = { ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0], ArrowLeft: [0, 0, -1], ArrowRight: [0, 0, 1], PageUp: [-1, 0, 0], PageDown: [1, 0, 0] }[event.key];
			if (!move) return;
			const next = key.map((one, axis) => one + move[axis]);
			const target = grids[name].get(next.join());
			stop();
			if (target && name === "output") moveTo(next, true);
			else if (target) {
				state.focus[name] = next.join();
				if (name === "input") point(target);
				else draw();
				target.focus();
			}
		}
		event.preventDefault();
	});

	panels.addEventListener("pointerdown", (event) => {
		const cell = cellAt(event);
		if (!cell) return;
		const { name, key } = cell.place;
		if (draws.box.checked && name === "input" && !isBorder(cell)) {
			held = { paint: number(name, key) === 9 ? 0 : 9 };
			put(cell, held.paint);
		} else if (name === "output") held = {};
		else if (name === "input" && cell.classList.contains("ex-read") && !isTransposed(state.setting)) held = { from: key, cell: state.cell };
		if (held) event.target.releasePointerCapture?.(event.pointerId);
	});
	panels.addEventListener("pointermove", (event) => {
		const cell = held && cellAt(event, true);
		if (!cell) return;
		const { name, key } = cell.place;
		if ("paint" in held) {
			if (name === "input" && !isBorder(cell) && number(name, key) !== held.paint) put(cell, held.paint);
		} else if (name === "output") moveTo(key);
		else if (held.from && name === "input") {
			const { setting, found } = state;
			const next = held.cell.map((one, axis) => (axis ? Math.min(Math.max(one + Math.round((key[axis] - held.from[axis]) / setting.stride[axis - 1]), 0), found.shape[axis] - 1) : one));
			if (state.pointed || next.join() !== state.cell.join()) { stop(); moveTo(next); }
		}
	});
	panels.addEventListener("pointerover", (event) => {
		const cell = cellAt(event);
		if (held || event.pointerType === "touch" || !cell) return;
		stop();
		if (cell.place.name === "output") moveTo(cell.place.key);
		if (cell.place.name === "input") point(cell);
	});
	panels.addEventListener("pointerleave", () => { if (state?.pointed && !panels.contains(document.activeElement)) { state.pointed = null; draw(); } });
	for (const end of ["pointerup", "pointercancel"]) {
		window.addEventListener(end, () => {
			if (held && "paint" in held) keep();
			held = null;
		});
	}
	panels.addEventListener("click", (event) => {
		const cell = cellAt(event);
		if (!cell || (draws.box.checked && cell.place.name === "input")) return;
		const again = state.last === cell;
		state.last = cell;
		if (cell.place.name === "output") moveTo(cell.place.key, true);
		else if (again) edit(cell);
		else {
			state.focus[cell.place.name] = cell.place.key.join();
			if (cell.place.name === "input") point(cell);
			else draw();
			cell.focus();
		}
	});

	const presets = menu("Presets", [...Object.keys(KERNELS), "photograph", "draw your own"], (name) => {
		if (name in KERNELS) Object.assign(texts, { kernel_size: "3", w: name });
		else Object.assign(texts, { input: "1x16x16", groups: "1", show: "grey", x: name === "photograph" ? name : "0" });
		if (draws.box.checked !== (name === "draw your own")) draws.box.click();
		if (name in KERNELS && isPool({ op: "conv2d", ...texts })) texts.op = "conv2d";
		changed(texts, { refill: true });
		show(texts);
	});
	place.append(box("ex-bar", play, button("Step", () => { stop(); step(); }, { class: "ex-step" }), presets, shades.label, draws.label), panels, sum, caption, help);

	const show = (next) => {
		texts = next;
		const { setting } = read(texts);
		const found = setting && layer(setting);
		stop();
		place.classList.toggle("ex-stale", !found || Boolean(found.error)); // the last drawing stays, pale, while a number is typed
		if (!found || found.error) return;
		const { input } = setting, added = sides(setting).flat();
		const large = Math.max(size(found.shape), size(input)) > 400 || Math.max(input[0], found.shape[0]) > 4
			|| Math.max(...input.slice(1), ...found.shape.slice(1), ...setting.kernel_size, ...added) > 20;
		place.classList.toggle("ex-large", large);
		if (large) {
			state = null;
			panels.replaceChildren();
			sum.textContent = `Too large to draw every number: the output is ${found.shape.join("x")}. Up to 4 channels, 20x20 and 400 numbers are drawn.`;
			return;
		}
		const shape = isPool(setting) ? null : weightShape(setting);
		state = {
			setting, found, pointed: null, focus: {}, last: null,
			x: inputOf(texts.x, input),
			w: shape && weightsOf(texts.w, shape),
			b: shape && setting.bias ? listed(texts.b, [setting.out_channels]) ?? fill([setting.out_channels], () => 0) : null,
			cell: (listed(texts.cell, [3]) ?? [0, 0, 0]).map((one, axis) => Math.min(Math.max(Math.trunc(one), 0), found.shape[axis] - 1)),
		};
		shades.box.checked = panels.classList.toggle("ex-shades", texts.show === "grey");
		build();
		compute();
	};

	show(texts);
	return { show };
};

return { mount };
})();
