/* The calculator: shapes, counts, memory, the formula with its numbers, and what would fix a setting. */
window.Explorer ??= {};
Explorer.calculator = (() => {
"use strict";
const { along, code, isPool, isTransposed, layer, range } = Explorer.arithmetic;
const { bytes, button, copyButton, element, tell } = Explorer.controls;
const { read } = Explorer.address;

/** The formula of the output size with the numbers filled in. */
const formula = (setting, { shape }) => {
	const [height, width] = [0, 1].map((axis) => {
		const { size, kernel, stride, dilation, before, after, span } = along(setting, axis), out = shape[axis + 1];
		const reach = `${dilation}·(${kernel} − 1)`;
		if (isTransposed(setting)) return `(${size} − 1)·${stride} − ${before} − ${after} + ${reach} + 1 + ${setting.output_padding[axis]} = ${out}`;
		const ceil = isPool(setting) && setting.ceil_mode;
		const rounded = Math[ceil ? "ceil" : "floor"]((size + before + after - span) / stride) + 1;
		const left = rounded === out ? "" : ", minus one window that would start beyond the input";
		return `${ceil ? "⌈" : "⌊"}(${size} + ${before} + ${after} − ${reach} − 1) / ${stride}${ceil ? "⌉" : "⌋"} + 1 = ${rounded}${left}`;
	});
	return height === width ? `height and width: ${height}` : `height: ${height}\nwidth: ${width}`;
};

/** Changes of one argument, each to the nearest value with which PyTorch takes the setting: [name, value, setting]. */
const fixes = (setting) => {
	const { out_channels: out, groups, padding } = setting;
	const found = [];
	const changed = (name, value) => ({ ...setting, [name]: value, ...(name === "kernel_size" && setting.stride === setting.kernel_size && { stride: value }) });
	const nearest = (name, values) => {
		const value = values.find((one) => !layer(changed(name, one)).error);
		if (value !== undefined) found.push([name, value, changed(name, value)]);
	};
	// Numbers of a pair that are too large come down together, those that are too small go up.
	const sizes = [0, 1].map((axis) => along(setting, axis)).map(({ size, before, after }) => size + before + after);
	const down = (name) => nearest(name, [...range(65).map((less) => Math.max(...setting[name]) - less), ...sizes, ...range(65).reverse()].map((most) => setting[name].map((one) => Math.max(0, Math.min(one, most)))));
	const up = (name) => nearest(name, range(65).map((least) => setting[name].map((one) => Math.max(one, least))));
	nearest("groups", range(4096).map((one) => groups - one).filter((one) => one > 0).concat(1));
	if (groups > 0) nearest("out_channels", [Math.max(Math.ceil(out / groups), 1) * groups]);
	if (!Array.isArray(padding) || padding.length === 4) nearest("padding", [[0, 1].map((axis) => Math.max(0, Math.floor((along({ ...setting, padding: [0, 0] }, axis).span - 1) / 2))), [0, 0]]);
	nearest("padding_mode", ["zeros"]);
	down("output_padding");
	up("output_padding");
	up("stride");
	if (padding === "same") down("stride");
	if (padding.length === 2) { up("padding"); down("padding"); }
	down("dilation");
	up("dilation");
	down("kernel_size");
	up("kernel_size");
	const seen = new Set();
	return found.filter(([name, value]) => !seen.has(name) && seen.add(name)).slice(0, 4);
};

/** The marked elements that hold the results; `apply(name, text)` changes an argument. */
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
		const { setting, error: wrong } = read(texts);
		const found = setting ? layer(setting) : { error: wrong };
		tell(error, found.error);
		list.hidden = Boolean(found.error);
		cures.replaceChildren(...(setting && found.error ? fixes(setting) : []).map(([name, value, fixed]) => {
			const text = [...new Set([value].flat())].join("x");
			return element("li", {}, button(`${name}=${text}`, () => apply(name, text)), ` → output ${layer(fixed).shape.join("x")}`);
		}));
		const shown = found.error ? {} : {
			"output-shape": found.shape.join("x"), formula: formula(setting, found), dropped: found.dropped?.join("x"),
			sides: `${["top", "bottom", "left", "right"].map((side, place) => `${side} ${found.sides.flat()[place]}`).join(", ")}${isTransposed(setting) ? ", taken off the output" : ""}`,
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
