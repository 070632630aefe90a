/* The messages of PyTorch, today's and those of 2.4: their words, and what is said of their numbers. */
window.Errors ??= {};

/** The entries of the page, and the cause that convlab.explain gives each. */
Errors.causes = Object.fromEntries(Object.entries({
	channels: "channels weight-too-deep transposed-channels group-norm-channels",
	channels_last_image: "channels-last",
	missing_axis: "grey-batch conv-axes pool-axes avgpool-axes adaptive-axes linear-no-batch norm-axes",
	extra_axis: "conv-video norm1d-axes",
	missing_flatten: "linear-no-flatten",
	linear_after_flatten: "linear-after-flatten view",
	features: "linear-features layer-norm",
	kernel_larger_than_input: "kernel kernel-dilation pool-size",
	pool_padding: "pool-padding pool-padding-dilation",
	padding_mode_too_large: "reflect circular",
	transposed_size: "output-padding output-size",
	empty_output: "transposed-empty empty-input",
	groups_do_not_divide: "in-channels-groups out-channels-groups weight-groups group-norm-groups group-norm-made",
	same_with_stride: "same-stride",
	not_an_integer: "float-argument float-channels float-pool",
	integer_image: "bytes linear-integers norm-bytes average-bytes mean-bytes",
	dtype_mismatch: "float64 float64-no-bias half-model matmul-dtype norm-float64 embedding-float loss-float bce-integers bce-probabilities",
	device_mismatch: "device",
	batchnorm_channels: "norm-channels",
	batchnorm_single_value: "norm-single instance-norm",
	skip_connection_shapes: "skip normalize",
	concat_shapes: "concat concat-axes stack",
	target_shape: "loss-batch loss-column loss-onehot loss-maps loss-maps-size loss-no-pooling loss-positions bce-shape",
	target_range: "loss-range",
	state_dict_mismatch: "state-keys state-shape state-checkpoint",
	unknown: "view-stride pad-numbers dilation-zero stride-zero padding-negative padding-word padding-four padding-mode keyword missing-argument lowercase groups-zero embedding-range numpy-array list-input numpy-grad bce-range one-hot-range state-not-dict load-pickle load-cuda optimizer adaptive-size kernel-zero stride-three bias-size pad-mode unscale tuple-input none-input negative-stride numpy-device collate module-init module-forward optimizer-empty",
}).flatMap(([cause, names]) => names.split(" ").map((name) => [`error-${name}`, cause])));

/** Mistakes that raise no error: of a warning of convlab, the entry. */
Errors.silent = {
	softmax_before_cross_entropy: "silent-softmax", target_broadcasts: "silent-loss",
	maps_broadcast: "silent-sum", batch_as_channels: "silent-grey-batch",
};

/** Sections of other chapters: the page and what they treat. */
Errors.elsewhere = {
	"wrong-backward-scalar": ["gradients", "Backward of a map"],
	"wrong-no-grad": ["gradients", "Detached, or made under no_grad"],
	"wrong-backward-twice": ["gradients", "Backward a second time"],
	"wrong-old-code": ["parameters", "Changed in place"],
	"wrong-fill-parameter": ["init", "A parameter that is filled"],
	"wrong-label-out-of-range": ["training", "A label that is not a class, on a GPU"],
	"sec-batch-size": ["scaling", "A batch in parts"],
	"sec-formats": ["scaling", "Mixed precision"],
};

