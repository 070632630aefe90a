/* Settings as text: in an address (`explorer.html#op=conv2d&stride=2`), in the fields of a form, as a
 line of PyTorch. Texts are only read as numbers and known words, never run or shown as HTML. */
window.Explorer ??= {};
Explorer.address = (() => {
"use strict";
const { OPS, isPool, layer } = Explorer.arithmetic;
const LARGEST = 2 ** 31 - 1;

const START = {
	op: "conv2d", input: "1x6x6", out_channels: "1", kernel_size: "3", stride: "", padding: "0", dilation: "1",
	groups: "1", bias: "1", padding_mode: "zeros", output_padding: "0", ceil_mode: "0", count_include_pad: "1",
};
const FLAGS = ["bias", "ceil_mode", "count_include_pad"];
const OWN = ["x", "w", "b", "cell", "layers", "see", "show"]; // keys of the figures, read by them
const FIRST = "op input out_channels kernel_size stride padding";
const NAMES = {
	conv2d: `${FIRST} dilation groups bias padding_mode`,
	conv_transpose2d: `${FIRST} output_padding groups bias dilation`,
	max_pool2d: "op input kernel_size stride padding dilation ceil_mode",
	avg_pool2d: "op input kernel_size stride padding ceil_mode count_include_pad",
};
/** The names of the arguments that a kind of layer takes, in PyTorch's order. */
const namesOf = (op) => (Object.hasOwn(NAMES, op) ? NAMES[op] : NAMES.conv2d).split(" ");

class Wrong extends Error {}

const clip = (text) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** The numbers in a text, as many as `counts` allows. */
const numbers = (name, text, counts, wanted, between = /[x×]/) => {
	const parts = text.split(between).map((part) => part.trim());
	if (!counts.includes(parts.length) || !parts.every((part) => /^-?\d{1,15}$/.test(part))) throw new Wrong(`${name}=${clip(text)} is not ${wanted}.`);
	if (parts.some((part) => Number(part) > LARGEST)) throw new Wrong(`${name}=${clip(text)} is larger than ${LARGEST}.`);
	return parts.map(Number);
};

const pair = (name, text) => {
	if (name === "padding" && /^(same|valid)$/.test(text)) return text;
	if (name === "padding" && text.includes(",")) return numbers(name, text, [4], "four whole numbers (left, right, top, bottom), or two such as 1x2", ",");
	if (name === "padding" && /^[a-z]/i.test(text)) throw new Wrong(`Invalid padding string '${clip(text)}', should be one of {'same', 'valid'}`);
	const [height, width = height] = numbers(name, text, [1, 2], "a whole number, or two such as 3x5");
	return [height, width];
};

const flag = (name, text) => {
	if (!/^(1|0|true|false)$/i.test(text)) throw new Wrong(`${name}=${clip(text)} is neither 1 nor 0.`);
	return /^(1|true)$/i.test(text);
};

/** Read texts, {name: text}: {setting, error}; one of them is empty. */
const read = (texts) => {
	const of = (name) => (texts[name] ?? START[name]).trim();
	try {
		const unknown = Object.keys(texts).find((name) => !Object.hasOwn(START, name) && !OWN.includes(name));
		if (unknown !== undefined) throw new Wrong(`Unknown argument ${clip(unknown)}. Known are ${[...Object.keys(START), ...OWN].join(", ")}.`);
		const setting = { op: of("op"), padding_mode: clip(of("padding_mode")) };
		if (!Object.hasOwn(OPS, setting.op)) throw new Wrong(`op=${clip(setting.op)} is not one of ${Object.keys(OPS).join(", ")}.`);
		const empty = ["input", "kernel_size", "padding", "dilation", "groups", "out_channels"].find((name) => !of(name));
		if (empty) throw new Wrong(`${empty} is empty.`);
		setting.input = numbers("input", of("input"), [3], "three whole numbers such as 3x224x224");
		for (const name of ["kernel_size", "dilation", "output_padding", "padding"]) setting[name] = pair(name, of(name));
		// PyTorch's defaults
		setting.stride = of("stride") ? pair("stride", of("stride")) : isPool(setting) ? setting.kernel_size : [1, 1];
		for (const name of ["groups", "out_channels"]) [setting[name]] = numbers(name, of(name), [1], "a whole number");
		for (const name of FLAGS) setting[name] = flag(name, of(name));
		return { setting, error: "" };
	} catch (error) {
		if (error instanceof Wrong) return { setting: null, error: error.message };
		throw error;
	}
};

/** What `layer` finds of texts, and their setting; an error is that of the texts or of the layer. */
const find = (texts) => {
	const { setting, error } = read(texts);
	return { setting, ...(setting ? layer(setting) : { error }) };
};

/** The texts that an address holds: {name: text}. */
const parse = (hash) => {
	const texts = Object.create(null); // a key may have any name
	for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ""))) texts[name] = text;
	return texts;
};

/** The address of texts; arguments that have their default are left out, but for the main ones. */
const write = (texts) => {
	const names = [...new Set([...namesOf(texts.op), ...Object.keys(texts).filter((name) => !OWN.includes(name))])]
		.filter((name) => name in texts && (texts[name] !== START[name] || (FIRST.includes(name) && name !== "stride")));
	const own = OWN.filter((name) => texts[name]);
	return `#${[...names, ...own].map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(texts[name]).replace(/%(2C|3A|3B|3D)/g, decodeURIComponent)}`).join("&")}`;
};

/** A value as Python writes it; equal pairs are one number. */
const python = (value) => {
	if (typeof value === "string") return `"${value}"`;
	if (!Array.isArray(value)) return { true: "True", false: "False" }[value] ?? String(value);
	return value.length === 2 && value[0] === value[1] ? String(value[0]) : `(${value.join(", ")})`;
};

/** The line of PyTorch that makes the layer; arguments that have their default are left out. */
const code = (setting) => {
	const { op, input, out_channels, kernel_size, padding, padding_mode } = setting;
	const usual = read({ op, kernel_size: kernel_size.join("x") }).setting;
	const four = Array.isArray(padding) && padding.length === 4;
	const words = namesOf(op).filter((name) => !["op", "input", "out_channels", ...(four ? ["padding", "padding_mode"] : [])].includes(name)
		&& (name === "kernel_size" || python(setting[name]) !== python(usual[name]))).map((name) => `${name}=${python(setting[name])}`);
	if (!isPool(setting)) words.unshift(input[0], out_channels);
	const call = `nn.${OPS[op].layer}(${words.join(", ")})`;
	if (!four) return call;
	const pads = { zeros: "Zero", reflect: "Reflection", replicate: "Replication", circular: "Circular" };
	return `nn.Sequential(nn.${pads[padding_mode]}Pad2d(${python(padding)}), ${call})`;
};

return { FLAGS, START, code, find, namesOf, parse, read, write };
})();
