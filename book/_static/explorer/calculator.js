/* The calculator: shapes, counts, memory, the formula with its numbers, and what would fix a setting. */
window.Explorer ??= {};
Explorer.calculator = (() => {
"use strict";
const { axesOf, clamp, isPool, isTransposed, layer, range } = Explorer.arithmetic;
const { bytes, button, copyButton, element, tell } = Explorer.controls;
const { code, find } = Explorer.address;

/** The formula of the output size with the numbers filled in. */
const formula = (setting, { axes, shape }) => {
	const [height, width] = axes.map(({ size, kernel, stride, dilation, before, after, padded, span, extra }, axis) => {
		const out = shape[axis + 1], reach = `${dilation}·(${kernel} − 1)`;
		if (isTransposed(setting)) return `(${size} − 1)·${stride} − ${before} − ${after} + ${reach} + 1 + ${extra} = ${out}`;
		const [round, open, close] = isPool(setting) && setting.ceil_mode ? ["ceil", "⌈", "⌉"] : ["floor", "⌊", "⌋"];
		const rounded = Math[round]((padded - span) / stride) + 1;
		return `${open}(${size} + ${before} + ${after} − ${reach} − 1) / ${stride}${close} + 1 = ${rounded}${rounded === out ? "" : ", minus one window that would start beyond the input"}`;
	});
	return height === width ? `height and width: ${height}` : `height: ${height}\nwidth: ${width}`;
};

/** Changes of one argument, each to the nearest value that makes a setting `good`: [[name], setting]. */
const changes = (setting, good) => {
	const { out_channels: out, groups, padding } = setting;
	const found = new Map();
	const nearest = (name, values) => {
		for (const value of found.has(name) ? [] : values) {
			const changed = { ...setting, [name]: value };
			if (name === "kernel_size" && setting.stride === setting.kernel_size) changed.stride = value;
			if (good(changed)) return found.set(name, changed);
		}
	};
	// Numbers of a pair that are too large come down together, those that are too small go up.
	const down = (name) => nearest(name, [...range(65).map((less) => Math.max(...setting[name]) - less), ...axesOf(setting).map(({ padded }) => padded), ...range(65).reverse()].map((most) => setting[name].map((one) => clamp(one, Math.max(0, most)))));
	const up = (name) => nearest(name, range(65).map((least) => setting[name].map((one) => Math.max(one, least))));
	nearest("groups", range(4096).map((one) => groups - one).filter((one) => one > 0).concat(1));
	if (groups > 0) nearest("out_channels", [Math.max(Math.ceil(out / groups), 1) * groups]);
	if (!Array.isArray(padding) || padding.length === 4) nearest("padding", [axesOf(setting).map(({ span }) => Math.max(0, Math.floor((span - 1) / 2))), [0, 0]]);
	nearest("padding_mode", ["zeros"]);
	down("output_padding");
	up("output_padding");
	up("stride");
	if (padding === "same") down("stride");
	if (padding.length === 2) { up("padding"); down("padding"); }
	for (const name of ["dilation", "kernel_size"]) { down(name); up(name); }
	return [...found].map(([name, changed]) => [[name], changed]);
};

/** What makes PyTorch take a setting: changes of one argument or, where none does, of two: [names, setting]. */
const fixes = (setting) => {
	const kind = (one) => layer(one).error.replace(/\d+/g, "");
	const mended = (one) => changes(one, (changed) => !kind(changed));
	const found = mended(setting), mistake = kind(setting);
	const both = () => changes(setting, (changed) => kind(changed) !== mistake)
		.flatMap(([[name], half]) => mended(half).map(([[other], changed]) => [[...new Set([name, other])], changed]));
	return (found.length ? found : both()).slice(0, 4);
};

/** The marked elements that hold the results; `apply` changes arguments, [name, text] each. */
const results = (apply) => {
	const rows = {};
	const list = element("dl", { class: "ex-results" }, ...Object.entries({
		"output-shape": "output", formula: "computed as", sides: "padding", dropped: "rows x columns never read at the end",
		parameters: "parameters", macs: "multiply-accumulates per image", memory: "memory of the output, float32", code: "PyTorch",
	}).flatMap(([name, title]) => {
		rows[name] = element("span", { "data-explorer": name, role: name === "output-shape" && "status" });
		return [element("dt", {}, title), element("dd", {}, rows[name])];
	}));
	rows.code.after(" ", copyButton("Copy", () => rows.code.textContent));
	const error = element("p", { class: "ex-error", "data-explorer": "error", role: "status" });
	const cures = element("ul", { class: "ex-fixes" });
	const show = (texts) => {
		const found = find(texts), { setting } = found;
		tell(error, found.error);
		list.hidden = Boolean(found.error);
		cures.replaceChildren(...(setting && found.error ? fixes(setting) : []).map(([names, fixed]) => {
			const made = names.map((name) => [name, [...new Set([fixed[name]].flat())].join("x")]);
			return element("li", {}, button(made.map((one) => one.join("=")).join(", "), () => apply(made)), ` → output ${layer(fixed).shape.join("x")}`);
		}));
		const shown = found.error ? {} : {
			"output-shape": found.shape.join("x"), formula: formula(setting, found), dropped: found.dropped?.join("x"),
			sides: `${["top", "bottom", "left", "right"].map((side, place) => `${side} ${found.axes.flatMap(({ before, after }) => [before, after])[place]}`).join(", ")}${isTransposed(setting) ? ", taken off the output" : ""}`,
			parameters: String(found.parameters), macs: String(found.macs), memory: bytes(found.bytes), code: code(setting),
		};
		for (const [name, place] of Object.entries(rows)) {
			tell(place, shown[name] ?? "");
			place.parentNode.hidden = place.parentNode.previousSibling.hidden = !shown[name];
		}
	};
	return { parts: [error, cures], list, show };
};

return { fixes, results };
})();
