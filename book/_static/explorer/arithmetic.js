/* The arithmetic of convolution and pooling, the twin of convlab.shapes and of the naive loops. A
 setting has PyTorch's argument names; pairs are (height, width), input is [C, H, W]. */
window.Explorer ??= {};
Explorer.arithmetic = (() => {
"use strict";
const OPS = {
	conv2d: { title: "convolution", layer: "Conv2d" },
	conv_transpose2d: { title: "transposed convolution", layer: "ConvTranspose2d" },
	max_pool2d: { title: "max pooling", layer: "MaxPool2d" },
	avg_pool2d: { title: "average pooling", layer: "AvgPool2d" },
};
const MODES = ["zeros", "reflect", "replicate", "circular"];
const AXES = [0, 1]; // height, width
const range = (length) => Array.from({ length }, (_, one) => one);

const isPool = (setting) => setting.op.endsWith("pool2d");
const isTransposed = (setting) => setting.op === "conv_transpose2d";
const extent = (kernel, dilation) => dilation * (kernel - 1) + 1;

/** Cells added before and after, per axis: [[top, bottom], [left, right]]. */
const sides = ({ padding, kernel_size, dilation }) => {
	if (padding === "valid") return [[0, 0], [0, 0]];
	if (padding === "same") {
		return AXES.map((axis) => {
			const total = dilation[axis] * (kernel_size[axis] - 1);
			return [Math.floor(total / 2), Math.ceil(total / 2)]; // the odd cell at the end
		});
	}
	if (padding.length === 4) return [[padding[2], padding[3]], [padding[0], padding[1]]];
	return padding.map((amount) => [amount, amount]);
};

const windows = ({ size, stride, before, after, span }, ceil) => {
	const count = Math[ceil ? "ceil" : "floor"]((size + before + after - span) / stride) + 1;
	// A window that starts behind the input would have only padding.
	return ceil && (count - 1) * stride >= size + before ? count - 1 : count;
};

const few = (pair, least) => pair.some((one) => one < least);
const positive = (what, got) => `${what} should be greater than zero, but got ${got}`;
const both = (name, pair) => `${name}_height: ${pair[0]} ${name}_width: ${pair[1]}`;
const times = (pair) => `(${pair[0]} x ${pair[1]})`;

/** What PyTorch says of a setting, in its order of checks; empty if it takes it. */
const complaint = (setting) => {
	if (few(setting.input, 1)) return `The input ${setting.input.join("x")} has no cells.`;
	const large = AXES.map((axis) => along(setting, axis)).some(({ size, stride, span }) => !Number.isSafeInteger(span) || !Number.isSafeInteger(size * stride));
	if (large) return "These numbers are too large here.";
	return isPool(setting) ? ofPooling(setting) : isTransposed(setting) ? ofTransposed(setting) : ofConvolution(setting);
};

const ofGroups = ({ input, out_channels, groups }) => {
	if (groups < 1) return "groups must be a positive integer";
	if (input[0] % groups) return "in_channels must be divisible by groups";
	return out_channels % groups ? "out_channels must be divisible by groups" : "";
};

const ofWeight = ({ op, input, out_channels, groups, kernel_size }) => {
	const transposed = isTransposed({ op });
	const weight = transposed ? [input[0], out_channels / groups, ...kernel_size] : [out_channels, input[0] / groups, ...kernel_size];
	const negative = weight.find((one) => one < 0);
	const shape = `[${weight.join(", ")}]`;
	if (negative !== undefined) return `Trying to create tensor with negative dimension ${negative}: ${shape}`;
	if (out_channels > 0) return "";
	return transposed ? `non-empty 2D or 4D weight tensor expected, but got: ${shape}` : `Given groups=${groups}, expected weight to be at least ${groups} at dimension 0, but got weight of size ${shape} instead`;
};

/** What F.pad says; its negative numbers cut. */
const ofBorder = ({ input, padding, padding_mode }, added) => {
	const size = input.slice(1);
	const cut = AXES.some((axis) => size[axis] + Math.min(added[axis][0], 0) + Math.min(added[axis][1], 0) < 0);
	if (padding_mode === "zeros") return cut && padding.length === 4 ? "narrow(): length must be non-negative." : "";
	if (padding_mode === "circular") return AXES.some((axis) => Math.max(...added[axis]) > size[axis] + Math.min(...added[axis], 0)) ? "Padding value causes wrapping around more than once." : "";
	for (const axis of [1, 0]) {
		if (padding_mode === "reflect" && Math.max(...added[axis]) >= size[axis]) return `Argument #${axis ? 4 : 6}: Padding size should be less than the corresponding input dimension, but got: padding (${added[axis].join(", ")}) at dimension ${axis + 2} of input [1, ${input.join(", ")}]`;
	}
	return "";
};

const ofConvolution = (setting) => {
	const { kernel_size, stride, dilation, padding, padding_mode } = setting;
	const added = sides(setting), groups = ofGroups(setting);
	if (groups) return groups;
	if (padding === "same" && stride.some((one) => one !== 1)) return "padding='same' is not supported for strided convolutions";
	if (!MODES.includes(padding_mode)) return `padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, but got padding_mode='${padding_mode}'`;
	const weight = ofWeight(setting) || ofBorder(setting, added);
	if (weight) return weight;
	if (few(kernel_size, 1)) return positive("kernel size", both("kernel", kernel_size));
	if (few(dilation, 1)) return positive("dilation", `[${dilation.join(", ")}]`);
	if (few(stride, 1)) return "non-positive stride is not supported";
	if (few(added.flat(), 0) && padding.length === 2 && padding_mode === "zeros") return "negative padding is not supported";
	const numbers = AXES.map((axis) => along(setting, axis));
	const padded = numbers.map((one) => one.size + one.before + one.after), spans = numbers.map(({ span }) => span);
	if (AXES.some((axis) => spans[axis] > padded[axis])) return `Calculated padded input size per channel: ${times(padded)}. Kernel size: ${times(spans)}. Kernel size can't be greater than actual input size`;
	return "";
};

const ofTransposed = (setting) => {
	const { input, kernel_size, stride, dilation, padding, output_padding, padding_mode } = setting;
	if (padding_mode !== "zeros") return 'Only "zeros" padding mode is supported for ConvTranspose2d';
	const weight = ofGroups(setting) || ofWeight(setting);
	if (weight) return weight;
	if (typeof padding === "string") return "conv_transpose2d(): argument 'padding' (position 5) must be tuple of ints, but found element of type str at pos 0";
	if (padding.length === 4) return `expected padding to be a single integer value or a list of 2 values to match the convolution dimensions, but got padding=[${padding.join(", ")}]`;
	if (few(padding, 0)) return "negative padding is not supported";
	if (few(kernel_size, 1)) return positive("kernel size", both("kernel", kernel_size));
	if (few(stride, 1)) return "non-positive stride is not supported";
	if (few(output_padding, 0)) return "negative output_padding is not supported";
	if (few(dilation, 1)) return "dilation should be greater than zero";
	if (AXES.some((axis) => output_padding[axis] >= Math.max(stride[axis], dilation[axis]))) return `output padding must be smaller than either stride or dilation, but got ${both("output_padding", output_padding)} ${both("stride", stride)} ${both("dilation", dilation)}`;
	const size = AXES.map((axis) => lengthTransposed(setting, axis));
	if (few(size, 1)) return `Given input size per channel: ${times(input.slice(1))}. Calculated output size per channel: ${times(size)}. Output size is too small`;
	return "";
};

const ofPooling = (setting) => {
	const { op, input, kernel_size, stride, dilation, padding } = setting;
	const foreign = setting.groups !== 1 ? "groups" : setting.padding_mode !== "zeros" ? "padding_mode" : op === "avg_pool2d" && dilation.some((one) => one !== 1) ? "dilation" : "";
	if (foreign) return `${op === "max_pool2d" ? "_MaxPoolNd" : "AvgPool2d"}.__init__() got an unexpected keyword argument '${foreign}'`;
	if (typeof padding === "string") return `${op}(): argument 'padding' (position 4) must be tuple of ints, not str`;
	if (padding.length === 4) return `${op}: padding must either be a single int, or a tuple of two ints`;
	for (const axis of AXES) {
		if (stride[axis] === 0) return "stride should not be zero";
		if (padding[axis] < 0) return `pad must be non-negative, but got pad: ${padding[axis]}`;
		if (padding[axis] > Math.trunc(along(setting, axis).span / 2)) return `pad should be at most half of effective kernel size, but got pad=${padding[axis]}, kernel_size=${kernel_size[axis]} and dilation=${dilation[axis]}`;
	}
	if (few(kernel_size, 1)) return positive("kernel size", `kH: ${kernel_size[0]} kW: ${kernel_size[1]}`);
	if (few(stride, 1)) return positive("stride", `dH: ${stride[0]} dW: ${stride[1]}`);
	if (few(dilation, 1)) return positive("dilation", `dilationH: ${dilation[0]} dilationW: ${dilation[1]}`);
	if (AXES.some((axis) => padding[axis] > Math.floor(kernel_size[axis] / 2))) return `pad should be smaller than or equal to half of kernel size, but got padW = ${padding[1]}, padH = ${padding[0]}, kW = ${kernel_size[1]}, kH = ${kernel_size[0]}`;
	const size = AXES.map((axis) => windows(along(setting, axis), setting.ceil_mode));
	if (few(size, 1)) return `Given input size: (${input.join("x")}). Calculated output size: (${input[0]}x${size[0]}x${size[1]}). Output size is too small`;
	return "";
};

const along = (setting, axis) => {
	const [before, after] = sides(setting)[axis];
	const kernel = setting.kernel_size[axis], dilation = setting.dilation[axis];
	return { size: setting.input[axis + 1], kernel, dilation, before, after, stride: setting.stride[axis], span: extent(kernel, dilation) };
};

const lengthTransposed = (setting, axis) => {
	const { size, stride, before, span } = along(setting, axis);
	return (size - 1) * stride - 2 * before + span + setting.output_padding[axis];
};

const product = (...numbers) => numbers.reduce((result, one) => result * BigInt(one), 1n);

/** What a layer does: {error, shape, dropped, sides, parameters, macs, bytes}. The counts are BigInt. */
const layer = (setting) => {
	const error = complaint(setting);
	if (error) return { error, shape: null, dropped: null };
	const { input, kernel_size, groups, bias } = setting;
	const pool = isPool(setting), transposed = isTransposed(setting);
	const size = AXES.map((axis) => (transposed ? lengthTransposed(setting, axis) : windows(along(setting, axis), pool && setting.ceil_mode)));
	const shape = [pool ? input[0] : setting.out_channels, ...size];
	const dropped = transposed ? null : AXES.map((axis) => {
		const { before, after, stride, span } = along(setting, axis);
		return Math.max(0, input[axis + 1] + before + after - (size[axis] - 1) * stride - span);
	});
	const weights = pool ? 0n : product(input[0] / groups, shape[0], ...kernel_size);
	return {
		error: "", shape, dropped, sides: sides(setting),
		parameters: weights + (bias && !pool ? BigInt(shape[0]) : 0n),
		macs: weights * product(...(transposed ? input.slice(1) : size)),
		bytes: 4n * product(...shape),
	};
};

/** The input index that a cell of the padded axis shows; -1 for a border of a constant. */
const source = (index, { size, before, after }, mode) => {
	const first = Math.max(0, -before), left = size - first - Math.max(0, -after);
	if (mode === "circular") return first + (((index - first) % left) + left) % left; // of what is not cut off
	if (index >= 0 && index < size) return index;
	if (mode === "replicate") return Math.min(Math.max(index, 0), size - 1);
	if (mode === "reflect") return index < 0 ? -index : 2 * (size - 1) - index;
	return -1;
};

/** Along one axis: what output cell `out` reads, as {kernel, at (from the input's start), cell (-1: border), outside}. */
const axisReads = (setting, out, axis) => {
	const numbers = along(setting, axis);
	const { size, kernel, stride, dilation, before, after } = numbers;
	return range(kernel).map((k) => {
		if (!isTransposed(setting)) {
			const at = out * stride - before + k * dilation;
			// A window of ceil_mode may reach beyond the padding.
			return { kernel: k, at, cell: source(at, numbers, setting.padding_mode), outside: at >= size + after };
		}
		const at = (out + before - k * dilation) / stride;
		return Number.isInteger(at) && at >= 0 && at < size ? { kernel: k, at, cell: at } : null;
	}).filter(Boolean);
};

/** The cells that output cell [channel, row, column] reads, in the order of the loops. */
const reads = (setting, [channel, row, column]) => {
	const { input, out_channels, groups } = setting;
	const rows = axisReads(setting, row, 0), columns = axisReads(setting, column, 1);
	const depth = input[0] / groups;
	const first = Math.floor(channel / (out_channels / groups)) * depth;
	const channels = isPool(setting) ? [channel] : range(depth).map((one) => first + one);
	return channels.flatMap((one, slice) => rows.flatMap((r) => columns.map((c) => {
		const border = r.cell < 0 || c.cell < 0;
		return {
			channel: one, row: border ? -1 : r.cell, column: border ? -1 : c.cell,
			at: [r.at, c.at], kernel: [slice, r.kernel, c.kernel], outside: r.outside || c.outside,
		};
	})));
};

/** What the input cell [row, column] takes part in: [row, column, kernel row, kernel column]. */
const feeds = (setting, shape, cell) => {
	const [rows, columns] = AXES.map((axis) => range(shape[axis + 1]).flatMap((out) => axisReads(setting, out, axis)
		.filter((read) => read.cell === cell[axis]).map(({ kernel }) => [out, kernel])));
	return rows.flatMap(([row, r]) => columns.map(([column, k]) => [row, column, r, k]));
};

// The weight of a transposed convolution is (in, out / groups, kH, kW).
const weightOf = (setting, weight, channel, read) => {
	const [slice, row, column] = read.kernel;
	if (!isTransposed(setting)) return weight[channel][slice][row][column];
	return weight[read.channel][channel % (setting.out_channels / setting.groups)][row][column];
};

/** One output value, with the terms that it is made of. `x` is [C][H][W]. */
const value = (setting, x, weight, bias, cell) => {
	const terms = reads(setting, cell).map((read) => ({
		read, number: read.row < 0 ? 0 : x[read.channel][read.row][read.column], weight: weight ? weightOf(setting, weight, cell[0], read) : 1,
	}));
	const sum = (list) => list.reduce((total, term) => total + term.number * term.weight, bias ? bias[cell[0]] : 0);
	if (!isPool(setting)) return { value: sum(terms), terms };
	const all = setting.op === "avg_pool2d" && setting.count_include_pad;
	const counted = terms.filter(({ read }) => (all ? !read.outside : read.row >= 0));
	if (setting.op === "max_pool2d") return { value: Math.max(...counted.map(({ number }) => number)), terms: counted };
	return { value: sum(counted) / counted.length, count: counted.length, terms: counted };
};

const forward = (setting, x, weight, bias) => {
	const { shape } = layer(setting);
	const [channels, rows, columns] = shape.map(range);
	return channels.map((c) => rows.map((r) => columns.map((k) => value(setting, x, weight, bias, [c, r, k]).value)));
};

/** A value as PyTorch's code has it; equal pairs are one number. */
const short = (value) => {
	if (typeof value === "string") return `"${value}"`;
	if (!Array.isArray(value)) return String(value);
	return value.length === 2 && value[0] === value[1] ? String(value[0]) : `(${value.join(", ")})`;
};

const code = (setting) => {
	const { input, kernel_size, stride, dilation, padding, groups } = setting;
	const words = [`kernel_size=${short(kernel_size)}`];
	const say = (name, text, usual) => { if (text !== usual) words.push(`${name}=${text}`); };
	const four = Array.isArray(padding) && padding.length === 4;
	say("stride", short(stride), isPool(setting) ? short(kernel_size) : "1");
	if (!four) say("padding", short(padding), "0");
	if (isTransposed(setting)) say("output_padding", short(setting.output_padding), "0");
	if (setting.op !== "avg_pool2d") say("dilation", short(dilation), "1");
	if (isPool(setting)) {
		say("ceil_mode", setting.ceil_mode ? "True" : "False", "False");
		if (setting.op === "avg_pool2d") say("count_include_pad", setting.count_include_pad ? "True" : "False", "True");
	} else {
		say("groups", `${groups}`, "1");
		say("bias", setting.bias ? "True" : "False", "True");
		if (!four) say("padding_mode", short(setting.padding_mode), '"zeros"');
	}
	if (!isPool(setting)) words.unshift(input[0], setting.out_channels);
	const call = `nn.${OPS[setting.op].layer}(${words.join(", ")})`;
	if (!four) return call;
	const pads = { zeros: "Zero", reflect: "Reflection", replicate: "Replication", circular: "Circular" };
	return `nn.Sequential(nn.${pads[setting.padding_mode]}Pad2d(${short(padding)}), ${call})`;
};

/** Receptive field of a stack of layers along one axis: {size, jump}, in input cells. */
const receptiveField = (settings, axis) => settings.reduce(({ size, jump }, setting) => {
	const { stride, span } = along(setting, axis);
	return { size: size + (span - 1) * jump, jump: jump * stride };
}, { size: 1, jump: 1 });

return { OPS, MODES, along, axisReads, code, extent, feeds, forward, isPool, isTransposed, layer, reads, range, receptiveField, short, sides, source, value };
})();
