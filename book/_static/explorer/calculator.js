/* The calculator: shapes, counts, memory, the formula with its numbers, and what would fix a setting. */
window.Explorer ??= {};
Explorer.calculator = (() => {
"use strict";
const { along, code, extent, isPool, isTransposed, layer, short } = Explorer.arithmetic;
const { bytes, copyButton, element } = Explorer.controls;
const { read } = Explorer.address;
const each = (make) => [0, 1].map(make);

const formula = (setting, { shape }) => {
	const [height, width] = each((axis) => {
		const { size, kernel, stride, dilation, before, after, span } = along(setting, axis), out = shape[axis + 1];
		const reach = `${dilation}·(${kernel} − 1)`;
		if (isTransposed(setting)) return `(${size} − 1)·${stride} − ${before} − ${after} + ${reach} + 1 + ${setting.output_padding[axis]} = ${out}`;
		const ceil = isPool(setting) && setting.ceil_mode;
		const rounded = Math[ceil ? "ceil" : "floor"]((size + before + after - span) / stride) + 1;
		const left = rounded === out ? "" : ", less one window that would start behind the input";
		return `${ceil ? "⌈" : "⌊"}(${size} + ${before} + ${after} − ${reach} − 1) / ${stride}${ceil ? "⌉" : "⌋"} + 1 = ${rounded}${left}`;
	});
	return height === width ? `height and width: ${height}` : `height: ${height}\nwidth: ${width}`;
};

/** Changes of one argument under which PyTorch takes the setting, as [what to write, setting]. */
const fixes = (setting) => {
	const { input: [channels, ...size], kernel_size: k, dilation: d, groups, out_channels: out, padding } = setting;
	const tries = [];
	const put = (name, value) => tries.push([`${name}=${short(value)}`, { ...setting, [name]: value }]);
	let common = Math.min(Math.max(groups, 1), 4096);
	while (channels % common || out % common) common -= 1;
	put("groups", common);
	if (groups > 0) put("out_channels", Math.ceil(out / groups) * groups);
	if (padding === "same") put("stride", [1, 1]);
	if (typeof padding === "string") put("padding", each((axis) => Math.floor((d[axis] * (k[axis] - 1)) / 2)));
	else if (padding.length === 2) {
		if (isPool(setting)) put("padding", k.map((one) => Math.floor(one / 2)));
		if (!isTransposed(setting)) put("padding", each((axis) => Math.max(padding[axis], Math.ceil((extent(k[axis], d[axis]) - size[axis]) / 2))));
		put("padding", [0, 0]);
	}
	put("padding_mode", "zeros");
	put("dilation", [1, 1]);
	put("kernel_size", each((axis) => Math.min(k[axis], size[axis])));
	put("stride", [1, 1]);
	put("output_padding", [0, 0]);
	const seen = new Set();
	return tries.filter(([text, tried]) => !layer(tried).error && !seen.has(text) && seen.add(text)).slice(0, 3);
};

/** The marked elements that hold the results, for a setting in texts. */
const results = () => {
	const rows = {};
	const list = element("dl", { class: "ex-results" }, ...Object.entries({
		"output-shape": "output", formula: "computed as", sides: "padding", dropped: "never read at the end (rows x columns)",
		parameters: "parameters", macs: "multiply-accumulates per image", memory: "memory of the output, float32", code: "PyTorch",
	}).flatMap(([name, title]) => {
		rows[name] = element("span", { "data-explorer": name });
		return [element("dt", {}, title), element("dd", {}, rows[name])];
	}));
	rows.code.after(" ", copyButton("Copy", () => rows.code.textContent));
	const error = element("p", { class: "ex-error", "data-explorer": "error", role: "status" });
	const cures = element("ul", { class: "ex-fixes" });
	const show = (texts) => {
		const { setting, error: wrong } = read(texts);
		const found = setting ? layer(setting) : { error: wrong };
		error.textContent = found.error;
		list.hidden = Boolean(found.error);
		cures.replaceChildren(...(setting && found.error ? fixes(setting) : []).map(([text, tried]) => element("li", {}, `${text} would give ${layer(tried).shape.join("x")}`)));
		const shown = found.error ? {} : {
			"output-shape": found.shape.join("x"), formula: formula(setting, found), dropped: found.dropped?.join("x"),
			sides: ["top", "bottom", "left", "right"].map((side, place) => `${side} ${found.sides.flat()[place]}`).join(", "),
			parameters: String(found.parameters), macs: String(found.macs), memory: bytes(found.bytes), code: code(setting),
		};
		for (const [name, place] of Object.entries(rows)) place.textContent = shown[name] ?? "";
	};
	return { parts: [error, cures, list], show };
};

return { fixes, results };
})();
