/* The player: a layer on an input with numbers, and a window that moves by pointer, keys or itself. */
window.Explorer ??= {};
Explorer.player = (() => {
"use strict";
const { axesOf, axisReads, clamp, feeds, forward, isPool, isTransposed, layer, plane, range, source, value, weightShape } = Explorer.arithmetic;
const { box, button, check, element, menu, plural, tell } = Explorer.controls;
const { code, find, read } = Explorer.address;

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

/** Whether all numbers of a setting can be drawn, of which `layer` finds this. */
const drawable = ({ setting, error, shape, axes }) => setting && !error
	&& Math.max(size(shape), size(setting.input)) <= 1200 && Math.max(setting.input[0], shape[0]) <= 4
	&& Math.max(...shape.slice(1), ...axes.flatMap((one) => [one.size, one.kernel, one.before, one.after])) <= 34;

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
	// What is drawn: a setting and its numbers, null where nothing is; the output cell at hand; an input cell that is pointed at.
	let setting, found, numbers = null, output, never, lost, cell, pointed, focus, last;
	let timer = 0, held = null;
	const grids = {}; // name → Map("c,r,k" → element)

	const grid = (name, [channels, height, width], { from = [0, 0], groups = 1 } = {}) => {
		const cells = grids[name] = new Map();
		const make = (...key) => {
			const made = element("div", { role: "gridcell", tabindex: "-1" });
			made.place = { name, key };
			cells.set(key.join(), made);
			return made;
		};
		return box(`ex-panel ex-${name}`, ...range(channels).map((c) => {
			const title = channels > 1 ? `${name}, channel ${c}` : name;
			const group = groups > 1 ? ` ex-group-${Math.floor(c / (channels / groups)) % 3}` : "";
			return box(`ex-block${group}`, box("ex-title", title),
				element("div", { role: "grid", "aria-label": `${title}, ${height} x ${width}, rows from ${say(from[0])}, columns from ${say(from[1])}`, style: `--columns: ${width}` },
					...range(height).map((r) => element("div", { role: "row" }, ...range(width).map((k) => make(c, r + from[0], k + from[1]))))));
		}));
	};

	const build = () => {
		const { groups, input, kernel_size } = setting;
		const added = found.axes.map(({ before, after }) => (isTransposed(setting) ? [0, 0] : [Math.max(before, 0), Math.max(after, 0)]));
		for (const name of Object.keys(grids)) delete grids[name];
		panels.replaceChildren(...[
			grid("input", [input[0], ...added.map(([before, after], axis) => input[axis + 1] + before + after)], { from: added.map(([before]) => -before), groups }),
			numbers.w && grid("kernel", [input[0] / groups, ...kernel_size]),
			numbers.b && grid("bias", [1, 1, setting.out_channels]),
			grid("output", found.shape, { groups }),
		].filter(Boolean));
		// A finger moves the window, or scrolls the page where the window covers half of the screen.
		panels.classList.toggle("ex-movable", !isTransposed(setting) && 33 * 33 * size(kernel_size) < innerWidth * innerHeight / 2);
	};

	const isInside = ([, r, k]) => r >= 0 && k >= 0 && r < setting.input[1] && k < setting.input[2];
	const isBorder = ({ place: { name, key } }) => name === "input" && !isInside(key);

	/** The list that holds a number of a panel, and the place in it; the kernel is that of the output channel at hand. */
	const rowOf = (name, [c, r, k]) => [name === "bias" ? numbers.b : (name === "output" ? output[c] : name === "kernel" ? plane(setting, numbers.w, cell[0], c) : numbers.x[c])[r], k];

	const number = (name, key) => {
		let [c, r, k] = key;
		if (name === "input" && !isInside(key)) {
			if (isPool(setting)) return setting.op === "max_pool2d" ? -Infinity : 0;
			[r, k] = axesOf(setting).map((axis, one) => source(key[one + 1], axis, setting.padding_mode));
			if (r < 0 || k < 0) return 0;
		}
		const [row, at] = rowOf(name, [c, r, k]);
		return row[at];
	};

	const reaches = (channel, out) => (isPool(setting) ? channel === out
		: Math.floor(channel * setting.groups / setting.input[0]) === Math.floor(out * setting.groups / setting.out_channels));
	const sliceOf = (channel) => channel % (setting.input[0] / setting.groups);

	/** Write numbers and marks into the cells where they have changed. */
	const draw = () => {
		const { terms, value: result, count } = value(setting, numbers.x, numbers.w, numbers.b, cell);
		const fed = pointed ? feeds(setting, found.shape, pointed.slice(1)) : [];
		const marked = {
			input: { never, read: new Set(terms.map((term) => [term.read.channel, ...term.read.at].join())), fed: new Set([pointed?.join()]) },
			kernel: { read: new Set(terms.map((term) => term.read.kernel.join())), fed: new Set(fed.map(([, , r, k]) => (reaches(pointed[0], cell[0]) ? `${sliceOf(pointed[0])},${r},${k}` : ""))) },
			bias: { read: new Set([`0,0,${cell[0]}`]) },
			output: { made: new Set([cell.join()]), fed: new Set(fed.flatMap(([r, k]) => output.map((_, c) => (reaches(pointed[0], c) ? `${c},${r},${k}` : "")))) },
		};
		panels.classList.toggle("ex-pointing", Boolean(pointed));
		for (const [name, cells] of Object.entries(grids)) {
			const all = [...cells.values()].map((one) => number(name, one.place.key)), finite = all.filter(Number.isFinite);
			const low = Math.min(...finite), high = Math.max(...finite);
			const stop = cells.has(focus[name]) ? focus[name] : [...cells.keys()].find((key) => !isBorder(cells.get(key)));
			let longest = 0;
			[...cells].forEach(([key, one], index) => {
				const text = say(all[index]);
				const marks = [isBorder(one) && "border", ...Object.entries(marked[name]).map(([mark, keys]) => keys.has(key) && mark)].filter(Boolean);
				const shade = high > low ? Math.round(100 * Math.max(0, all[index] - low) / (high - low)) : high > 0 ? 100 : 0;
				longest = Math.max(longest, text.length);
				one.tabIndex = key === (name === "output" ? cell.join() : stop) ? 0 : -1;
				const drawn = [text, shade, ...marks].join();
				if (one.drawn === drawn || one.querySelector("input")) return;
				one.drawn = drawn;
				one.textContent = text;
				one.style.setProperty("--shade", `${shade}%`);
				one.className = ["ex-cell", ...marks.map((mark) => `ex-${mark}`)].join(" ");
				one.ariaLabel = marks.length ? [text, ...marks].join(", ") : null;
			});
			panels.querySelector(`.ex-${name}`).style.setProperty("--longest", longest);
		}
		tell(sum, pointed ? wherePointed(fed) : sentence(terms, result, count));
		sum.style.minHeight = `${sum.offsetHeight}px`; // what is below moves at most once
		const whose = numbers.w && found.shape[0] > 1 ? ` The kernel is that of output channel ${cell[0]}.` : "";
		tell(caption, `${code(setting)}: input ${setting.input.join("x")}, output ${found.shape.join("x")}.${whose}${never.size ? " Hatched cells are never read." : ""}${lost.map((name) => ` The numbers ${name} do not fit: others are shown.`).join("")}`);
	};

	/** The place [channel, row, column] of a cell, one of several channels or of one. */
	const where = (name, channels, [c, r, k]) => `${name} ${channels > 1 ? `channel ${c}, ` : ""}row ${r}, column ${k}`;

	/** What an output cell is computed from, with its numbers. */
	const sentence = (terms, result, count) => {
		const start = where("Output", found.shape[0], cell);
		const [rows, columns] = ["row", "column"].map((name, axis) => {
			const all = [...new Set(axisReads(setting, cell[axis + 1], axis).map(({ at }) => at))].sort((one, other) => one - other);
			return all.length && `${name}${all.length > 1 ? "s" : ""} ${few(all.map(say), 6, ", ")}`;
		});
		if (!rows || !columns) return `${start} reads no input: ${say(result)}`;
		const largest = setting.op === "max_pool2d", pool = isPool(setting);
		const parts = few(terms.map((term) => (pool ? say(term.number) : `${factor(term.number)}·${factor(term.weight)}`)), 27, largest ? ", " : " + ");
		const exact = [result, ...terms.flatMap((term) => [term.number, term.weight])].every((one) => !Number.isFinite(one) || Math.abs(round(one) - one) < 1e-9);
		return `${start} reads input ${rows} and ${columns}: ${largest ? `the largest of ${parts} is`
			: `${pool ? `(${parts}) / ${count}` : parts}${numbers.b ? ` + bias ${say(numbers.b[cell[0]])}` : ""} ${exact ? "=" : "≈"}`} ${say(result)}`;
	};

	/** Where an input cell goes, and so where its gradient comes from. */
	const wherePointed = (fed) => {
		const start = where("Input", setting.input[0], pointed), channel = cell[0];
		if (!fed.length) return `${start} goes into no output: its gradient is 0.`;
		if (!reaches(pointed[0], channel)) return `${start} does not go into output channel ${channel}.`;
		const outputs = [...new Set(fed.map(([row, column]) => `(${row}, ${column})`))];
		const weighted = fed.map(([row, column, r, k]) => `(${row}, ${column}) with weight ${say(number("kernel", [sliceOf(pointed[0]), r, k]))}`);
		return `${start} goes into ${plural(outputs.length, "output")}${found.shape[0] > 1 ? ` of channel ${channel}` : ""}: ${few(isPool(setting) ? outputs : weighted, 9, ", ")}. ${
			{ max_pool2d: "It gets the gradient where it is the first of the largest", avg_pool2d: "Each sends back its gradient, divided by its count" }[setting.op] ?? "Its gradient is the sum of theirs, each times that weight"}.`;
	};

	const compute = () => {
		output = forward(setting, numbers.x, numbers.w, numbers.b);
		const seen = [0, 1].map((axis) => new Set(range(found.shape[axis + 1]).flatMap((out) => axisReads(setting, out, axis).map(({ at }) => at))));
		never = new Set([...grids.input.keys()].filter((key) => key.split(",").slice(1).some((at, axis) => !seen[axis].has(Number(at)))));
		draw();
	};

	const stop = () => {
		clearInterval(timer);
		timer = 0;
		play.textContent = "Play";
		sum.ariaLive = "polite";
	};

	const moveTo = (to, { aim, hover } = {}) => {
		cell = to;
		pointed = null;
		draw();
		if (aim) grids.output.get(cell.join()).focus();
		texts.cell = cell.join();
		if (!hover) changed(texts, { later: true });
	};

	const step = () => {
		const all = numbers ? [...grids.output.values()] : [];
		if (numbers) moveTo(all[(all.indexOf(grids.output.get(cell.join())) + 1) % all.length].place.key);
	};

	const play = button("Play", () => {
		if (timer || !numbers) return stop();
		play.textContent = "Pause";
		sum.ariaLive = "off"; // nobody can listen that fast
		timer = setInterval(step, 700);
		step();
	}, { class: "ex-play" });

	const keep = (key) => {
		texts[key] = numbers[key].flat(3).join();
		lost = lost.filter((name) => name !== key);
		changed(texts);
	};

	const edit = (at) => {
		const { name, key } = at.place, mine = numbers;
		if (name === "output" || isBorder(at)) return;
		stop();
		let open = true;
		const close = (text) => {
			if (!open || numbers !== mine) return ""; // the blur of a field that is taken away
			open = false;
			const to = Number(text.trim().replace("−", "-").replace(",", "."));
			at.drawn = null;
			input.remove();
			if (text.trim() !== "" && Number.isFinite(to) && to !== number(name, key)) {
				const [row, place] = rowOf(name, key);
				row[place] = to;
				keep({ input: "x", kernel: "w", bias: "b" }[name]);
				compute();
			} else draw();
			return Number.isFinite(to) ? "" : `${text} is not a number: the old one stays.`;
		};
		const input = element("input", {
			value: number(name, key), "aria-label": `${name}, row ${key[1]}, column ${key[2]}`, autocomplete: "off",
			keydown: (event) => {
				event.stopPropagation();
				if (event.key !== "Enter" && event.key !== "Escape") return;
				const note = close(event.key === "Enter" ? input.value : "");
				at.focus();
				if (note) tell(sum, note);
			},
			blur: () => close(input.value),
		});
		at.replaceChildren(input);
		input.focus();
		input.select();
	};

	const point = (at) => {
		pointed = at.place.name === "input" && isInside(at.place.key) ? at.place.key : null;
		focus[at.place.name] = at.place.key.join();
		draw();
	};

	/** Listen to what happens at a cell, or with `under` at the cell that lies under the pointer. */
	const listen = (kind, act, under) => panels.addEventListener(kind, (event) => {
		const at = (under ? document.elementFromPoint(event.clientX, event.clientY) : event.target)?.closest?.(".ex-cell");
		if (numbers && at && panels.contains(at) && !panels.querySelector("input")) act(event, at, at.place.name, at.place.key);
	});

	listen("keydown", (event, at, name, key) => {
		if (event.key === "Enter" || event.key === " ") edit(at);
		else {
			const move = { ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0], ArrowLeft: [0, 0, -1], ArrowRight: [0, 0, 1], PageUp: [-1, 0, 0], PageDown: [1, 0, 0] }[event.key];
			if (!move) return;
			const next = key.map((one, axis) => one + move[axis]);
			const target = grids[name].get(next.join());
			stop();
			if (target && name === "output") moveTo(next, { aim: true });
			else target?.focus();
		}
		event.preventDefault();
	});
	listen("focusin", (event, at) => point(at));

	/** Draw from the cell painted last to this one. */
	const paint = (key) => {
		const from = held.last ?? key;
		const steps = Math.max(...key.map((one, axis) => Math.abs(one - from[axis])), 1);
		for (const part of range(steps + 1)) {
			const [, r, k] = key.map((one, axis) => Math.round(from[axis] + (one - from[axis]) * part / steps));
			if (isInside([0, r, k])) numbers.x[key[0]][r][k] = held.paint;
		}
		held.last = key;
		compute();
	};

	listen("pointerdown", (event, at, name, key) => {
		const draggable = event.pointerType === "mouse" || getComputedStyle(at).touchAction === "none";
		if (draws.control.checked && name === "input" && !isBorder(at)) {
			held = { paint: number(name, key) === 9 ? 0 : 9 };
			paint(key);
		} else if (draggable && name === "output") held = {};
		else if (draggable && at.matches(".ex-input .ex-read") && !isTransposed(setting)) held = { from: key, cell };
		stop();
		if (held) event.target.releasePointerCapture?.(event.pointerId);
	});
	listen("pointermove", (event, at, name, key) => {
		if (!held) return;
		if ("paint" in held) {
			if (name === "input" && held.last?.[0] === key[0] && held.last.join() !== key.join()) paint(key);
		} else if (name === "output" && !held.from) moveTo(key);
		else if (held.from && name === "input") {
			const next = held.cell.map((one, axis) => (axis ? clamp(one + Math.round((key[axis] - held.from[axis]) / setting.stride[axis - 1]), found.shape[axis] - 1) : one));
			if (pointed || next.join() !== cell.join()) moveTo(next);
		}
	}, true);
	listen("pointerover", (event, at, name, key) => {
		if (held || timer || event.pointerType === "touch") return;
		if (name === "output") moveTo(key, { hover: true });
		if (name === "input") point(at);
	});
	const leave = (inside) => { if (numbers && pointed && !panels.contains(inside)) { pointed = null; draw(); } };
	panels.addEventListener("pointerleave", () => leave(document.activeElement));
	panels.addEventListener("focusout", (event) => leave(event.relatedTarget));
	for (const end of ["pointerup", "pointercancel"]) {
		window.addEventListener(end, () => {
			if (held && "paint" in held) keep("x");
			held = null;
		});
	}
	listen("click", (event, at, name, key) => {
		if (draws.control.checked && name === "input") return;
		const again = last === at;
		last = at;
		if (name === "output") moveTo(key, { aim: true });
		else if (again) edit(at);
		else at.focus();
	});

	const presets = menu("Presets", [...Object.keys(KERNELS), "photograph", "draw your own"], (name) => {
		const kernel = name in KERNELS;
		const set = () => Object.assign(texts, kernel ? { kernel_size: "3", w: name }
			: { input: "1x16x16", out_channels: "1", groups: "1", show: "grey", x: name === "photograph" ? name : "0" });
		const clear = () => { for (const key of Object.keys(texts)) if (key !== "layers" && key !== "show") delete texts[key]; };
		if (!drawable(find(texts)) || (kernel && isPool(texts))) clear();
		set();
		if (!drawable(find(texts))) { clear(); set(); }
		if (!kernel && draws.control.checked !== (name === "draw your own")) draws.control.click();
		changed(texts, { refill: true });
		show(texts);
	});
	place.append(presets, box("ex-bar", play, button("Step", () => { stop(); step(); }, { class: "ex-step" }), shades, draws), box("ex-view", panels, sum), caption, help);

	/** Show a setting; what cannot be drawn is said. */
	const show = (next) => {
		texts = next;
		const focused = panels.contains(document.activeElement) && document.activeElement.place;
		numbers = null;
		stop();
		found = find(texts);
		// The last drawing stays, pale, while a number is typed.
		panels.inert = place.classList.toggle("ex-stale", Boolean(found.error));
		if (found.error) return;
		if (place.classList.toggle("ex-large", !drawable(found))) {
			panels.replaceChildren();
			tell(sum, "Too large to draw: up to 4 channels of 34x34, and 1,200 numbers.");
			return;
		}
		setting = found.setting;
		const shape = isPool(setting) ? null : weightShape(setting);
		lost = [];
		const given = (name, its, usual) => {
			const got = named(texts[name], its) ?? listed(texts[name], its);
			if (!got && texts[name]) lost.push(name);
			return got ?? fill(its, usual);
		};
		numbers = {
			x: given("x", setting.input, (c, r, k) => (3 * r + 5 * k + 2 * r * k + 4 * c) % 10),
			w: shape && given("w", shape, (o, i, r, k) => ((r + 2 * k + o + i) % 3) - 1),
			b: shape && setting.bias ? given("b", [setting.out_channels], () => 0) : null,
		};
		pointed = last = null;
		focus = {};
		sum.style.minHeight = "";
		cell = (listed(texts.cell, [3]) ?? [0, 0, 0]).map((one, axis) => clamp(Math.trunc(one), found.shape[axis] - 1));
		shades.control.checked = panels.classList.toggle("ex-shades", texts.show === "grey");
		help.textContent = `${isTransposed(setting) ? "Point at a cell of the output" : "Drag the window"}, or use the arrow keys in the output. Point at an input cell to see where it goes. Click again, or press Enter, to edit a number.`;
		if (texts.cell) texts.cell = cell.join();
		build();
		compute();
		if (focused) (grids[focused.name]?.get(focused.key.join()) ?? grids.output.get(cell.join())).focus();
	};

	show(texts);
	return { show };
};

return { mount };
})();
