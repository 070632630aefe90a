/* The arithmetic of convolution and pooling: the twin of convlab.shapes and of the naive loops.

	 A setting is an object with PyTorch's argument names: op, input [C, H, W], out_channels,
	 kernel_size, stride, dilation, output_padding (pairs), padding ("same", "valid", a pair, or four
	 numbers left, right, top, bottom), groups, bias, padding_mode, ceil_mode, count_include_pad.
	 `layer` gives what a layer with this setting does to shapes; `reads` and `feeds` say which cells
	 an output cell is computed from, and which output cells an input cell takes part in. */
window.Explorer = window.Explorer || {};
Explorer.arithmetic = (() => {
	"use strict";
	const LARGEST = 2 ** 31 - 1;
	const OPS = {
		conv2d: { title: "convolution", layer: "Conv2d" },
		conv_transpose2d: { title: "transposed convolution", layer: "ConvTranspose2d" },
		max_pool2d: { title: "max pooling", layer: "MaxPool2d" },
		avg_pool2d: { title: "average pooling", layer: "AvgPool2d" },
	};
	const MODES = ["zeros", "reflect", "replicate", "circular"];
	const AXES = [0, 1]; // height, width

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

	/** Number of windows along one axis. */
	const windows = (size, kernel, stride, before, after, dilation, ceil) => {
		const free = size + before + after - extent(kernel, dilation);
		let count = (ceil ? Math.ceil(free / stride) : Math.floor(free / stride)) + 1;
		// A window that starts behind the input would have only padding.
		if (ceil && (count - 1) * stride >= size + before) count -= 1;
		return count;
	};

	const positive = (what, got) => `${what} should be greater than zero, but got ${got}`;
	const both = (name, pair) => `${name}_height: ${pair[0]} ${name}_width: ${pair[1]}`;
	const times = (pair) => `(${pair[0]} x ${pair[1]})`;

	/** What PyTorch says of a setting, in its order of checks; empty if it takes it. */
	const complaint = (setting) => {
		const { kernel_size, stride, dilation, padding, groups, input } = setting;
		const few = (pair, least) => pair.some((one) => one < least);
		const named = { out_channels: setting.out_channels, kernel_size, stride, dilation, padding, groups,
			output_padding: setting.output_padding, input };
		for (const [name, value] of Object.entries(named)) {
			const large = [value].flat().find((one) => one > LARGEST);
			if (large !== undefined) return `${name}=${large} is larger than ${LARGEST}, the largest number that is computed with here.`;
		}
		if (few(input, 1)) return `The input ${input.join("x")} has no cells: channels, height and width are at least 1.`;
		return isPool(setting) ? ofPooling(setting, few) : isTransposed(setting) ? ofTransposed(setting, few) : ofConvolution(setting, few);
	};

	const ofChannels = ({ input, out_channels, groups, kernel_size }) => {
		if (groups < 1) return "groups must be a positive integer";
		if (input[0] % groups) return "in_channels must be divisible by groups";
		if (out_channels % groups) return "out_channels must be divisible by groups";
		if (out_channels < 0) return `Trying to create tensor with negative dimension ${out_channels}`;
		if (out_channels === 0) return "out_channels is 0: the layer would have no kernel.";
		const negative = kernel_size.find((one) => one < 0);
		return negative === undefined ? "" : `Trying to create tensor with negative dimension ${negative}`;
	};

	const ofConvolution = (setting, few) => {
		const { input, kernel_size, stride, dilation, padding, padding_mode } = setting;
		const size = input.slice(1);
		const channels = ofChannels(setting);
		if (channels) return channels;
		if (padding === "same" && stride.some((one) => one !== 1)) return "padding='same' is not supported for strided convolutions";
		if (!MODES.includes(padding_mode)) return `padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, but got padding_mode='${padding_mode}'`;
		if (few(kernel_size, 1)) return positive("kernel size", both("kernel", kernel_size));
		if (few(dilation, 1)) return positive("dilation", `[${dilation.join(", ")}]`);
		if (few(stride, 1)) return "non-positive stride is not supported";
		const added = sides(setting);
		if (few(added.flat(), 0) && (padding.length === 4) !== (padding_mode === "zeros")) return "negative padding is not supported"; // F.pad cuts
		if (padding_mode === "circular" && AXES.some((axis) => Math.max(...added[axis]) > size[axis])) return "Padding value causes wrapping around more than once.";
		for (const axis of padding_mode === "reflect" ? [1, 0] : []) {
			if (Math.max(...added[axis]) >= size[axis]) return `Argument #${axis ? 4 : 6}: Padding size should be less than the corresponding input dimension, but got: padding (${added[axis].join(", ")}) at dimension ${axis + 2} of input [1, ${input.join(", ")}]`;
		}
		const padded = AXES.map((axis) => size[axis] + added[axis][0] + added[axis][1]);
		const spans = AXES.map((axis) => extent(kernel_size[axis], dilation[axis]));
		if (AXES.some((axis) => spans[axis] > padded[axis])) return `Calculated padded input size per channel: ${times(padded)}. Kernel size: ${times(spans)}. Kernel size can't be greater than actual input size`;
		return "";
	};

	const ofTransposed = (setting, few) => {
		const { input, kernel_size, stride, dilation, padding, output_padding, padding_mode } = setting;
		const channels = ofChannels(setting);
		if (channels) return channels;
		if (padding_mode !== "zeros") return 'Only "zeros" padding mode is supported for ConvTranspose2d';
		if (typeof padding === "string") return "conv_transpose2d(): argument 'padding' (position 5) must be tuple of ints, but found element of type str at pos 0";
		if (padding.length === 4) return "nn.ConvTranspose2d takes one padding for both sides of an axis, not four.";
		if (few(kernel_size, 1)) return positive("kernel size", both("kernel", kernel_size));
		if (few(stride, 1)) return "non-positive stride is not supported";
		if (few(padding, 0)) return "negative padding is not supported";
		if (few(output_padding, 0)) return "negative output_padding is not supported";
		if (few(dilation, 1)) return positive("dilation", `dilation_height: ${dilation[0]}, dilation_width: ${dilation[1]}`);
		if (AXES.some((axis) => output_padding[axis] >= Math.max(stride[axis], dilation[axis]))) return `output padding must be smaller than either stride or dilation, but got ${both("output_padding", output_padding)} ${both("stride", stride)} ${both("dilation", dilation)}`;
		const size = AXES.map((axis) => lengthTransposed(setting, axis));
		if (few(size, 1)) return `Given input size per channel: ${times(input.slice(1))}. Calculated output size per channel: ${times(size)}. Output size is too small`;
		return "";
	};

	const ofPooling = (setting, few) => {
		const { op, input, kernel_size, stride, dilation, padding, ceil_mode } = setting;
		if (setting.groups !== 1) return "Pooling has no groups: each channel is pooled by itself.";
		if (setting.padding_mode !== "zeros") return "Pooling has no padding_mode.";
		if (typeof padding === "string" || padding.length === 4) return "Pooling takes one padding for both sides of an axis, as a number.";
		if (op === "avg_pool2d" && dilation.some((one) => one !== 1)) return "AvgPool2d has no dilation.";
		if (stride.includes(0)) return "stride should not be zero";
		if (few(kernel_size, 1)) return positive("kernel size", `kH: ${kernel_size[0]} kW: ${kernel_size[1]}`);
		if (few(stride, 1)) return positive("stride", `dH: ${stride[0]} dW: ${stride[1]}`);
		if (few(dilation, 1)) return positive("dilation", `dilationH: ${dilation[0]} dilationW: ${dilation[1]}`);
		const negative = padding.find((one) => one < 0);
		if (negative !== undefined) return `pad must be non-negative, but got pad: ${negative}`;
		for (const axis of AXES) {
			if (padding[axis] > extent(kernel_size[axis], dilation[axis]) / 2) return `pad should be at most half of effective kernel size, but got pad=${padding[axis]}, kernel_size=${kernel_size[axis]} and dilation=${dilation[axis]}`;
		}
		if (AXES.some((axis) => padding[axis] > Math.floor(kernel_size[axis] / 2))) return `pad should be smaller than or equal to half of kernel size, but got padW = ${padding[1]}, padH = ${padding[0]}, kW = ${kernel_size[1]}, kH = ${kernel_size[0]}`;
		const size = AXES.map((axis) => windows(input[axis + 1], kernel_size[axis], stride[axis], padding[axis], padding[axis], dilation[axis], ceil_mode));
		if (few(size, 1)) return `Given input size: (${input.join("x")}). Calculated output size: (${input[0]}x${size[0]}x${size[1]}). Output size is too small`;
		return "";
	};

	const lengthTransposed = ({ input, kernel_size, stride, dilation, padding, output_padding }, axis) =>
		(input[axis + 1] - 1) * stride[axis] - 2 * padding[axis] + extent(kernel_size[axis], dilation[axis]) + output_padding[axis];

	const product = (...numbers) => numbers.reduce((result, one) => result * BigInt(one), 1n);

	/** What a layer does: {error, shape, dropped, sides, parameters, macs, bytes}. The counts are BigInt. */
	const layer = (setting) => {
		const error = complaint(setting);
		if (error) return { error, shape: null, dropped: null };
		const { input, kernel_size, stride, dilation, groups, bias } = setting;
		const added = sides(setting);
		const size = AXES.map((axis) => (isTransposed(setting)
			? lengthTransposed(setting, axis)
			: windows(input[axis + 1], kernel_size[axis], stride[axis], ...added[axis], dilation[axis], isPool(setting) && setting.ceil_mode)));
		const channels = isPool(setting) ? input[0] : setting.out_channels;
		const shape = [channels, ...size];
		const dropped = isTransposed(setting) ? null : AXES.map((axis) => Math.max(0,
			input[axis + 1] + added[axis][0] + added[axis][1] - (size[axis] - 1) * stride[axis] - extent(kernel_size[axis], dilation[axis])));
		const weights = isPool(setting) ? 0n : product(input[0] / groups, channels, ...kernel_size);
		const places = isTransposed(setting) ? input.slice(1) : size;
		return {
			error: "", shape, dropped, sides: added,
			parameters: weights + (bias && !isPool(setting) ? BigInt(channels) : 0n),
			macs: weights * product(...places),
			bytes: 4n * product(...shape),
		};
	};

	/** The input index that a cell of the padded axis shows; -1 for a border of a constant. */
	const source = (index, size, mode) => {
		if (index >= 0 && index < size) return index;
		if (mode === "replicate") return Math.min(Math.max(index, 0), size - 1);
		if (mode === "circular") return ((index % size) + size) % size;
		if (mode === "reflect") return index < 0 ? -index : 2 * (size - 1) - index;
		return -1;
	};

	/** The channels that an output channel reads, and its place among the kernels of its group. */
	const channelsRead = ({ input, out_channels, groups }, channel) => {
		const depth = input[0] / groups;
		const group = Math.floor(channel / (out_channels / groups));
		return Array.from({ length: depth }, (_, one) => group * depth + one);
	};

	/** Along one axis: what output cell `out` reads, as {kernel, at (padded, from the input's start), cell}. */
	const axisReads = (setting, out, axis) => {
		const { kernel_size, stride, dilation, padding_mode } = setting;
		const size = setting.input[axis + 1];
		const [before, after] = sides(setting)[axis];
		const found = [];
		for (let k = 0; k < kernel_size[axis]; k += 1) {
			if (isTransposed(setting)) {
				const spread = out + before - k * dilation[axis];
				if (spread % stride[axis] === 0 && spread >= 0 && spread / stride[axis] < size) {
					found.push({ kernel: k, at: spread / stride[axis], cell: spread / stride[axis] });
				}
			} else {
				const at = out * stride[axis] - before + k * dilation[axis];
				// A window of ceil_mode may reach beyond the padding.
				found.push({ kernel: k, at, cell: source(at, size, padding_mode), outside: at >= size + after });
			}
		}
		return found;
	};

	/** All cells that output cell [channel, row, column] is computed from, in the order of the loops:
			{channel, row, column (-1: border), at: [row, column], kernel: [slice, row, column], outside}. */
	const reads = (setting, [channel, row, column]) => {
		const rows = axisReads(setting, row, 0);
		const columns = axisReads(setting, column, 1);
		const channels = isPool(setting) ? [channel] : channelsRead(setting, channel);
		return channels.flatMap((one, slice) => rows.flatMap((r) => columns.map((c) => {
			const border = r.cell < 0 || c.cell < 0;
			return {
				channel: one, row: border ? -1 : r.cell, column: border ? -1 : c.cell,
				at: [r.at, c.at], kernel: [slice, r.kernel, c.kernel], outside: Boolean(r.outside || c.outside),
			};
		})));
	};

	/** Rows and columns of output cells that the input cell [row, column] takes part in. */
	const feeds = (setting, shape, [row, column]) => {
		const along = (index, axis) => Array.from({ length: shape[axis + 1] }, (_, out) => out)
			.filter((out) => axisReads(setting, out, axis).some(({ cell }) => cell === index));
		const columns = along(column, 1);
		return along(row, 0).flatMap((r) => columns.map((c) => [r, c]));
	};

	/** The weight that output channel `channel` gives to a cell; for a transposed convolution the
			kernel of the input channel, as in PyTorch: (in, out / groups, kH, kW). */
	const weightOf = (setting, weight, channel, read) => {
		const [slice, row, column] = read.kernel;
		if (!isTransposed(setting)) return weight[channel][slice][row][column];
		return weight[read.channel][channel % (setting.out_channels / setting.groups)][row][column];
	};

	/** One output value, with the terms that it is made of. `x` is [C][H][W]. */
	const value = (setting, x, weight, bias, cell) => {
		const found = reads(setting, cell);
		const number = (read) => (read.row < 0 ? 0 : x[read.channel][read.row][read.column]);
		if (setting.op === "max_pool2d") {
			const inside = found.filter((read) => read.row >= 0);
			return { value: Math.max(...inside.map(number)), terms: inside.map((read) => ({ read, number: number(read) })) };
		}
		if (setting.op === "avg_pool2d") {
			const counted = found.filter((read) => (setting.count_include_pad ? !read.outside : read.row >= 0));
			const sum = counted.reduce((total, read) => total + number(read), 0);
			return { value: sum / counted.length, count: counted.length, terms: counted.map((read) => ({ read, number: number(read) })) };
		}
		const terms = found.map((read) => ({ read, number: number(read), weight: weightOf(setting, weight, cell[0], read) }));
		const start = bias ? bias[cell[0]] : 0;
		return { value: terms.reduce((total, term) => total + term.number * term.weight, start), terms };
	};

	/** The whole output, [C][H][W]. */
	const forward = (setting, x, weight, bias) => {
		const { shape, error } = layer(setting);
		if (error) throw new Error(error);
		const [channels, rows, columns] = shape.map((length) => Array.from({ length }, (_, one) => one));
		return channels.map((c) => rows.map((r) => columns.map((k) => value(setting, x, weight, bias, [c, r, k]).value)));
	};

	const short = (pair) => (pair[0] === pair[1] ? `${pair[0]}` : `(${pair.join(", ")})`);

	/** The line of PyTorch that makes the layer. */
	const code = (setting) => {
		const { input, kernel_size, stride, dilation, padding, groups } = setting;
		const words = [`kernel_size=${short(kernel_size)}`];
		const say = (name, text, usual) => { if (text !== usual) words.push(`${name}=${text}`); };
		const four = Array.isArray(padding) && padding.length === 4;
		say("stride", short(stride), isPool(setting) ? short(kernel_size) : "1");
		if (!four) say("padding", typeof padding === "string" ? `"${padding}"` : short(padding), "0");
		if (isTransposed(setting)) say("output_padding", short(setting.output_padding), "0");
		if (setting.op !== "avg_pool2d") say("dilation", short(dilation), "1");
		if (isPool(setting)) {
			say("ceil_mode", setting.ceil_mode ? "True" : "False", "False");
			if (setting.op === "avg_pool2d") say("count_include_pad", setting.count_include_pad ? "True" : "False", "True");
		} else {
			say("groups", `${groups}`, "1");
			say("bias", setting.bias ? "True" : "False", "True");
			if (!four) say("padding_mode", `"${setting.padding_mode}"`, '"zeros"');
		}
		if (!isPool(setting)) words.unshift(input[0], setting.out_channels);
		const call = `nn.${OPS[setting.op].layer}(${words.join(", ")})`;
		if (!four) return call;
		const pads = { zeros: "Zero", reflect: "Reflection", replicate: "Replication", circular: "Circular" };
		return `nn.Sequential(nn.${pads[setting.padding_mode]}Pad2d((${padding.join(", ")})), ${call})`;
	};

	/** Receptive field of a stack of layers along one axis: {size, jump, start}, in input cells. */
	const receptiveField = (settings, axis) => settings.reduce(({ size, jump, start }, setting) => ({
		size: size + (extent(setting.kernel_size[axis], setting.dilation[axis]) - 1) * jump,
		jump: jump * setting.stride[axis],
		start: start - sides(setting)[axis][0] * jump,
	}), { size: 1, jump: 1, start: 0 });

	return { OPS, MODES, LARGEST, axisReads, code, extent, feeds, forward, isPool, isTransposed, layer, reads, receptiveField, sides, source, value, windows };
})();
