/* The player: a layer on an input with numbers, and a window that moves by pointer, keys or itself. */
window.Explorer ??= {};
Explorer.player = (() => {
"use strict";
const { along, axisReads, code, feeds, forward, isPool, isTransposed, layer, range, sides, source, value } = Explorer.arithmetic;
const { box, button, check, element, menu, tell } = Explorer.controls;
const { read } = Explorer.address;

const KERNELS = {
	edge: [-1, -1, -1, -1, 8, -1, -1, -1, -1],
	blur: range(9).map(() => 1 / 9),
	sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
	Sobel: [1, 0, -1, 2, 0, -2, 1, 0, -1],
};
// A pavilion of 16 x 16 pixels. Photograph: danielbuechele, CC BY 2.0, in scikit-learn.
const PHOTOGRAPH = "9999999995489999999999986643699999998655333333689999811112222226899998122234246979996312233332464789621112222245347873011223224533356111143334563454211113333346455322333444333456662101122112233666100000010125343211111223444633323223233323343332221333344443";
const fill = ([length, ...rest], make, ...at) => range(length).map((one) => (rest.length ? fill(rest, make, ...at, one) : make(...at, one)));
const size = (shape) => shape.reduce((product, one) => product * one, 1);

/** Numbers of an address: as many as the shape has, or one for all. */
const listed = (text, shape) => {
	const numbers = (text || "none").split(",").map((one) => (one.trim() === "" ? NaN : Number(one)));
	if (!numbers.every(Number.isFinite) || (numbers.length !== size(shape) && numbers.length !== 1)) return undefined;
	return fill(shape, () => (numbers.length > 1 ? numbers.shift() : numbers[0]));
};
/** Numbers by their name; the photograph and the kernels have a size. */
const named = (text, shape) => {
	const side = shape.slice(-2).join();
	if (text === "photograph" && side === "16,16") return fill(shape, (c, r, k) => Number(PHOTOGRAPH[16 * r + k]));
	return Object.hasOwn(KERNELS, text ?? "") && side === "3,3" ? fill(shape, (o, i, r, k) => KERNELS[text][3 * r + k]) : undefined;
};
const weightShape = ({ op, input, out_channels, groups, kernel_size }) => (op === "conv2d"
	? [out_channels, input[0] / groups, ...kernel_size] : [input[0], out_channels / groups, ...kernel_size]);

/** Whether all numbers of a setting can be drawn. */
const drawable = (setting) => {
	const found = setting && layer(setting);
	if (!found || found.error) return false;
	const { input, kernel_size } = setting;
	return Math.max(size(found.shape), size(input)) <= 1200 && Math.max(input[0], found.shape[0]) <= 4
		&& Math.max(...input.slice(1), ...found.shape.slice(1), ...kernel_size, ...sides(setting).flat()) <= 34;
};

// Two decimals, or two digits of what is smaller than one.
const round = (number) => (Number.isInteger(number) || !Number.isFinite(number) ? number
	: Math.abs(number) < 1 ? Number(number.toPrecision(2)) : Math.round(number * 100) / 100);
const say = (number) => String(round(number)).replace("-", "−").replace("Infinity", "∞");
const factor = (number) => (number < 0 ? `(${say(number)})` : say(number));
const few = (texts, most, between) => texts.slice(0, most).join(between) + (texts.length > most ? ` and ${texts.length - most} more` : "");

const mount = (place, { texts, changed }) => {
	const panels = box("ex-panels");
	const sum = element("p", { class: "ex-sum", "aria-live": "polite" });
	const caption = element("p", { class: "ex-caption", role: "status" });
	const help = element("p", { class: "ex-help" });
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
			const group = groups > 1 ? ` ex-group-${Math.floor(c / (channels / groups)) % 3}` : "";
			return box(`ex-block${group}`, box("ex-title", title),
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
	const isEdited = () => panels.querySelector("input");

	/** The slice of the kernel that makes the output channel at hand. */
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
		const [row, column] = [[r, 1], [k, 2]].map(([at, axis]) => source(at, along(setting, axis - 1), setting.padding_mode));
		return isPool(setting) || row < 0 || column < 0 ? 0 : x[c][row][column];
	};

	const groupOf = (channel, name) => Math.floor(channel / (state.setting[name][0] ?? state.setting[name]) * state.setting.groups);
	const reaches = (channel, out) => (isPool(state.setting) ? channel === out : groupOf(channel, "input") === groupOf(out, "out_channels"));
	const sliceOf = (channel) => channel % (state.setting.input[0] / state.setting.groups);

	/** Write numbers and marks into the cells where they have changed. */
	const draw = () => {
		const { setting, found, cell, pointed } = state;
		const { terms, value: result, count } = value(setting, state.x, state.w, state.b, cell);
		const fed = pointed ? feeds(setting, found.shape, pointed.slice(1)) : [];
		const marked = {
			input: { never: state.never, read: new Set(terms.map((term) => [term.read.channel, ...term.read.at].join())), fed: new Set([pointed?.join()]) },
			kernel: { read: new Set(terms.map((term) => term.read.kernel.join())), fed: new Set(fed.map(([, , r, k]) => (reaches(pointed[0], cell[0]) ? `${sliceOf(pointed[0])},${r},${k}` : ""))) },
			bias: { read: new Set([`0,0,${cell[0]}`]) },
			output: { made: new Set([cell.join()]), fed: new Set(fed.flatMap(([r, k]) => state.y.map((_, c) => (reaches(pointed[0], c) ? `${c},${r},${k}` : "")))) },
		};
		panels.classList.toggle("ex-pointing", Boolean(pointed));
		for (const [name, cells] of Object.entries(grids)) {
			const numbers = [...cells.values()].map((one) => number(name, one.place.key));
			const finite = numbers.filter(Number.isFinite);
			const low = Math.min(...finite), high = Math.max(...finite);
			const stop = cells.has(state.focus[name]) ? state.focus[name] : [...cells.keys()].find((key) => !isBorder(cells.get(key)));
			let longest = 0;
			[...cells].forEach(([key, one], index) => {
				const text = say(numbers[index]);
				const marks = [isBorder(one) && "border", ...Object.entries(marked[name]).map(([mark, keys]) => keys.has(key) && mark)].filter(Boolean);
				const shade = high > low ? Math.round(100 * Math.max(0, numbers[index] - low) / (high - low)) : high > 0 ? 100 : 0;
				longest = Math.max(longest, text.length);
				one.tabIndex = key === (name === "output" ? cell.join() : stop) ? 0 : -1;
				const drawn = [text, shade, ...marks].join();
				if (one.drawn === drawn || one.querySelector("input")) return;
				one.drawn = drawn;
				one.textContent = text;
				one.style.setProperty("--shade", `${shade}%`);
				one.className = ["ex-cell", ...marks.map((mark) => `ex-${mark}`)].join(" ");
				if (marks.length) one.setAttribute("aria-label", [text, ...marks].join(", "));
				else one.removeAttribute("aria-label");
			});
			panels.querySelector(`.ex-${name}`).style.setProperty("--longest", longest);
		}
		tell(sum, pointed ? wherePointed(fed) : sentence(terms, result, count));
		const lost = state.lost.map((name) => ` The numbers ${name} do not fit: others are shown.`).join("");
		const whose = state.w && found.shape[0] > 1 ? ` The kernel is that of output channel ${cell[0]}.` : "";
		tell(caption, `${code(setting)}: input ${setting.input.join("x")}, output ${found.shape.join("x")}.${whose}${state.never.size ? " Hatched cells are never read." : ""}${lost}`);
	};

	/** What an output cell is computed from, with its numbers. */
	const sentence = (terms, result, count) => {
		const { setting, found, cell: [c, row, column], b } = state;
		const start = `Output ${found.shape[0] > 1 ? `channel ${c}, ` : ""}row ${row}, column ${column} `;
		const [rows, columns] = [[row, "row"], [column, "column"]].map(([out, name], axis) => {
			const all = [...new Set(axisReads(setting, out, axis).map(({ at }) => at))].sort((one, other) => one - other);
			return all.length && `${name}${all.length > 1 ? "s" : ""} ${few(all.map(say), 6, ", ")}`;
		});
		if (!rows || !columns) return `${start}reads no input: ${say(result)}`;
		const numbers = few(terms.map((term) => say(term.number)), 27, setting.op === "max_pool2d" ? ", " : " + ");
		const products = few(terms.map((term) => `${factor(term.number)}·${factor(term.weight)}`), 27, " + ");
		const exact = [result, ...terms.flatMap((term) => [term.number, term.weight])].every((one) => !Number.isFinite(one) || Math.abs(round(one) - one) < 1e-9);
		return `${start}reads input ${rows} and ${columns}: ${setting.op === "max_pool2d" ? `the largest of ${numbers} is`
			: `${setting.op === "avg_pool2d" ? `(${numbers}) / ${count}` : products}${b ? ` + bias ${say(b[c])}` : ""} ${exact ? "=" : "≈"}`} ${say(result)}`;
	};

	/** Where an input cell goes, and so where its gradient comes from. */
	const wherePointed = (fed) => {
		const { setting, found, pointed: [channel, r, k], cell: [c] } = state;
		const start = `Input ${setting.input[0] > 1 ? `channel ${channel}, ` : ""}row ${r}, column ${k}`;
		if (!fed.length) return `${start} goes into no output: its gradient is 0.`;
		if (!reaches(channel, c)) return `${start} does not go into output channel ${c}.`;
		const outputs = new Set(fed.map(([row, column]) => `(${row}, ${column})`));
		const goes = `${start} goes into ${outputs.size} output${outputs.size === 1 ? "" : "s"}${found.shape[0] > 1 ? ` of channel ${c}` : ""}: `;
		if (!isPool(setting)) return `${goes}${few(fed.map(([row, column, u, v]) => `(${row}, ${column}) with weight ${say(plane(sliceOf(channel))[u][v])}`), 9, ", ")}. Its gradient is the sum of theirs, each times that weight.`;
		return `${goes}${few([...outputs], 9, ", ")}. ${setting.op === "max_pool2d" ? "It gets the gradient where it is the first of the largest" : "Each sends back its gradient, divided by its count"}.`;
	};

	const compute = () => {
		const { setting, found } = state;
		state.y = forward(setting, state.x, state.w, state.b);
		const seen = [0, 1].map((axis) => new Set(range(found.shape[axis + 1]).flatMap((out) => axisReads(setting, out, axis).map(({ at }) => at))));
		state.never = new Set([...grids.input].filter(([, { place: { key } }]) => !seen[0].has(key[1]) || !seen[1].has(key[2])).map(([key]) => key));
		draw();
	};

	const stop = () => {
		clearInterval(timer);
		timer = 0;
		play.textContent = "Play";
		sum.setAttribute("aria-live", "polite");
	};

	const moveTo = (cell, { focus, hover } = {}) => {
		state.cell = cell;
		state.pointed = null;
		draw();
		if (focus) grids.output.get(cell.join()).focus();
		texts.cell = cell.join();
		if (!hover) changed(texts, { later: true });
	};

	const step = () => {
		if (!state) return;
		const keys = [...grids.output.keys()];
		moveTo(keys[(keys.indexOf(state.cell.join()) + 1) % keys.length].split(",").map(Number));
	};

	const play = button("Play", () => {
		if (timer || !state) { stop(); return; }
		play.textContent = "Pause";
		sum.setAttribute("aria-live", "off"); // nobody can listen that fast
		timer = setInterval(step, 700);
		step();
	}, { class: "ex-play" });

	const KEYS = { input: "x", kernel: "w", bias: "b" };
	const keep = (key) => {
		texts[key] = state[key].flat(3).join();
		state.lost = state.lost.filter((name) => name !== key);
		changed(texts);
	};

	const put = ({ place: { name, key: [c, r, k] } }, to) => {
		const row = name === "input" ? state.x[c][r] : name === "bias" ? state.b : plane(c)[r];
		row[k] = to;
		keep(KEYS[name]);
		compute();
	};

	const edit = (cell) => {
		const { name, key } = cell.place;
		if (name === "output" || isBorder(cell)) return;
		stop();
		const input = element("input", { value: number(name, key), "aria-label": `${name}, row ${key[1]}, column ${key[2]}`, autocomplete: "off" });
		const mine = state;
		let open = true;
		const close = (text) => {
			if (!open || state !== mine) return ""; // the blur of a field that is taken away
			open = false;
			const to = Number(text.trim().replace("−", "-").replace(",", "."));
			cell.drawn = null;
			input.remove();
			if (text.trim() !== "" && Number.isFinite(to) && to !== number(name, key)) put(cell, to);
			else draw();
			return Number.isFinite(to) ? "" : `${text} is not a number: the old one stays.`;
		};
		input.addEventListener("keydown", (event) => {
			event.stopPropagation();
			if (event.key !== "Enter" && event.key !== "Escape") return;
			const note = close(event.key === "Enter" ? input.value : "");
			cell.focus();
			if (note) tell(sum, note);
		});
		input.addEventListener("blur", () => close(input.value));
		cell.replaceChildren(input);
		input.focus();
		input.select();
	};

	const point = (cell) => {
		state.pointed = isBorder(cell) ? null : cell.place.key;
		state.focus.input = cell.place.key.join();
		draw();
	};

	/** The cell that an event is at, or that lies under its pointer. */
	const cellAt = (event, under) => {
		const cell = (under ? document.elementFromPoint(event.clientX, event.clientY) : event.target)?.closest?.(".ex-cell");
		return state && cell && panels.contains(cell) && !isEdited() ? cell : null;
	};

	panels.addEventListener("keydown", (event) => {
		const cell = cellAt(event);
		if (!cell) return;
		const { name, key } = cell.place;
		if (event.key === "Enter" || event.key === " ") edit(cell);
		else {
			const move = { ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0], ArrowLeft: [0, 0, -1], ArrowRight: [0, 0, 1], PageUp: [-1, 0, 0], PageDown: [1, 0, 0] }[event.key];
			if (!move) return;
			const next = key.map((one, axis) => one + move[axis]);
			const target = grids[name].get(next.join());
			stop();
			if (target && name === "output") moveTo(next, { focus: true });
			else target?.focus();
		}
		event.preventDefault();
	});
	panels.addEventListener("focusin", (event) => {
		const cell = cellAt(event);
		if (!cell) return;
		const { name, key } = cell.place;
		state.focus[name] = key.join();
		if (name === "input") point(cell);
		else {
			state.pointed = null;
			draw();
		}
	});

	/** Draw from the cell painted last to this one. */
	const paint = (cell) => {
		const { key } = cell.place, from = held.last ?? key;
		const steps = Math.max(...key.map((one, axis) => Math.abs(one - from[axis])), 1);
		for (const step of range(steps + 1)) {
			const [, r, k] = key.map((one, axis) => Math.round(from[axis] + (one - from[axis]) * step / steps));
			if (isInside([0, r, k])) state.x[key[0]][r][k] = held.paint;
		}
		held.last = key;
		compute();
	};

	panels.addEventListener("pointerdown", (event) => {
		const cell = cellAt(event);
		if (!cell) return;
		const { name, key } = cell.place;
		if (draws.field.checked && name === "input" && !isBorder(cell)) {
			held = { paint: number(name, key) === 9 ? 0 : 9 };
			paint(cell);
		} else if (name === "output" && (event.pointerType === "mouse" || cell.classList.contains("ex-made"))) held = {};
		else if (name === "input" && cell.classList.contains("ex-read") && !isTransposed(state.setting)) held = { from: key, cell: state.cell };
		stop();
		if (held) event.target.releasePointerCapture?.(event.pointerId);
	});
	panels.addEventListener("pointermove", (event) => {
		const cell = held && cellAt(event, true);
		if (!cell) return;
		const { name, key } = cell.place;
		if ("paint" in held) {
			if (name === "input" && held.last?.[0] === key[0] && held.last.join() !== key.join()) paint(cell);
		} else if (name === "output" && !held.from) moveTo(key);
		else if (held.from && name === "input") {
			const { setting, found } = state;
			const next = held.cell.map((one, axis) => (axis ? Math.min(Math.max(one + Math.round((key[axis] - held.from[axis]) / setting.stride[axis - 1]), 0), found.shape[axis] - 1) : one));
			if (state.pointed || next.join() !== state.cell.join()) moveTo(next);
		}
	});
	panels.addEventListener("pointerover", (event) => {
		const cell = cellAt(event);
		if (held || timer || event.pointerType === "touch" || !cell) return;
		if (cell.place.name === "output") moveTo(cell.place.key, { hover: true });
		if (cell.place.name === "input") point(cell);
	});
	const leave = (inside) => { if (state?.pointed && !panels.contains(inside)) { state.pointed = null; draw(); } };
	panels.addEventListener("pointerleave", () => leave(document.activeElement));
	panels.addEventListener("focusout", (event) => leave(event.relatedTarget));
	for (const end of ["pointerup", "pointercancel"]) {
		window.addEventListener(end, () => {
			if (held && "paint" in held) keep("x");
			held = null;
		});
	}
	panels.addEventListener("click", (event) => {
		const cell = cellAt(event);
		if (!cell || (draws.field.checked && cell.place.name === "input")) return;
		const again = state.last === cell;
		state.last = cell;
		if (cell.place.name === "output") moveTo(cell.place.key, { focus: true });
		else if (again) edit(cell);
		else cell.focus();
	});

	const presets = menu("Presets", [...Object.keys(KERNELS), "photograph", "draw your own"], (name) => {
		const kernel = name in KERNELS;
		const clear = () => { for (const key of Object.keys(texts)) if (key !== "layers" && key !== "show") delete texts[key]; };
		const set = () => Object.assign(texts, kernel ? { kernel_size: "3", w: name }
			: { input: "1x16x16", out_channels: "1", groups: "1", show: "grey", x: name === "photograph" ? name : "0" });
		if (!drawable(read(texts).setting) || (kernel && isPool({ op: "", ...texts }))) clear();
		set();
		if (!drawable(read(texts).setting)) { clear(); set(); }
		if (!kernel && draws.field.checked !== (name === "draw your own")) draws.field.click();
		changed(texts, { refill: true });
		show(texts);
	});
	place.append(presets, box("ex-bar", play, button("Step", () => { stop(); step(); }, { class: "ex-step" }), shades.label, draws.label), box("ex-view", panels, sum), caption, help);

	/** Show a setting; what cannot be drawn is said. */
	const show = (next) => {
		texts = next;
		const { setting } = read(texts);
		const found = setting && layer(setting);
		stop();
		// The last drawing stays, pale, while a number is typed.
		panels.inert = place.classList.toggle("ex-stale", !found || Boolean(found.error));
		if (panels.inert) {
			state = null;
			return;
		}
		place.classList.toggle("ex-large", !drawable(setting));
		if (!drawable(setting)) {
			state = null;
			panels.replaceChildren();
			tell(sum, "Too large to draw: up to 4 channels of 34x34, and 1,200 numbers.");
			return;
		}
		const shape = isPool(setting) ? null : weightShape(setting);
		const lost = [];
		const numbers = (name, its, usual) => {
			const got = named(texts[name], its) ?? listed(texts[name], its);
			if (!got && texts[name]) lost.push(name);
			return got ?? fill(its, usual);
		};
		const focused = panels.contains(document.activeElement) && document.activeElement.place;
		state = {
			setting, found, lost, pointed: null, focus: {}, last: null,
			x: numbers("x", setting.input, (c, r, k) => (3 * r + 5 * k + 2 * r * k + 4 * c) % 10),
			w: shape && numbers("w", shape, (o, i, r, k) => ((r + 2 * k + o + i) % 3) - 1),
			b: shape && setting.bias ? numbers("b", [setting.out_channels], () => 0) : null,
			cell: (listed(texts.cell, [3]) ?? [0, 0, 0]).map((one, axis) => Math.min(Math.max(Math.trunc(one), 0), found.shape[axis] - 1)),
		};
		shades.field.checked = panels.classList.toggle("ex-shades", texts.show === "grey");
		help.textContent = `${isTransposed(setting) ? "Point at a cell of the output" : "Drag the window"}, or use the arrow keys in the output. Point at an input cell to see where it goes. Click again, or press Enter, to edit a number.`;
		if (texts.cell) texts.cell = state.cell.join();
		build();
		compute();
		if (focused) (grids[focused.name]?.get(focused.key.join()) ?? grids.output.get(state.cell.join())).focus();
	};

	show(texts);
	return { show };
};

return { mount };
})();