Errors.messages = (() => {
"use strict";
const shape = (list) => `(${list.join(", ")}${list.length === 1 ? "," : ""})`;
const product = (list) => list.reduce((all, one) => all * one, 1);
const axes = (rank) => ["depth", "height", "width"].slice(-rank).map((name) => (rank === 1 ? "length" : name));
const count = (number, name) => `${number} ${name}${number === 1 ? "" : "s"}`;
const divisors = (number) => Array.from({ length: Math.min(number, 4096) }, (_, one) => one + 1).filter((one) => number % one === 0);
/** A setting of the explorer; `same` tells that it shows the message that was pasted. */
const explorer = (same, op, input, more = {}) => ({
	same,
	address: Object.entries({ op, input: input.join("x"), ...more })
		.map(([name, value]) => `${name}=${Array.isArray(value) ? [...new Set(value)].length === 1 ? value[0] : value.join("x") : value}`).join("&"),
});
/** An entry without numbers, or with a few: what is said, and cures. */
const plain = (entry, words, says, cures = [], more = {}) => {
	const fill = (text, numbers) => text.replace(/\{(\w+)\}/g, (_, name) => (Array.isArray(numbers[name]) ? shape(numbers[name]) : numbers[name]));
	return {
		words: [words].flat(), entries: [entry], ...more,
		answer: (numbers) => [{ entry, says: [says].flat().map((text) => fill(text, numbers)), cures: [cures].flat().map((text) => fill(text, numbers)) }],
	};
};

Errors.tools = { count, plain };

const DTYPES = {
	Byte: "uint8", "unsigned char": "uint8", Char: "int8", "signed char": "int8", Short: "int16", Int: "int32", Long: "int64", "long int": "int64",
	Bool: "bool", Half: "float16", BFloat16: "bfloat16", Float: "float32", Double: "float64", ComplexFloat: "complex64", ComplexDouble: "complex128",
};
/** PyTorch's name of a dtype, for any of the names in its messages: `c10::Half`, `torch.cuda.ByteTensor`. */
const dtype = (name) => {
	const bare = name.replace(/^(?:torch\.(?:\w+\.)?|c10::)/, "").replace(/Tensor$|^(?:MPS|CUDA|CPU|XPU|HPU|XLA)(?=\w+Type$)/g, "").replace(/Type$/, "");
	return DTYPES[bare] ?? DTYPES[bare[0].toUpperCase() + bare.slice(1)] ?? bare;
};
const isInteger = (name) => /^(?:u?int|bool)/.test(dtype(name));
const toFloat = (name) => (dtype(name) === "uint8" ? "`x.to(torch.float32) / 255`, if the bytes are an image" : "`x.to(torch.float32)`");

const CHANNELS = "weight of size [{weight:list}], expected input[{input:list}] to have {expected:n} channels, but got {got:n} channels instead";

const ofChannels = ({ groups = 1, transposed, weight, input, expected, got }, { functions }) => {
	const says = [`The layer takes ${count(expected, "channel")}; the input${input ? ` ${shape(input)}` : ""} has ${got}.`];
	if (!input) return ["channels", "channels-last", "grey-batch"].map((name) => ({ entry: `error-${name}`, says }));
	const rank = input.length - 2, last = input.at(-1), size = input.slice(2), kernel_size = weight.slice(2);
	const op = transposed ? "conv_transpose2d" : "conv2d", out = transposed ? weight[1] : weight[0];
	const fits = rank === 2 && got > 0 && got % groups === 0 && out % groups === 0;
	const layer = (channels, cells) => (fits || channels !== got ? explorer(false, op, [channels, ...cells], { out_channels: out, kernel_size, ...(groups > 1 && { groups }) }) : null);
	const cures = [`the layer for this input: \`in_channels=${got}\``];
	if (got === 1 && expected === 3 && rank === 2) cures.unshift("repeat the grey channel: `x.repeat(1, 3, 1, 1)`; for `(C, H, W)`, `x.repeat(3, 1, 1)`");
	else if (got === 1) cures.push(`repeat the only channel: \`x.repeat(1, ${expected}${", 1".repeat(rank)})\``);
	if (got === 4 && expected === 3 && rank === 2) cures.unshift("drop the alpha channel: `x[..., :3, :, :]`");
	if (got === 3 && expected === 1) cures.push("a color image made grey: `x.mean(dim=1, keepdim=True)`");
	// In a layer, `groups` is in the shape of its weight.
	const parts = got / expected;
	if (groups === 1 && !transposed && expected > 1 && parts > 1 && out % parts === 0 && !functions.includes("_conv_forward")) cures.push(`\`groups=${parts}\`, if it was forgotten: the weight takes ${expected} channels per group, and ${parts} * ${expected} = ${got}`);
	if (groups > 1) says.push(`\`groups=${groups}\`: ${weight[1]} per group * ${groups} groups = ${expected}.`);
	const channels = { entry: transposed ? "error-transposed-channels" : "error-channels", says, cures, explorer: fits ? layer(got, size) : null };
	if (rank === 3 && input[2] === expected) {
		const video = [input[0], input[2], input[1], ...input.slice(3)];
		return [{ ...channels, says: [...says, `Axis 2 has ${expected}: the frames stand before the channels.`], cures: [`\`x.transpose(1, 2)\` gives ${shape(video)}`, ...cures] }];
	}
	const order = [0, rank + 1, ...Array.from({ length: rank }, (_, axis) => axis + 1)];
	const moved = order.map((axis) => input[axis]);
	const lastAxis = {
		entry: "error-channels-last",
		says: [`The layer takes ${count(expected, "channel")} and reads them at axis 1, where the input ${shape(input)} has ${input[1]}. Its last axis has ${last}: the channels stand last.`],
		cures: [`\`x.permute(${order.join(", ")})\` gives ${shape(moved)}`, ...(input[0] === 1 ? ["an image without a batch has one axis less: `x.permute(2, 0, 1)`"].slice(0, rank === 2 ? 1 : 0) : [])],
		explorer: rank === 2 && groups === 1 ? layer(expected, moved.slice(2)) : null,
	};
	if (groups > 1 && got === weight[1] && got % groups === 0) {
		return [{
			entry: "error-weight-too-deep", says: [...says, `The weight has ${weight[1]} channels per group, as many as the whole input.`],
			cures: [`a weight of shape ${shape([weight[0], got / groups, ...kernel_size])}: ${got} channels / ${groups} groups`],
			explorer: fits ? layer(got, size) : null,
		}, channels];
	}
	if (last === expected) {
		const looksLast = expected <= 4 || rank === 1 || (input[1] === input[rank] && last !== input[rank]);
		// A small map inside a network may have this width by chance; a picture is larger.
		if (looksLast && Math.min(...input.slice(1, -1)) >= 16) return [lastAxis];
		if (looksLast) return rank === 2 && last === input[2] ? [channels, lastAxis] : [lastAxis, channels];
		if (input[0] === 1) return [channels, lastAxis];
	} else if (expected > 1 && expected <= 4 && last > expected && last <= expected + 6 && got >= last) {
		// Padding of another mode than zeros is in the shape already.
		return [channels, { ...lastAxis, says: ["If the layer has a `padding_mode`, its padding is in this shape, and the channels may stand last."], cures: [`\`x.permute(${order.join(", ")})\``], explorer: null }];
	} else if (expected === 1 && input[0] === 1) {
		const grey = {
			entry: "error-grey-batch",
			says: [`Without an axis for the batch, ${count(got, "grey image")} of ${size.join(" x ")} are read as one image of ${count(got, "channel")}.`],
			cures: [`add the axis of the channels: \`x.unsqueeze(1)\` gives ${shape([got, 1, ...size])}`],
			explorer: rank === 2 ? layer(1, size) : null,
		};
		return got === 3 || got === 4 ? [channels, grey] : [grey, channels];
	}
	return [channels];
};

const ofKernel = ({ input, kernel }) => {
	const names = axes(input.length);
	const short = names.map((name, axis) => ({ name, kernel: kernel[axis], input: input[axis] })).filter((axis) => axis.kernel > axis.input);
	const says = short.map((axis) => `In ${axis.name}, the window spans ${axis.kernel} cells, and the input has ${axis.input} with its padding. ${axis.kernel} > ${axis.input}.`);
	const more = Math.max(...short.map((axis) => Math.ceil((axis.kernel - axis.input) / 2)));
	const cures = [
		`a kernel that fits: at most ${input.join(" x ")}`,
		`\`padding\` larger by ${more}`,
		`an input that is larger by ${short.map((axis) => `${axis.kernel - axis.input} in ${axis.name}`).join(" and ")}`,
	];
	const setting = input.length === 2 ? explorer(true, "conv2d", [1, ...input], { kernel_size: kernel }) : null;
	const usual = { entry: "error-kernel", says, cures, explorer: setting };
	const span = Math.max(...short.map((axis) => axis.kernel));
	if (span <= 11) return [usual];
	const three = span % 2 ? `: ${(span - 1) / 2} * (3 - 1) + 1 = ${span} is a kernel of 3 with \`dilation=${(span - 1) / 2}\`` : "";
	return [{
		entry: "error-kernel-dilation", says: [...says, `The message counts the cells that a dilated kernel spans, dilation * (kernel_size - 1) + 1${three}.`],
		cures: ["a smaller `dilation`", ...cures.slice(1)], explorer: setting,
	}, usual];
};

const ofPooling = ({ input, output, t, h, w, kt, kh, kw }) => {
	if (t !== undefined) return [{ entry: "error-pool-size", says: [`The input has ${t} x ${h} x ${w} cells, and the window ${kt} x ${kh} x ${kw}.`], cures: ["a smaller window, or fewer pooling layers before this one"] }];
	if (!input) return [{ entry: "error-pool-size", says: [`The output would have ${output} cells: the window is larger than the input.`], cures: ["a smaller window, or fewer pooling layers before this one"] }];
	const names = axes(input.length - 1), sizes = input.slice(1), made = output.slice(1);
	const says = names.flatMap((name, axis) => (made[axis] < 1 ? [`In ${name}, the window is larger than the ${count(sizes[axis], "cell")} of the input, so that the output has ${made[axis]}.`] : []));
	const gives = (size, kernel) => Math.floor((size - kernel) / kernel) + 1;
	const kernels = [...Array(64).keys()].map((one) => one + 1);
	const fitting = sizes.map((size, axis) => kernels.filter((kernel) => gives(size, kernel) === made[axis]));
	const both = fitting.length === 2 ? fitting[0].find((kernel) => fitting[1].includes(kernel)) : undefined;
	const kernel = both ? [both, both] : fitting.map(([first]) => first);
	return [{
		entry: "error-pool-size", says, cures: ["a smaller window, or padding", "fewer pooling layers and strides before this one, or a larger image"],
		explorer: fitting.length === 2 && kernel.every(Boolean) ? explorer(true, "max_pool2d", input, { kernel_size: kernel }) : null,
	}];
};

const ofPadNumbers = ({ size, axes: number }) => {
	const numbers = { entry: "error-pad-numbers", when: "A call of `F.pad`", says: ["All modes but `constant` take two numbers for each axis after the channels."], cures: ["for an image, four numbers: `F.pad(x, (left, right, top, bottom), mode=…)`"] };
	const lacking = { entry: "error-conv-axes", when: "A layer with a `padding_mode`", says: [`Its input${number ? ` has ${number === 1 ? "1 axis" : `${number} axes`}, and` : ""} lacks an axis, of the channels or of the batch.`], cures: ["an image without channels: `x[None]`; `x[None, None]` adds the batch, too"] };
	const four = { entry: "error-padding-four", when: "A layer with a `padding_mode`", says: [`It was given ${size / 2} numbers for its padding; a layer takes one per axis, for both sides of it.`], cures: ["different numbers on two sides: `nn.ReflectionPad2d((left, right, top, bottom))` before the layer, and its `padding=0`"] };
	if (!number) return [numbers, lacking];
	if (size > 6) return [four, numbers];
	return number > size / 2 ? [numbers] : [lacking, numbers];
};

const ofTransposed = ({ input, output }) => {
	const less = Math.max(...output.map((size) => Math.ceil((1 - size) / 2)));
	const padding = (kernel) => input.map((size, axis) => (size - 1 + kernel - output[axis]) / 2);
	const kernel = [3, 2, 4, 5, 1, 6, 7].find((one) => padding(one).every((amount) => Number.isInteger(amount) && amount >= 0));
	return [{
		entry: "error-transposed-empty",
		says: [`Of a transposed convolution, \`padding\` cuts the output off: of ${input.join(" x ")} cells, ${output.join(" x ")} would remain.`],
		cures: [`\`padding\` smaller by ${less}: the output has ${output.map((size) => size + 2 * less).join(" x ")} cells then`],
		explorer: input.length === 2 && kernel ? explorer(true, "conv_transpose2d", [1, ...input], { kernel_size: kernel, padding: padding(kernel) }) : null,
	}];
};

const ofAxes = ({ low, high, op, input }) => {
	const takes = `${op} takes ${low} axes, or ${high} with the batch; the input ${shape(input)} has ${input.length}.`;
	if (input.length > high) {
		const flat = [input[0] * input[1], ...input.slice(2)];
		return [{ entry: "error-conv-video", says: [takes], cures: input.length === high + 1 ? [`make one axis of the first two: \`x.flatten(0, 1)\` gives ${shape(flat)}`] : ["merge axes with `x.flatten`"] }];
	}
	const [rows, numbers] = input;
	const colours = low === 3 && input.length === 2 && rows !== numbers ? [1, 3].find((channels) => numbers >= 64 * channels && Number.isInteger(Math.sqrt(numbers / channels))) : 0;
	if (colours) {
		const side = Math.sqrt(numbers / colours);
		return [{ entry: "error-conv-axes", says: [takes], cures: [
			`${count(rows, "flattened image")} of ${colours} * ${side} * ${side} = ${numbers} numbers: \`x.view(-1, ${colours}, ${side}, ${side})\``,
			`one grey image of ${rows} x ${numbers}: \`x[None, None]\` gives ${shape([1, 1, ...input])}`,
		] }];
	}
	const cures = input.length === low - 1 ? [`add the axes of the batch and of the channels: \`x[None, None]\` gives ${shape([1, 1, ...input])}`] : [`${low - input.length} axes are missing: was the map flattened before?`];
	return [{ entry: "error-conv-axes", says: [takes], cures }];
};

/** Before torch 1.11, a convolution took no image without a batch. */
const ofOldAxes = ({ rank, input }) => {
	const says = [`The layer takes ${rank} axes; the input ${shape(input)} has ${input.length}.`];
	if (input.length > rank) return [{ entry: "error-conv-video", says, cures: ["make one axis of the first two: `x.flatten(0, 1)`"] }];
	return [{ entry: "error-conv-axes", says, cures: input.length === rank - 1 ? ["the axis of the batch: `x.unsqueeze(0)`", "the axis of the channels, of a batch of grey images: `x.unsqueeze(1)`"] : input.length === rank - 2 ? ["add the axes of the batch and of the channels: `x[None, None]`"] : [] }];
};

const ofPoolAxes = ({ op, input, low = 3, high = 4 }) => {
	const missing = { entry: "error-pool-axes", says: [`The pooling takes ${low} axes, or ${high} with the batch${input ? `; the input ${shape(input)} has ${input.length}` : ""}.`], cures: ["an image without channels and batch: `x[None, None]`"] };
	const more = { entry: "error-conv-video", says: [input ? `The pooling takes ${low} axes, or ${high} with the batch; the input ${shape(input)} has ${input.length}.` : "Or the input has more axes than that."], cures: ["make one axis of the first two: `x.flatten(0, 1)`"] };
	if (!input) return [missing, more];
	if (input.includes(0)) return [{ entry: "error-empty-input", says: [`The input ${shape(input)} has an axis without cells.`], cures: [] }];
	if (input.length > high) return [more];
	return [/adaptive/.test(op) ? { ...missing, entry: "error-adaptive-axes", cures: ["an image without channels: `x[None]`"] } : missing];
};

const ofLinear = ({ a, b, c, d }) => {
	const says = [`The layer takes ${c} numbers along the last axis of its input (in_features), and the input has ${b}.`];
	const features = { entry: "error-linear-features", when: "The input is a list of features", says: [], cures: [`\`nn.Linear(${b}, ${d})\``] };
	const after = { entry: "error-linear-after-flatten", when: "The input is a flattened map", says: [], cures: [`\`nn.Linear(${b}, ${d})\`, if the image has the right size`] };
	const noFlatten = { entry: "error-linear-no-flatten", when: "The input is a map that was not flattened", says: [], cures: ["`torch.flatten(x, 1)` before the layer, or `nn.Flatten()`"] };
	const noBatch = { entry: "error-linear-no-batch", when: "The image has no axis for the batch", says: [], cures: [`\`x.unsqueeze(0)\` before the model: then ${a} * ${b} = ${a * b} numbers reach the layer`] };
	const whole = c % b === 0 && c > b && a % (c / b) === 0 ? a / (c / b) : 0; // images that the rows make
	if (whole) noFlatten.says = [`${c} = ${c / b} * ${b}: the ${a} rows of ${b} are ${count(whole, "image")} of ${c} numbers.`];
	const guesses = b >= 64 ? [after, features] : [features, after];
	let order = [...guesses, noFlatten];
	if (whole === 1) order = a % b === 0 ? [noFlatten, noBatch, ...guesses] : Number.isInteger(Math.sqrt(b)) ? [noBatch, noFlatten, ...guesses] : [...order, noBatch];
	else if (whole) order = [noFlatten, ...guesses];
	return order.map((one, place) => (place ? one : { ...one, says: [...says, ...one.says] }));
};

const ofInputType = ({ x, y, which }) => {
	// torch.cuda.FloatTensor, or MPSFloatType
	const device = (name) => (/^torch\.(\w+)\.\w+Tensor$/.exec(name)?.[1] ?? /^(MPS|CUDA|CPU|XPU|HPU|XLA)\w+Type$/.exec(name)?.[1] ?? "cpu").toLowerCase();
	const isType = [x, y].every((name) => /^torch\..*Tensor$|^[A-Z]{3,4}\w+Type$/.test(name));
	if (isType && device(x) !== device(y)) return ofDevice({ x: device(x), y: device(y) });
	const says = [`The input is ${dtype(x)}, and the ${which} ${dtype(y)}.`];
	if (isInteger(x)) return [{ entry: "error-bytes", says, cures: [toFloat(x)] }];
	const half = /float16/.test(dtype(x) + dtype(y));
	return [{ entry: half ? "error-half-model" : "error-float64", says, cures: [`the input as the layer: \`x.to(torch.${dtype(y)})\``, ...(half ? ["or `torch.autocast`, which converts both"] : [])] }];
};

const ofScalarType = ({ x, y }, { functions, code }) => {
	const says = [`${dtype(x)} was expected, and ${dtype(y)} found.`];
	const target = { entry: "error-loss-float", when: "The class numbers of a loss", says: [`The target is ${dtype(y)}; class numbers are int64.`], cures: ["`target.to(torch.int64)`"] };
	const image = { entry: "error-bytes", when: "The input of a convolution", says: [`The input is ${dtype(x)}, and the weight ${dtype(y)}.`], cures: [toFloat(x)] };
	if (dtype(x) === "int64") {
		const isLoss = /loss|entropy|criterion/i.test(`${functions.join(" ")} ${code}`), isConv = /conv/i.test(`${functions.join(" ")} ${code}`);
		return isLoss ? [target] : isConv ? [image] : isInteger(y) ? [target] : [target, image];
	}
	if (isInteger(x)) return isInteger(y) ? [] : [image];
	return isInteger(y) ? [] : [{ entry: "error-float64-no-bias", says: [...says, `In a convolution, the input is ${dtype(x)} and the weight ${dtype(y)}.`], cures: [`\`x.to(torch.${dtype(y)})\``] }];
};

const ofNotImplemented = ({ op, x }) => {
	if (/16$/.test(dtype(x))) return [{ entry: "error-half-model", says: [`${op} does not compute in ${dtype(x)} on this device, in this version of PyTorch.`], cures: ["on a CPU, float32: `model.float()` and `x.float()`"] }];
	const entry = /norm/.test(op) ? "error-norm-bytes" : /pool|conv|upsample|reflection|addmm|mean/.test(op) ? "error-average-bytes" : "";
	return entry && isInteger(x) ? [{ entry, says: [`${op} computes with floating point numbers, and the input is ${dtype(x)}.`], cures: [toFloat(x)] }] : [];
};

const ofDevice = ({ x, y }) => [{
	entry: "error-device", says: [`One tensor is on ${x}, and another on ${y}.`],
	cures: [`move the model once, \`model.to(device)\`, and each batch, \`x = x.to(device)\`, with one \`device\`, ${x} or ${y}`],
}];

const ofBroadcast = ({ a, b, dim, wanted, got }, { functions, files, code }) => {
	if (wanted) [a, b, dim] = [wanted.at(dim), got.at(dim), wanted.length + dim];
	const says = [`Along axis ${dim}, one tensor has ${count(a, "cell")} and the other ${b}; they must be equal, or one of them 1.`];
	const skip = { entry: "error-skip", when: "Two branches of a network are added", says, cures: ["one stride and one padding in both branches, and in the shortcut a convolution of 1 x 1 where the channels differ"] };
	const loss = { entry: "error-bce-shape", when: "A loss compares a prediction with a target", says, cures: ["the model must return one prediction per entry of the target"] };
	const normalize = {
		entry: "error-normalize", when: "`transforms.Normalize` takes one mean and one standard deviation per channel",
		says: [`The image has ${count(a, "channel")}, and the mean or the standard deviation ${count(b, "number")}.`],
		cures: a === 4 && b === 3 ? ["`image.convert(\"RGB\")` when it is opened: it has an alpha channel"] : [`one number for each channel: ${a} in \`mean\`, and ${a} in \`std\``],
	};
	const compared = {
		entry: "error-loss-batch", when: "Predictions are compared with labels",
		says: [`Along axis ${dim}, there are ${a} on one side, and on the other ${b}.`],
		cures: ["predictions and labels of the same batch", "the largest score of each row, `scores.argmax(1)`, for scores of shape (N, classes)"],
	};
	if (files.some((file) => /torchvision[\\/]transforms/.test(file))) return functions.some((name) => /normalize/i.test(name)) ? [normalize] : [];
	if (functions.some((name) => /_loss$/.test(name))) return [loss];
	if (/[^=!]==[^=]|\.(?:eq|ne)\(/.test(code)) return / [-+*/] /.test(code) ? [compared, skip] : [compared];
	if (a === 4 && b === 3 && dim === 0 && !functions.length) return [normalize, loss, compared, skip];
	return dim >= 2 ? [skip] : dim === 0 && !functions.length ? [loss, compared, skip] : /loss|criterion|target|label/i.test(code) ? [loss, skip] : [skip, loss];
};

const ofConcat = ({ joined, a, b, dim, place }) => [{
	entry: "error-concat",
	says: [`Tensors that are joined along axis ${joined} must have equal sizes along all other axes; ${dim === undefined ? "along one of them" : `along axis ${dim}`} the first has ${a}, and tensor number ${place} has ${b}.`],
	cures: [`bring both to one size, \`F.interpolate(x, size=other.shape[2:])\`, or pad by ${Math.abs(a - b)}`],
}];

const ofNormAxes = ({ low, high = low, got }) => (got < low
	? [{ entry: "error-norm-axes", says: [`The layer takes ${low === high ? low : `${low} or ${high}`} axes, and the input has ${got}.`], cures: got === low - 1 ? ["add the missing axis, most often that of the batch: `x.unsqueeze(0)`"] : [`\`nn.BatchNorm1d\`, if the input is a list of features`] }]
	: [{ entry: "error-norm1d-axes", says: [`The layer takes ${low === high ? low : `${low} or ${high}`} axes, and the input has ${got}.`], cures: got > 3 && got < 6 ? [`\`nn.BatchNorm${got - 2}d\`, for ${got} axes`] : [] }]);

const ofHalf = ({ padW, padH, kW, kH }) => {
	const dilation = [1, 2, 3, 4, 5, 6, 7, 8].find((one) => [[padH, kH], [padW, kW]].every(([pad, kernel]) => pad <= (one * (kernel - 1) + 1) / 2));
	return [{
		entry: "error-pool-padding-dilation",
		says: [["height", padH, kH], ["width", padW, kW]].flatMap(([name, pad, kernel]) => (pad > Math.floor(kernel / 2) ? [`In ${name}, padding ${pad} > kernel_size // 2 = ${kernel} // 2 = ${Math.floor(kernel / 2)}.`] : [])),
		cures: [`\`padding=${Math.min(Math.floor(kH / 2), Math.floor(kW / 2))}\``],
		explorer: dilation > 1 ? explorer(true, "max_pool2d", [1, 9 * kH, 9 * kW], { kernel_size: [kH, kW], padding: [padH, padW], dilation }) : null,
	}];
};

const ofReflect = ({ before, after, dim, input }) => {
	const axis = dim - input.length, size = input.at(axis), p = before;
	const usable = before >= 0 && after >= 0 && input.length > 2 && [-1, -2].includes(axis);
	const padding = before === after ? [p, p] : axis === -1 ? `${before},${after},0,0` : `0,0,${before},${after}`;
	return [{
		entry: "error-reflect", says: [`Axis ${dim} of the input ${shape(input)} has ${count(size, "cell")}. To reflect ${Math.max(before, after)} of them at a border, more than ${Math.max(before, after)} are needed.`],
		cures: [`padding of at most ${size - 1}`, "`padding_mode=\"zeros\"`"],
		explorer: usable && input.length === 4 ? explorer(true, "conv2d", input.slice(-3), { kernel_size: before === after ? 2 * p + 1 : 3, padding, padding_mode: "reflect" }) : null,
	}];
};

const ofOutputPadding = (numbers) => {
	const of = (name) => [numbers[`${name}H`], numbers[`${name}W`]];
	const names = axes(2), [added, stride, dilation] = ["p", "s", "d"].map(of);
	return [{
		entry: "error-output-padding",
		says: names.flatMap((name, axis) => (added[axis] >= Math.max(stride[axis], dilation[axis]) ? [`In ${name}, output_padding ${added[axis]} must be smaller than stride ${stride[axis]} or dilation ${dilation[axis]}.`] : [])),
		cures: [`\`output_padding=${Math.min(...names.map((_, axis) => Math.max(stride[axis], dilation[axis]) - 1))}\``],
		explorer: numbers.pD === undefined ? explorer(true, "conv_transpose2d", [1, 9, 9], { kernel_size: 3, stride, output_padding: added, dilation }) : null,
	}];
};

const keys = (message, heading) => {
	const at = message.indexOf(`${heading} key(s) in state_dict:`);
	if (at < 0) return [];
	const end = message.slice(at).search(/ (?:Unexpected key|size mismatch for)/);
	return message.slice(at, end < 1 ? undefined : at + end).split('"').filter((_, place) => place % 2);
};
const SIZES = /size mismatch for ([\w.]{1,300}): copying a param with shape torch\.Size\(\[([\d, ]{0,100})\]\) from checkpoint, the shape in current model is torch\.Size\(\[([\d, ]{0,100})\]\)/g;

const few = (names) => `${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}`;

const ofMaps = ({ axes: number }) => {
	const forgotten = { entry: "error-loss-no-pooling", says: ["The scores are maps, and the labels are one per image: the model lacks a global pooling and a flatten before its last layer."], cures: ["`nn.AdaptiveAvgPool2d(1)` and `nn.Flatten()` before the last layer", "scores of shape (N, classes, 1, 1): `scores.flatten(1)`"] };
	if (number === 1) return [forgotten];
	const says = [`The scores are maps; a mask of class numbers has 3 axes, batch, height and width, and this one has ${number}.`];
	if (number === 2) return [{ ...forgotten, when: "A label per image, in a column", cures: [...forgotten.cures, "and `labels.squeeze(1)`"] }, { entry: "error-loss-maps", when: "Masks that were flattened", says, cures: ["their height and width again: `masks.reshape(-1, height, width)`"] }];
	return [{ entry: "error-loss-maps", says, cures: number === 4 ? ["masks of shape (N, 1, H, W): `masks.squeeze(1)`", "one-hot masks of shape (N, classes, H, W): `masks.argmax(1)`"] : [] }];
};

const ofTargetSize = ({ wanted, target }) => {
	const says = [`The target must have shape ${shape(wanted)}, and has ${shape(target)}.`];
	if (target.length < wanted.length) return [{ entry: "error-loss-positions", says: [...says, "The scores hold one for each position, and the target is one per sample."], cures: ["a global pooling, or a flatten, before the last layer"] }];
	return [{ entry: "error-loss-maps-size", says, cures: ["bring the scores and the target to one size", ...(wanted.length === 2 && wanted[0] === target[0] ? ["scores of shape (N, length, classes): `scores.transpose(1, 2)`"] : [])] }];
};

const ofState = (_, { message }) => {
	const missing = keys(message, "Missing"), unexpected = keys(message, "Unexpected");
	const sizes = [...message.matchAll(SIZES)];
	const says = [];
	if (missing.length) says.push(`${count(missing.length, "key")} of the model ${missing.length === 1 ? "is" : "are"} missing in what is loaded: ${few(missing)}.`);
	if (unexpected.length) says.push(`${count(unexpected.length, "key")} in what is loaded ${unexpected.length === 1 ? "is" : "are"} not in the model: ${few(unexpected)}.`);
	const prefix = missing.length && unexpected.length ? ["module.", "_orig_mod.", "model."].find((one) => unexpected.every((key) => key.startsWith(one))) : "";
	says.push(...sizes.slice(0, 5).map(([, key, saved, own]) => `${key}: saved (${saved}), in the model (${own}).`));
	const entries = [];
	const isCheckpoint = unexpected.length && unexpected.some((key) => /^(?:model|state_dict|model_state_dict|net|optimizer\w*|epoch|args|config|loss)$/.test(key));
	if (isCheckpoint) entries.push({ entry: "error-state-checkpoint", says, cures: [`load what is inside: \`checkpoint["${unexpected.find((key) => /model|state_dict|net/.test(key)) ?? unexpected[0]}"]\``] });
	else if (missing.length || unexpected.length) entries.push({ entry: "error-state-keys", says, cures: prefix ? [`every key of the file starts with \`${prefix}\`: \`{key.removeprefix("${prefix}"): value for key, value in saved.items()}\``] : [] });
	if (sizes.length) entries.push({ entry: "error-state-shape", says, cures: ["load first, into a model built as it was saved, and replace the layer afterwards", `or delete these keys, \`del saved["${sizes[0][1]}"]\`, and load with \`strict=False\``] });
	return entries.length ? entries : ["keys", "shape", "checkpoint"].map((name) => ({ entry: `error-state-${name}` }));
};

return [
	{
		words: [`Given groups={groups:n}, ${CHANNELS}`, `Given transposed={transposed:n}, ${CHANNELS}`, "to have {expected:n} channels, but got {got:n} channels instead"],
		part: ["channels, but got", "expected input["], entries: ["error-channels", "error-channels-last", "error-grey-batch", "error-transposed-channels"], answer: ofChannels,
	},
	{
		words: ["Expected {rank:n}-dimensional input for {weight_rank:n}-dimensional weight [{weight:list}], but got {own:n}-dimensional input of size [{input:list}] instead"],
		part: ["-dimensional input for 3-dimensional weight", "-dimensional input for 4-dimensional weight", "-dimensional input for 5-dimensional weight"], entries: ["error-conv-axes", "error-conv-video"], answer: ofOldAxes,
	},
	{ words: ["Expected {low:n}D (unbatched) or {high:n}D (batched) input to {op:word}, but got input of size: [{input:list}]"], part: ["D (batched) input to"], entries: ["error-conv-axes", "error-conv-video"], answer: ofAxes },
	{
		words: ["non-empty 3D or 4D (batch mode) tensor expected for input", "{op:word}(): Expected {low:n}D or {high:n}D tensor, but got: [{input:list}]", "{op:word}(): Expected {low:n}D or {high:n}D tensor, but got [{input:list}]",
			"Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:[{input:list}]"],
		entries: ["error-pool-axes"], answer: ofPoolAxes,
	},
	{
		words: ["Dimension out of range (expected to be in range of [{low:n}, {high:n}], but got {dim:n})"], entries: ["error-avgpool-axes"],
		answer: ({ high, dim }, { functions, files, code }) => (dim === -3 && high === 1 && (!functions.length || /pool/i.test(`${functions.join(" ")} ${files.join(" ")} ${code}`))
			? [{ entry: "error-avgpool-axes", says: ["The input has 2 axes, and average pooling reads the third from the end, that of the channels."], cures: ["`x[None, None]`"] }] : []),
	},
	{
		words: ["mat1 and mat2 shapes cannot be multiplied ({a:n}x{b:n} and {c:n}x{d:n})", "a and b must have same reduction dim, but got [{a:n}, {b:n}] X [{c:n}, {d:n}]", "size mismatch, m1: [{a:n} x {b:n}], m2: [{c:n} x {d:n}]"],
		part: ["shapes cannot be multiplied", "mat1 and mat2 shapes", "size mismatch, m1:"], entries: ["error-linear-features", "error-linear-after-flatten", "error-linear-no-flatten", "error-linear-no-batch"], answer: ofLinear,
	},
	{
		words: ["shape '[{wanted:list}]' is invalid for input of size {size:n}"], part: ["is invalid for input of size"], entries: ["error-view"],
		answer: ({ wanted, size }) => {
			const fixed = product(wanted.filter((one) => one >= 0));
			const rule = wanted.includes(-1) ? `${size} is not a multiple of ${fixed}` : `${wanted.join(" * ")} = ${fixed}, and not ${size}`;
			return [{ entry: "error-view", says: [`The tensor has ${count(size, "number")}. The shape ${shape(wanted)} does not hold them: ${rule}.`], cures: ["`x.flatten(1)`, which keeps the batch, and `in_features` of the next layer to fit"] }];
		},
	},
	plain("error-view-stride", "view size is not compatible with input tensor's size and stride", "The numbers of this tensor do not stand in memory in the order of its axes.", "`x.reshape(…)`, or `x.contiguous().view(…)`"),
	{
		words: ["Padding size {size:n} is not supported for {axes:n}D input tensor", "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now"], entries: ["error-pad-numbers"],
		answer: ofPadNumbers,
	},
	{ words: ["Calculated padded input size per channel: ({input:dims}). Kernel size: ({kernel:dims}). Kernel size can't be greater than actual input size", "Calculated padded input size per channel: ({input:dims}). Kernel size: ({kernel:dims}). Kernel size can't greater than actual input size"], part: ["Kernel size can't greater than actual input size", "Kernel size can't be greater than actual input size", "Calculated padded input size per channel"], entries: ["error-kernel", "error-kernel-dilation"], answer: ofKernel },
	{
		words: ["Given input size: ({input:dims}). Calculated output size: ({output:dims}). Output size is too small", "max_pool1d() Invalid computed output size: {output:n}", "input image (T: {t:n} H: {h:n} W: {w:n}) smaller than kernel size (kT: {kt:n} kH: {kh:n} kW: {kw:n})"],
		entries: ["error-pool-size"], answer: ofPooling,
	},
	{ words: ["Given input size per channel: ({input:dims}). Calculated output size per channel: ({output:dims}). Output size is too small"], part: ["Output size is too small"], entries: ["error-transposed-empty", "error-pool-size"], answer: ofTransposed },
	{
		words: ["pad should be at most half of effective kernel size, but got pad={pad:n}, kernel_size={kernel:n} and dilation={dilation:n}", "padding should be at most half of kernel size, but got padding={pad:n} and kernel_size={kernel:n}"],
		part: ["should be at most half of"], entries: ["error-pool-padding"],
		answer: ({ pad, kernel, dilation = 1 }) => [{
			entry: "error-pool-padding", says: [`Padding ${pad} > kernel_size // 2 = ${kernel} // 2 = ${Math.floor(kernel / 2)}: a window could lie in the padding alone.`],
			cures: [`\`padding=${Math.floor(kernel / 2)}\``, `a kernel of at least ${2 * pad}`], explorer: explorer(true, "max_pool2d", [1, 9 * kernel, 9 * kernel], { kernel_size: kernel, padding: pad, dilation }),
		}],
	},
	{ words: ["pad should be smaller than or equal to half of kernel size, but got padW = {padW:n}, padH = {padH:n}, kW = {kW:n}, kH = {kH:n}"], part: ["equal to half of kernel size"], entries: ["error-pool-padding-dilation"], answer: ofHalf },
	{ words: ["Padding size should be less than the corresponding input dimension, but got: padding ({before:n}, {after:n}) at dimension {dim:n} of input [{input:list}]"], part: ["Padding size should be less than the corresponding input dimension"], entries: ["error-reflect"], answer: ofReflect },
	plain("error-circular", "Padding value causes wrapping around more than once", "Circular padding copies the cells of the other side; there are fewer of them than it has to add.", ["padding of at most the size of the map", "`padding_mode=\"zeros\"`"]),
	{
		words: ["output padding must be smaller than either stride or dilation, but got output_padding_height: {pH:n} output_padding_width: {pW:n} stride_height: {sH:n} stride_width: {sW:n} dilation_height: {dH:n} dilation_width: {dW:n}",
			"output padding must be smaller than either stride or dilation, but got output_padding_depth: {pD:n} output_padding_height: {pH:n} output_padding_width: {pW:n} stride_depth: {sD:n} stride_height: {sH:n} stride_width: {sW:n} dilation_depth: {dD:n} dilation_height: {dH:n} dilation_width: {dW:n}"],
		part: ["output padding must be smaller than either stride or dilation"], entries: ["error-output-padding"], answer: ofOutputPadding,
	},
	plain("error-output-size", ["requested an output size of [{asked:list}], but valid sizes range from [{low:list}] to [{high:list}]", "requested an output size of ({asked:list}), but valid sizes range from [{low:list}] to [{high:list}]"],
		"You asked for {asked}. With this layer, sizes from {low} to {high} can be made.", "an `output_size` in this range, or a different `stride` or `padding`", { part: ["but valid sizes range from"] }),
	plain("error-empty-input", "Only zero batch or zero channel inputs are supported, but got input shape: [{input:list}]", "The input {input} has an axis without cells.", "look at the slice that made it"),
	plain("error-in-channels-groups", "in_channels must be divisible by groups", "Every group takes equally many input channels.", "`groups` must divide `in_channels`"),
	plain("error-out-channels-groups", "out_channels must be divisible by groups", "Every group makes equally many output channels.", "`groups` must divide `out_channels`"),
	{
		words: ["Given groups={groups:n}, expected weight to be divisible by {by:n} at dimension 0, but got weight of size [[{weight:list}]] instead"], entries: ["error-weight-groups"],
		answer: ({ groups, weight }) => [{ entry: "error-weight-groups", says: [`The weight ${shape(weight)} makes ${count(weight[0], "channel")}, and ${weight[0]} / ${groups} leaves a remainder of ${weight[0] % groups}.`], cures: [`\`groups\` that divides ${weight[0]}: ${divisors(weight[0]).slice(0, 8).join(", ")}`] }],
	},
	plain("error-groups-zero", "groups must be a positive integer", "There is at least one group.", "`groups=1`"),
	plain("error-same-stride", "padding='same' is not supported for strided convolutions", "With a stride of 2 or more, no padding keeps the size.", ["`stride=1`", "a number for the padding: `padding=dilation * (kernel_size - 1) // 2`"]),
	plain("error-dilation-zero", "dilation should be greater than zero", "A dilation of 1 is a kernel without gaps.", "`dilation=1`"),
	plain("error-stride-zero", "non-positive stride is not supported", "The window must move.", "`stride=1`"),
	plain("error-padding-negative", "negative padding is not supported", "A convolution cannot cut cells off.", "cut them off before: `F.pad(x, (-1, -1, -1, -1))`"),
	{ words: ["Input type ({x:type}) and {which:word} type ({y:type}) should be the same"], entries: ["error-bytes", "error-float64", "error-half-model"], answer: ofInputType },
	{ words: ["expected scalar type {x:word} but found {y:word}"], entries: ["error-float64-no-bias"], answer: ofScalarType },
	{
		words: ["mat1 and mat2 must have the same dtype, but got {x:word} and {y:word}", "expected m1 and m2 to have the same dtype, but got: {x:word} != {y:word}"], entries: ["error-linear-integers", "error-matmul-dtype"],
		answer: ({ x, y }) => [isInteger(x)
			? { entry: "error-linear-integers", says: [`The input is ${dtype(x)}, and the weight ${dtype(y)}.`], cures: [toFloat(x)] }
			: { entry: "error-matmul-dtype", says: [`One matrix is ${dtype(x)}, and the other ${dtype(y)}.`], cures: [`\`x.to(torch.${dtype(y)})\``] }],
	},
	{ words: ["\"{op:word}\" not implemented for '{x:word}'"], entries: ["error-norm-bytes", "error-average-bytes"], answer: ofNotImplemented },
	plain("error-norm-float64", "mixed dtype (CPU): all inputs must share same datatype", "The dtype of the input is not that of the weights of the normalization.", "`x.to(torch.float32)`"),
	{
		words: ["could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {x:word}"], entries: ["error-mean-bytes"],
		answer: ({ x }) => [{ entry: "error-mean-bytes", says: [`A mean is not an integer, and the input is ${dtype(x)}.`], cures: [toFloat(x)] }],
	},
	{
		words: ["Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got {x:word} instead"], entries: ["error-embedding-float"],
		answer: ({ x }) => [{ entry: "error-embedding-float", says: [`An embedding takes numbers of rows, int64 or int32; it got ${dtype(x)}.`], cures: ["`x.long()`"] }],
	},
	plain("error-embedding-range", "index out of range in self", "A number of a row is negative, or the table of the embedding has no such row.", "`num_embeddings` is the size of the vocabulary, and the indices go from 0 to `num_embeddings - 1`"),
	{
		words: ["Expected all tensors to be on the same device, but found at least two devices, {x:word} and {y:word}", "Expected all tensors to be on the same device, but got {name:word} is on {x:word}, different from other tensors on {y:word}",
			"Tensor on device {x:word} is not on the expected device {y:word}", "Tensor for argument {name:word} is on {x:word} but expected on {y:word}"],
		part: ["Expected all tensors to be on the same device"], entries: ["error-device"], answer: ofDevice,
	},
	plain("error-numpy-grad", "Can't call numpy() on Tensor that requires grad", "NumPy knows nothing of gradients.", "`x.detach().numpy()`"),
	{
		words: ["running_mean should contain {got:n} elements not {own:n}", "running_var should contain {got:n} elements not {own:n}", "weight should contain {got:n} elements not {own:n}", "bias should contain {got:n} elements not {own:n}"],
		part: ["running_mean should contain"], entries: ["error-norm-channels"],
		answer: ({ got, own }) => [{ entry: "error-norm-channels", says: [`The input has ${count(got, "channel")}, and the normalization num_features=${own}.`], cures: [`\`num_features=${got}\``] }],
	},
	{
		words: ["Expected more than 1 value per channel when training, got input size torch.Size([{input:list}])"], part: ["Expected more than 1 value per channel when training"], entries: ["error-norm-single"],
		answer: ({ input }) => [{ entry: "error-norm-single", says: [`In training, the normalization takes the variance of each of ${count(input[1], "channel")}; the input ${shape(input)} has 1 number in each.`], cures: ["to predict: `model.eval()`", "to train: more than one image in every batch, `DataLoader(…, drop_last=True)`"] }],
	},
	{ words: ["expected {low:n}D input (got {got:n}D input)", "expected {low:n}D or {high:n}D input (got {got:n}D input)"], entries: ["error-norm-axes", "error-norm1d-axes"], answer: ofNormAxes },
	plain("error-layer-norm", "Given normalized_shape=[{own:list}], expected input with shape [*, {wanted:list}], but got input of size[{input:list}]", "The layer normalizes the last axes, {own}; the input is {input}.", "`normalized_shape` must be the last axes of the input"),
	plain("error-group-norm-made", ["num_channels ({channels:n}) must be divisible by num_groups ({groups:n})", "num_channels must be divisible by num_groups"], "Every group has equally many channels.", "`num_groups` must divide `num_channels`"),
	{
		words: ["Expected number of channels in input to be divisible by num_groups, but got input of shape [{input:list}] and num_groups={groups:n}"], entries: ["error-group-norm-groups"],
		answer: ({ input, groups }) => [{ entry: "error-group-norm-groups", says: [`The input ${shape(input)} has ${count(input[1], "channel")}, and ${input[1]} / ${groups} leaves a remainder of ${input[1] % groups}.`], cures: [`\`num_groups\` that divides ${input[1]}: ${divisors(input[1]).slice(0, 8).join(", ")}`] }],
	},
	{
		words: ["Expected weight to be a vector of size equal to the number of channels in input, but got weight of shape [{weight:list}] and input of shape [{input:list}]"], entries: ["error-group-norm-channels"],
		answer: ({ weight, input }) => [{ entry: "error-group-norm-channels", says: [`The input ${shape(input)} has ${count(input[1], "channel")}, and the layer num_channels=${weight[0]}.`], cures: [`\`num_channels=${input[1]}\``] }],
	},
	plain("error-instance-norm", "Expected more than 1 spatial element when training, got input size torch.Size([{input:list}])", "Each map of the input {input} has 1 cell, which has no variance.", "a larger image, or no such layer after the last pooling"),
	{
		words: ["The size of tensor a ({a:n}) must match the size of tensor b ({b:n}) at non-singleton dimension {dim:n}", "Attempting to broadcast a dimension of length {length:n} at {dim:n}! Mismatching argument at index {place:n} had torch.Size([{got:list}]); but expected shape should be broadcastable to [{wanted:list}]"],
		part: ["must match the size of tensor b", "The size of tensor a ("], entries: ["error-skip", "error-bce-shape"], answer: ofBroadcast,
	},
	{
		words: ["Sizes of tensors must match except in dimension {joined:n}. Expected size {a:n} but got size {b:n} for tensor number {place:n} in the list", "Sizes of tensors must match except in dimension {joined:n}. Expected {a:n} in dimension {dim:n} but got {b:n} for tensor number {place:n} in the list", "Sizes of tensors must match except in dimension {joined:n}. Expected {a:n} but got {b:n} for tensor number {place:n} in the list"],
		part: ["Sizes of tensors must match except in dimension"], entries: ["error-concat"], answer: ofConcat,
	},
	plain("error-concat-axes", "Tensors must have same number of dimensions: got {a:n} and {b:n}", "One tensor has {a} axes, and another {b}.", "`x.flatten(1)` of the map, or `x[:, :, None, None]` of the list of numbers"),
	plain("error-stack", ["stack expects each tensor to be equal size, but got [{a:list}] at entry 0 and [{b:list}] at entry {place:n}", "Trying to resize storage that is not resizable"], "The images of a batch must have one size.", "`transforms.Resize((height, width))` in the data set, both numbers given", { part: ["stack expects each tensor to be equal size"] }),
	plain("error-loss-batch", "Expected input batch_size ({a:n}) to match target batch_size ({b:n})", "The model made {a} predictions, and there are {b} targets.", "keep the batch as the first axis: `x.flatten(1)` instead of `x.view(-1, …)`"),
	plain("error-loss-column", "0D or 1D target tensor expected, multi-target not supported", "Class numbers have one axis, that of the batch.", "a column: `target.squeeze(1)`; one-hot vectors: `target.argmax(dim=1)`"),
	plain("error-loss-onehot", "Expected floating point type for target with class probabilities, got {x:word}", "A target with the shape of the scores is read as probabilities, which are floats.", ["class numbers: `target.argmax(dim=1)`", "probabilities: `target.float()`"]),
	{
		words: ["expected target dtype to be Long or Byte, but got {x:word}"], entries: ["error-loss-float"],
		answer: ({ x }) => [{ entry: "error-loss-float", says: [`The target is ${dtype(x)}; class numbers are int64.`], cures: ["`target.to(torch.int64)`"] }],
	},
	{
		words: ["Target {target:n} is out of bounds"], entries: ["error-loss-range"],
		answer: ({ target }) => [{
			entry: "error-loss-range", says: [`The target holds class ${target}, and the scores have no such column.`],
			cures: [
				...(target === 255 || target < 0 ? [`\`ignore_index=${target}\` of the loss, if ${target} marks what must not count`] : []),
				...(target === 255 ? ["a mask of 0 and 255: `(mask > 0).long()`"] : []),
				"number the classes from 0", ...(target > 0 ? [`at least ${target + 1} outputs of the last layer`] : []),
			],
		}],
	},
	{ words: ["only batches of spatial targets supported (3D tensors) but got targets of dimension: {axes:n}"], part: ["only batches of spatial targets supported"], entries: ["error-loss-maps", "error-loss-no-pooling"], answer: ofMaps },
	plain("error-loss-maps-size", ["size mismatch (got input: [{input:list}] , target: [{target:list}]", "size mismatch (got input: [{input:list}], target: [{target:list}]"], "The scores have shape {input}, and the target {target}: all sizes but that of the classes must be equal.", "`F.interpolate(scores, size=masks.shape[1:])`, or masks of the size of the scores"),
	{ words: ["Expected target size [{wanted:list}], got [{target:list}]"], entries: ["error-loss-positions", "error-loss-maps-size"], answer: ofTargetSize },
	plain("error-bce-shape", ["Target size (torch.Size([{target:list}])) must be the same as input size (torch.Size([{input:list}]))", "Using a target size (torch.Size([{target:list}])) that is different to the input size (torch.Size([{input:list}]))"], "The target has shape {target}, and the prediction {input}.", "`target.reshape({input})`, if they hold the same numbers"),
	plain("error-bce-integers", "result type {x:word} can't be cast to the desired output type {y:word}", "The target is made of integers, and the prediction of floats.", "`target.to(torch.float32)`"),
	{
		words: ["Found dtype {x:word} but expected {y:word}"], entries: ["error-bce-probabilities"],
		answer: ({ x, y }) => [{ entry: "error-bce-probabilities", says: [`${dtype(x)} was found, and ${dtype(y)} expected: most often the target of a loss is ${dtype(x)}.`], cures: [`\`target.to(torch.${dtype(y)})\``] }],
	},
	plain("error-bce-range", "all elements of input should be between 0 and 1", "The prediction is not a probability.", "`F.binary_cross_entropy_with_logits`, without a sigmoid before"),
	plain("error-one-hot-range", "Class values must be smaller than num_classes", "A class number is too large.", "number the classes from 0, or a larger `num_classes`"),
	{ words: ["Error(s) in loading state_dict for {model:word}"], entries: ["error-state-keys", "error-state-shape", "error-state-checkpoint"], answer: ofState },
	{
		words: ["Expected state_dict to be dict-like, got <class '{type:word}'>"], entries: ["error-state-not-dict"],
		answer: ({ type }) => [{
			entry: "error-state-not-dict", says: [`\`load_state_dict\` takes a dictionary, and got \`${type}\`.`],
			cures: /^str$|^pathlib\b/.test(type) ? ["the name of a file: `model.load_state_dict(torch.load(path))`"] : type.includes(".") ? ["a model that was saved whole: `saved.state_dict()`"] : [],
		}],
	},
	plain("error-load-pickle", "Weights only load failed", "The file holds more than tensors, a whole model for example.", "save `model.state_dict()` instead; for a file that you made yourself, `torch.serialization.add_safe_globals` or `weights_only=False`"),
	plain("error-load-cuda", "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False", "The file was saved with a GPU, and here is none.", "`torch.load(file, map_location=\"cpu\")`"),
	plain("error-optimizer", "loaded state dict contains a parameter group that doesn't match the size of optimizer's group", "The optimizer was saved with a different number of parameters.", "build the model and the optimizer as they were when they were saved"),
];
})();
