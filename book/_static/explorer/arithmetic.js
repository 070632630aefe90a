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
const range = (length) => Array.from({ length }, (_, one) => one);
/** The nearest number from 0 to `most`. */
const clamp = (number, most) => Math.min(Math.max(number, 0), most);

const isPool = ({ op = "" }) => op.endsWith("pool2d");
const isTransposed = ({ op }) => op === "conv_transpose2d";

/** The numbers of each axis, height and width: `before` and `after` are the cells added there. */
const axesOf = ({ input, kernel_size, stride, dilation, padding, output_padding }) => [0, 1].map((axis) => {
	const reach = dilation[axis] * (kernel_size[axis] - 1), half = Math.floor(reach / 2);
	const [before, after] = padding === "valid" ? [0, 0]
		: padding === "same" ? [half, reach - half] // the odd cell at the end
		: padding.length === 4 ? padding.slice(2 - 2 * axis) : [padding[axis], padding[axis]];
	return {
		size: input[axis + 1], kernel: kernel_size[axis], stride: stride[axis], dilation: dilation[axis],
		before, after, padded: input[axis + 1] + before + after, span: reach + 1, extra: output_padding[axis],
	};
});

/** The size of the output along an axis. */
const lengthOf = (setting, { size, stride, before, padded, span, extra }) => {
	if (isTransposed(setting)) return (size - 1) * stride - 2 * before + span + extra;
	const ceil = isPool(setting) && setting.ceil_mode;
	const count = Math[ceil ? "ceil" : "floor"]((padded - span) / stride) + 1;
	// A window that starts behind the input would have only padding.
	return ceil && (count - 1) * stride >= size + before ? count - 1 : count;
};

const few = (pair, least) => pair.some((one) => one < least);
const positive = (what, got) => `${what} should be greater than zero, but got ${got}`;
const sides = (name, pair) => `${name}_height: ${pair[0]} ${name}_width: ${pair[1]}`;
const times = (pair) => `(${pair[0]} x ${pair[1]})`;
/** The text of the first check, [wrong, text], that finds something wrong; empty if none does. */
const first = (...checks) => checks.find(([wrong]) => wrong)?.[1] ?? "";

/** What PyTorch says of a setting, in its order of checks; empty if it takes it. */
const complaint = (setting, axes) => first(
	[few(setting.input, 1), `The input ${setting.input.join("x")} has no cells.`],
	[!axes.every(({ size, stride, span }) => Number.isSafeInteger(span) && Number.isSafeInteger(size * stride)), "These numbers are too large here."],
) || (isPool(setting) ? ofPooling : isTransposed(setting) ? ofTransposed : ofConvolution)(setting, axes);

const ofGroups = ({ input, out_channels, groups }) => first(
	[groups < 1, "groups must be a positive integer"],
	[input[0] % groups, "in_channels must be divisible by groups"],
	[out_channels % groups, "out_channels must be divisible by groups"],
);

const weightShape = ({ op, input, out_channels, groups, kernel_size }) => (isTransposed({ op })
	? [input[0], out_channels / groups, ...kernel_size] : [out_channels, input[0] / groups, ...kernel_size]);

const ofWeight = (setting) => {
	const { out_channels, groups } = setting;
	const sizes = weightShape(setting), shape = `[${sizes.join(", ")}]`;
	return first(
		[few(sizes, 0), `Trying to create tensor with negative dimension ${sizes.find((one) => one < 0)}: ${shape}`],
		[out_channels < 1, isTransposed(setting) ? `non-empty 2D or 4D weight tensor expected, but got: ${shape}`
			: `Given groups=${groups}, expected weight to be at least ${groups} at dimension 0, but got weight of size ${shape} instead`],
	);
};

/** What F.pad says; its negative numbers cut. */
const ofBorder = ({ input, padding, padding_mode }, axes) => {
	const low = axes.findLastIndex(({ size, before, after }) => Math.max(before, after) >= size);
	return first(
		[padding_mode === "zeros" && padding.length === 4 && axes.some(({ size, before, after }) => size + Math.min(before, 0) + Math.min(after, 0) < 0), "narrow(): length must be non-negative."],
		[padding_mode === "circular" && axes.some(({ size, before, after }) => Math.max(before, after) > size + Math.min(before, after, 0)), "Padding value causes wrapping around more than once."],
		[padding_mode === "reflect" && low >= 0, `Argument #${low ? 4 : 6}: Padding size should be less than the corresponding input dimension, but got: padding (${axes[low]?.before}, ${axes[low]?.after}) at dimension ${low + 2} of input [1, ${input.join(", ")}]`],
	);
};

