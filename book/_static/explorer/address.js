/* Settings as text, in an address (`explorer.html#op=conv2d&stride=2`) or in the fields of a form.
 Texts are only read as numbers and known words, never run or shown as HTML. */
window.Explorer ??= {};
Explorer.address = (() => {
"use strict";
const { OPS, isPool } = Explorer.arithmetic;
const LARGEST = 2 ** 31 - 1;

const START = {
	op: "conv2d", input: "1x6x6", out_channels: "1", kernel_size: "3", stride: "", padding: "0", dilation: "1",
	groups: "1", bias: "1", padding_mode: "zeros", output_padding: "0", ceil_mode: "0", count_include_pad: "1",
};
const FLAGS = ["bias", "ceil_mode", "count_include_pad"];
const OWN = ["x", "w", "b", "cell", "layers", "see", "show"]; // keys of the figures, read by them

class Wrong extends Error {}

const number = (text, name, whole) => {
	const shown = clip(whole ?? text);
	if (!/^-?\d{1,15}$/.test(text)) {
		const wanted = name === "input" ? "three whole numbers such as 3x224x224" : `a whole number${whole === undefined ? "" : ", or two such as 3x5"}`;
		throw new Wrong(`${name}=${shown} is not ${wanted}.`);
	}
	if (Number(text) > LARGEST) throw new Wrong(`${name}=${shown} is larger than ${LARGEST}.`);
	return Number(text);
};

const clip = (text) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

const pair = (text, name) => {
	const parts = text.split(/[x×]/).map((part) => number(part.trim(), name, text));
	if (parts.length > 2) throw new Wrong(`${name}=${clip(text)} has ${parts.length} numbers; it takes one or two, such as 3 or 3x5.`);
	return parts.length === 2 ? parts : [parts[0], parts[0]];
};

const readPadding = (text) => {
	if (text === "same" || text === "valid") return text;
	if (text.includes(",")) {
		const parts = text.split(",").map((part) => number(part.trim(), "padding", text));
		if (parts.length !== 4) throw new Wrong(`padding=${clip(text)} has ${parts.length} numbers; give four (left, right, top, bottom), or two such as 1x2.`);
		return parts;
	}
	if (/^[a-z]/i.test(text)) throw new Wrong(`Invalid padding string '${clip(text)}', should be one of {'same', 'valid'}`);
	return pair(text, "padding");
};

const flag = (text, name) => {
	if (/^(1|true)$/i.test(text)) return true;
	if (/^(0|false)$/i.test(text)) return false;
	throw new Wrong(`${name}=${clip(text)} is neither 1 nor 0.`);
};

/** Read texts, {name: text}: {setting, error}; one of them is empty. */
const read = (texts) => {
	const of = (name) => (texts[name] ?? START[name]).trim();
	try {
		const unknown = Object.keys(texts).find((name) => !Object.hasOwn(START, name) && !OWN.includes(name));
		if (unknown) throw new Wrong(`Unknown argument ${clip(unknown)}. Known are ${[...Object.keys(START), ...OWN].join(", ")}.`);
		const setting = { op: of("op") };
		if (!Object.hasOwn(OPS, setting.op)) throw new Wrong(`op=${clip(setting.op)} is not one of ${Object.keys(OPS).join(", ")}.`);
		const empty = ["input", "kernel_size", "padding", "dilation", "groups", "out_channels"].find((name) => !of(name));
		if (empty) throw new Wrong(`${empty} is empty.`);
		setting.input = of("input").split(/[x×]/).map((part) => number(part.trim(), "input", of("input")));
		if (setting.input.length !== 3) throw new Wrong(`input=${clip(of("input"))} is not three whole numbers such as 3x224x224.`);
		for (const name of ["kernel_size", "stride", "dilation", "output_padding"]) setting[name] = name === "stride" && !of("stride") ? null : pair(of(name), name);
		setting.stride ??= isPool(setting) ? setting.kernel_size : [1, 1]; // PyTorch's defaults
		setting.padding = readPadding(of("padding"));
		for (const name of ["groups", "out_channels"]) setting[name] = number(of(name), name);
		for (const name of FLAGS) setting[name] = flag(of(name), name);
		setting.padding_mode = clip(of("padding_mode"));
		return { setting, error: "" };
	} catch (error) {
		if (error instanceof Wrong) return { setting: null, error: error.message };
		throw error;
	}
};

/** The texts that an address holds: {name: text}. */
const parse = (hash) => {
	const texts = Object.create(null); // a key may have any name
	for (const part of hash.replace(/^#/, "").split("&").filter(Boolean)) {
		const [name, ...rest] = part.split("=");
		const text = rest.join("=").replaceAll("+", " ");
		try { texts[decodeURIComponent(name)] = decodeURIComponent(text); } catch { texts[name] = text; }
	}
	return texts;
};

const FIRST = "op input out_channels kernel_size stride padding";
const NAMES = {
	conv2d: `${FIRST} dilation groups bias padding_mode`,
	conv_transpose2d: `${FIRST} output_padding groups bias dilation`,
	max_pool2d: "op input kernel_size stride padding dilation ceil_mode",
	avg_pool2d: "op input kernel_size stride padding ceil_mode count_include_pad",
};
/** The names of the arguments that a kind of layer takes, in PyTorch's order. */
const namesOf = (op) => (Object.hasOwn(NAMES, op) ? NAMES[op] : NAMES.conv2d).split(" ");

/** The address of texts; arguments that have their default are left out, but for the main ones. */
const write = (texts) => {
	const names = namesOf(texts.op);
	const all = [...names, ...Object.keys(texts).filter((name) => !names.includes(name) && !OWN.includes(name))]
		.filter((name) => name in texts && (texts[name] !== START[name] || (FIRST.split(" ").includes(name) && name !== "stride")));
	const own = OWN.filter((name) => texts[name]);
	return `#${[...all, ...own].map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(texts[name]).replace(/%(2C|3A|3B|3D)/g, decodeURIComponent)}`).join("&")}`;
};

return { FLAGS, START, namesOf, parse, read, write };
})();
