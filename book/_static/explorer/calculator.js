/* The calculator: shapes, counts, memory, the formula with its numbers, and what would fix a setting. */
window.Explorer = window.Explorer || {};
Explorer.calculator = (() => {
	"use strict";
	const arithmetic = Explorer.arithmetic;
	const { bytes, copyButton, element, form, thousands } = Explorer.controls;
	const { read } = Explorer.address;
	const AXES = ["height", "width"];

	/** The formula of the output size with the numbers filled in, one line per axis. */
	const formula = (setting, { shape, sides }) => {
		const { input, kernel_size: k, stride: s, dilation: d, output_padding: more } = setting;
		const line = (axis) => {
			const [before, after] = sides[axis], size = input[axis + 1], out = shape[axis + 1];
			if (arithmetic.isTransposed(setting)) return `(${size} − 1)·${s[axis]} − ${before} − ${after} + ${d[axis]}·(${k[axis]} − 1) + 1 + ${more[axis]} = ${out}`;
			const [open, close] = arithmetic.isPool(setting) && setting.ceil_mode ? ["⌈", "⌉"] : ["⌊", "⌋"];
			const plain = arithmetic.windows(size, k[axis], 1, before, after, d[axis], false) - 1;
			const rounded = (open === "⌈" ? Math.ceil(plain / s[axis]) : Math.floor(plain / s[axis])) + 1;
			const left = rounded === out ? "" : ", less one window that would start behind the input";
			return `${open}(${size} + ${before} + ${after} − ${d[axis]}·(${k[axis]} − 1) − 1) / ${s[axis]}${close} + 1 = ${rounded}${left}`;
		};
		const same = [0, 1].every((axis) => line(axis) === line(0));
		return same ? [`height and width: ${line(0)}`] : [0, 1].map((axis) => `${AXES[axis]}: ${line(axis)}`);
	};

	/** Changes of one argument under which PyTorch takes the setting, as [what to write, setting]. */
	const fixes = (setting) => {
		const { input, kernel_size: k, dilation: d, stride, groups, out_channels: out, padding } = setting;
		const tries = [];
		const change = (text, parts) => tries.push([text, { ...setting, ...parts }]);
		const divisors = (value) => Array.from({ length: Math.min(Math.max(value, 0), 4096) }, (_, one) => one + 1).filter((one) => value % one === 0);
		if (groups < 1) change("groups=1", { groups: 1 });
		else if (!arithmetic.isPool(setting) && (input[0] % groups || out % groups)) {
			const common = divisors(input[0]).filter((one) => out > 0 && out % one === 0 && one <= groups).pop() ?? 1;
			change(`groups=${common}`, { groups: common });
			if (input[0] % groups === 0) change(`out_channels=${Math.ceil(out / groups) * groups}`, { out_channels: Math.ceil(out / groups) * groups });
		}
		if (padding === "same") change("stride=1 (and a layer that shrinks behind it)", { stride: [1, 1] });
		if (padding === "same" || typeof padding === "string") {
			const half = [0, 1].map((axis) => Math.floor((d[axis] * (k[axis] - 1)) / 2));
			change(`padding=${half[0] === half[1] ? half[0] : `(${half.join(", ")})`}`, { padding: half });
		} else if (padding.length === 2) {
			const half = [0, 1].map((axis) => Math.floor(k[axis] / 2));
			if (arithmetic.isPool(setting)) change(`padding=${half[0] === half[1] ? half[0] : `(${half.join(", ")})`}, the most that pooling takes`, { padding: half });
			const enough = [0, 1].map((axis) => Math.max(padding[axis], Math.ceil((arithmetic.extent(k[axis], d[axis]) - input[axis + 1]) / 2)));
			if (!arithmetic.isTransposed(setting)) change(`padding=${enough[0] === enough[1] ? enough[0] : `(${enough.join(", ")})`}`, { padding: enough });
			change("padding=0", { padding: [0, 0] });
		}
		if (setting.padding_mode !== "zeros") change('padding_mode="zeros"', { padding_mode: "zeros" });
		if (d.some((one) => one !== 1)) change("dilation=1", { dilation: [1, 1] });
		const fits = [0, 1].map((axis) => Math.min(k[axis], input[axis + 1]));
		change(`kernel_size=${fits[0] === fits[1] ? fits[0] : `(${fits.join(", ")})`}`, { kernel_size: fits });
		if (stride.some((one) => one < 1)) change("stride=1", { stride: [1, 1] });
		change("output_padding=0", { output_padding: [0, 0] });
		const seen = new Set();
		return tries.filter(([text, tried]) => !arithmetic.layer(tried).error && !seen.has(text) && seen.add(text)).slice(0, 3);
	};

	/** The marked elements that hold the results, for a setting in texts. */
	const results = () => {
		const rows = {};
		const row = (name, title, ...more) => {
			rows[name] = element("span", { "data-explorer": name });
			return [element("dt", {}, title), element("dd", {}, rows[name], " ", ...more)];
		};
		const list = element("dl", { class: "ex-results" },
			...row("output-shape", "output"), ...row("formula", "computed as"), ...row("sides", "padding"), ...row("dropped", "never read at the end (rows x columns)"),
			...row("parameters", "parameters"), ...row("macs", "multiply-accumulates per image"), ...row("memory", "memory of the output, float32"),
			...row("code", "PyTorch", copyButton(() => rows.code.textContent)));
		const error = element("p", { class: "ex-error", "data-explorer": "error", role: "status" });
		const cures = element("ul", { class: "ex-fixes" });
		const show = (texts) => {
			const { setting, error: wrong } = read(texts);
			const found = setting ? arithmetic.layer(setting) : { error: wrong, shape: null };
			error.textContent = found.error;
			for (const value of Object.values(rows)) value.textContent = "";
			list.hidden = Boolean(found.error);
			cures.replaceChildren(...(setting && found.error ? fixes(setting) : []).map(([text, tried]) => element("li", {}, `${text} would give ${arithmetic.layer(tried).shape.join("x")}`)));
			if (found.error) return found;
			rows["output-shape"].textContent = found.shape.join("x");
			rows.formula.replaceChildren(...formula(setting, found).map((line) => element("div", {}, line)));
			const [[top, bottom], [left, right]] = found.sides;
			rows.sides.textContent = `left ${left}, right ${right}, top ${top}, bottom ${bottom}`;
			rows.dropped.textContent = found.dropped ? found.dropped.join("x") : "";
			rows.parameters.textContent = String(found.parameters);
			rows.macs.textContent = String(found.macs);
			rows.memory.textContent = bytes(found.bytes);
			rows.code.textContent = arithmetic.code(setting);
			return found;
		};
		return { parts: [error, cures, list], show };
	};

	return { fixes, formula, results };
})();