const ofConvolution = (setting, axes) => {
	const { kernel_size, stride, dilation, padding, padding_mode } = setting;
	return ofGroups(setting) || first(
		[padding === "same" && stride.some((one) => one !== 1), "padding='same' is not supported for strided convolutions"],
		[!MODES.includes(padding_mode), `padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, but got padding_mode='${padding_mode}'`],
	) || ofWeight(setting) || ofBorder(setting, axes) || first(
		[few(kernel_size, 1), positive("kernel size", sides("kernel", kernel_size))],
		[few(dilation, 1), positive("dilation", `[${dilation.join(", ")}]`)],
		[few(stride, 1), "non-positive stride is not supported"],
		[padding_mode === "zeros" && padding.length === 2 && few(padding, 0), "negative padding is not supported"],
		[axes.some(({ span, padded }) => span > padded), `Calculated padded input size per channel: ${times(axes.map(({ padded }) => padded))}. Kernel size: ${times(axes.map(({ span }) => span))}. Kernel size can't be greater than actual input size`],
	);
};

const ofTransposed = (setting, axes) => {
	const { input, kernel_size, stride, dilation, padding, output_padding, padding_mode } = setting;
	const size = axes.map((one) => lengthOf(setting, one));
	return first([padding_mode !== "zeros", 'Only "zeros" padding mode is supported for ConvTranspose2d']) || ofGroups(setting) || ofWeight(setting) || first(
		[typeof padding === "string", "conv_transpose2d(): argument 'padding' (position 5) must be tuple of ints, but found element of type str at pos 0"],
		[padding.length === 4, `expected padding to be a single integer value or a list of 2 values to match the convolution dimensions, but got padding=[${[...padding].join(", ")}]`],
		[axes.some(({ before }) => before < 0), "negative padding is not supported"],
		[few(kernel_size, 1), positive("kernel size", sides("kernel", kernel_size))],
		[few(stride, 1), "non-positive stride is not supported"],
		[few(output_padding, 0), "negative output_padding is not supported"],
		[few(dilation, 1), "dilation should be greater than zero"],
		[axes.some((one) => one.extra >= Math.max(one.stride, one.dilation)), `output padding must be smaller than either stride or dilation, but got ${sides("output_padding", output_padding)} ${sides("stride", stride)} ${sides("dilation", dilation)}`],
		[few(size, 1), `Given input size per channel: ${times(input.slice(1))}. Calculated output size per channel: ${times(size)}. Output size is too small`],
	);
};

const ofPooling = (setting, axes) => {
	const { op, input, kernel_size, stride, dilation, padding } = setting;
	const foreign = setting.groups !== 1 ? "groups" : setting.padding_mode !== "zeros" ? "padding_mode" : op === "avg_pool2d" && dilation.some((one) => one !== 1) ? "dilation" : "";
	const size = axes.map((one) => lengthOf(setting, one));
	return first(
		[foreign, `${op === "max_pool2d" ? "_MaxPoolNd" : "AvgPool2d"}.__init__() got an unexpected keyword argument '${foreign}'`],
		[typeof padding === "string", `${op}(): argument 'padding' (position 4) must be tuple of ints, not str`],
		[padding.length === 4, `${op}: padding must either be a single int, or a tuple of two ints`],
		...axes.flatMap((one) => [
			[one.stride === 0, "stride should not be zero"],
			[one.before < 0, `pad must be non-negative, but got pad: ${one.before}`],
			[one.before > Math.trunc(one.span / 2), `pad should be at most half of effective kernel size, but got pad=${one.before}, kernel_size=${one.kernel} and dilation=${one.dilation}`],
		]),
		[few(kernel_size, 1), positive("kernel size", `kH: ${kernel_size[0]} kW: ${kernel_size[1]}`)],
		[few(stride, 1), positive("stride", `dH: ${stride[0]} dW: ${stride[1]}`)],
		[few(dilation, 1), positive("dilation", `dilationH: ${dilation[0]} dilationW: ${dilation[1]}`)],
		[axes.some(({ before, kernel }) => before > Math.floor(kernel / 2)), `pad should be smaller than or equal to half of kernel size, but got padW = ${padding[1]}, padH = ${padding[0]}, kW = ${kernel_size[1]}, kH = ${kernel_size[0]}`],
		[few(size, 1), `Given input size: (${input.join("x")}). Calculated output size: (${input[0]}x${size[0]}x${size[1]}). Output size is too small`],
	);
};

const product = (...numbers) => numbers.reduce((result, one) => result * BigInt(one), 1n);

/** What a layer does: {error}, or {error: "", axes, shape, dropped, parameters, macs, bytes}. The counts are BigInt. */
const layer = (setting) => {
	const axes = axesOf(setting), error = complaint(setting, axes);
	if (error) return { error };
	const { input, groups, bias } = setting;
	const pool = isPool(setting), transposed = isTransposed(setting);
	const size = axes.map((one) => lengthOf(setting, one));
	const shape = [pool ? input[0] : setting.out_channels, ...size];
	const weights = pool ? 0n : product(...weightShape(setting));
	return {
		error, axes, shape,
		dropped: transposed ? null : axes.map(({ padded, stride, span }, axis) => Math.max(0, padded - (size[axis] - 1) * stride - span)),
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
	if (mode === "replicate") return clamp(index, size - 1);
	if (mode === "reflect") return index < 0 ? -index : 2 * (size - 1) - index;
	return -1;
};

/** Along one axis: what output cell `out` reads, as {kernel, at (from the input's start), cell (-1: border), outside}. */
const axisReads = (setting, out, axis) => {
	const numbers = axesOf(setting)[axis];
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
	const [rows, columns] = cell.map((at, axis) => range(shape[axis + 1]).flatMap((out) => axisReads(setting, out, axis)
		.filter((read) => read.cell === at).map(({ kernel }) => [out, kernel])));
	return rows.flatMap(([row, r]) => columns.map(([column, k]) => [row, column, r, k]));
};

/** The part [row][column] of the weight with which slice `slice` of a group goes into output `channel`. */
const plane = (setting, weight, channel, slice) => {
	if (!isTransposed(setting)) return weight[channel][slice];
	const { input, out_channels, groups } = setting, per = out_channels / groups;
	return weight[Math.floor(channel / per) * (input[0] / groups) + slice][channel % per];
};

/** One output value, with the terms that it is made of. `x` is [C][H][W]. */
const value = (setting, x, weight, bias, cell) => {
	const terms = reads(setting, cell).map((read) => {
		const [slice, row, column] = read.kernel;
		return { read, number: read.row < 0 ? 0 : x[read.channel][read.row][read.column], weight: weight ? plane(setting, weight, cell[0], slice)[row][column] : 1 };
	});
	const sum = (list) => list.reduce((total, term) => total + term.number * term.weight, bias ? bias[cell[0]] : 0);
	if (!isPool(setting)) return { value: sum(terms), terms };
	const all = setting.op === "avg_pool2d" && setting.count_include_pad;
	const counted = terms.filter(({ read }) => (all ? !read.outside : read.row >= 0));
	if (setting.op === "max_pool2d") return { value: Math.max(...counted.map(({ number }) => number)), terms: counted };
	return { value: sum(counted) / counted.length, count: counted.length, terms: counted };
};

const forward = (setting, x, weight, bias) => {
	const [channels, rows, columns] = layer(setting).shape.map(range);
	return channels.map((c) => rows.map((r) => columns.map((k) => value(setting, x, weight, bias, [c, r, k]).value)));
};

/** Receptive field of a stack of layers along one axis: {size, jump}, in input cells. */
const receptiveField = (settings, axis) => settings.reduce(({ size, jump }, setting) => {
	const { stride, span } = axesOf(setting)[axis];
	return { size: size + (span - 1) * jump, jump: jump * stride };
}, { size: 1, jump: 1 });

return { OPS, MODES, axesOf, axisReads, clamp, feeds, forward, isPool, isTransposed, layer, plane, range, reads, receptiveField, source, value, weightShape };
})();
