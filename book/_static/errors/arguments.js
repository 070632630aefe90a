/* Messages about the arguments of a call: a name, a number or an object that is not what it takes. */
(() => {
"use strict";
const { count, plain } = Errors.tools;

/** What is given in place of a tensor: what it may be, and cures. */
const NOT_TENSORS = [
	[/^ndarray$/, "a NumPy array", ["`torch.from_numpy(x).float()`"]],
	[/^list$/, "a list", ["a list of tensors of one shape: `torch.stack(x)`", "a list of numbers: `torch.tensor(x)`", "the pair of a DataLoader: `images, labels = batch`"]],
	[/^tuple$/, "a tuple: several results, as an LSTM returns them, a pooling with `return_indices=True`, or a DataLoader", ["take one of them, `x[0]`", "the pair of a DataLoader: `images, labels = batch`"]],
	[/^NoneType$/, "None: the function or layer before returned nothing", ["a `return` at the end of its `forward`"]],
	[/^(?:Ordered)?[dD]ict$/, "a dictionary: it holds the tensor under a name", ["a segmentation model of torchvision: `output[\"out\"]`", "a batch: its name in the data set, such as `batch[\"image\"]`"]],
	[/^(?:Inception|GoogLeNet)Outputs$/, "the outputs of a network with an auxiliary classifier in training", ["`output.logits`"]],
	[/^Image$|ImageFile$/, "an image of PIL", ["`torchvision.transforms.functional.to_tensor(image)`, a tensor of shape (C, H, W)"]],
	[/^(?:int|float)$/, "a Python number", ["`torch.tensor(x)`"]],
];
const ofNotTensor = ({ op, type }) => {
	const bare = type.split(".").at(-1);
	const [, kind, cures] = NOT_TENSORS.find(([name]) => name.test(bare)) ?? [null, `\`${type}\``, []];
	const entry = { ndarray: "error-numpy-array", tuple: "error-tuple-input", NoneType: "error-none-input" }[bare] ?? "error-list-input";
	return [{ entry, says: [`${op} takes a tensor, and got ${kind}.`], cures }];
};

const ofCombination = ({ op, types }, { message }) => {
	const [first] = types.split(",");
	if (/^conv|^_?\w*pool|norm$/.test(op) || message.includes("(Tensor input,")) {
		if (!/^(?:Tensor|Parameter|FakeTensor)?$/.test(first)) return ofNotTensor({ op, type: first });
	}
	if (/numpy\.ndarray/.test(types)) return ofNotTensor({ op, type: "numpy.ndarray" });
	if (op === "empty") return [{ entry: "error-float-channels", says: ["A number of channels or features is not an int."], cures: ["`a // b` instead of `a / b`, or `int(…)`"] }];
	const told = message.slice(message.indexOf("invalid types: (") + 1).slice(0, 1000).split(" * (")[0];
	const flags = [...told.matchAll(/tuple of \(([^)]{0,100})\)/g)];
	const wrong = flags.findIndex(([, kinds]) => /float/.test(kinds));
	if (wrong < 0) return [];
	const name = ["stride", "padding", "dilation"][wrong];
	return [{ entry: "error-float-argument", says: [`\`${name ?? "an argument"}\` of ${op} holds a float.`], cures: ["`a // b` instead of `a / b`, or `int(…)`"] }];
};

const LAYERS = `Identity Flatten Unflatten Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d
	AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d MaxUnpool2d BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d InstanceNorm3d GroupNorm LayerNorm RMSNorm
	ReLU ReLU6 LeakyReLU PReLU ELU SELU GELU SiLU Mish Sigmoid Tanh Softplus Hardswish Hardsigmoid Softmax Softmax2d LogSoftmax Dropout Dropout1d Dropout2d Dropout3d Upsample PixelShuffle ChannelShuffle Unfold Fold ZeroPad2d ReflectionPad2d ReplicationPad2d
	CircularPad2d ConstantPad2d Embedding LSTM GRU RNN MultiheadAttention Transformer Sequential Module ModuleList ModuleDict Parameter DataParallel CrossEntropyLoss NLLLoss MSELoss L1Loss SmoothL1Loss HuberLoss BCELoss BCEWithLogitsLoss KLDivLoss`.split(/\s+/);
const ofName = ({ name }, { message }) => {
	const inNN = message.includes("module 'torch.nn' ");
	const spelled = name.replaceAll("_", "").toLowerCase();
	const real = LAYERS.find((one) => one.toLowerCase() === spelled) ?? (inNN ? /Did you mean: '(\w{1,40})'/.exec(message)?.[1] : undefined);
	const says = [inNN ? `\`torch.nn\` has no \`${name}\`. It holds layers; functions are in \`torch.nn.functional\`. Names are case-sensitive.` : `\`torch.nn.functional\` has no \`${name}\`. It holds functions; layers are in \`torch.nn\`.`];
	const cures = real ? [`\`nn.${real}\` for the layer`] : [];
	if (inNN && name === name.toLowerCase()) cures.push(`\`F.${name}\`, if it is a function`);
	return [{ entry: "error-lowercase", says, cures }];
};

const ARGUMENTS = "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode output_padding ceil_mode count_include_pad num_features in_features out_features".split(" ");
const LAYER = /^(?:Lazy)?_?(?:Adaptive)?(?:Conv|ConvTranspose|MaxPool|AvgPool|BatchNorm|InstanceNorm|Linear|GroupNorm|LayerNorm|Dropout|Upsample)/;
const missing = (message) => [...(/arguments?: (.{1,200})/.exec(message)?.[1] ?? "").matchAll(/'(\w{1,40})'/g)].map(([, name]) => name);
const ofKeyword = ({ layer, name }) => {
	const known = ARGUMENTS.find((one) => one.startsWith(name.slice(0, 3)));
	return LAYER.test(layer) ? [{ entry: "error-keyword", says: [`${layer} has no argument \`${name}\`.`], cures: known ? [`perhaps \`${known}\``] : [] }] : [];
};

Errors.messages.push(
	{ words: ["{layer:word}.__init__() got an unexpected keyword argument '{name:word}'"], entries: ["error-keyword"], answer: ofKeyword },
	{
		words: ["{layer:word}.__init__() missing {count:n} required positional argument"], entries: ["error-missing-argument"],
		answer: ({ layer, count: number }, { message }) => (LAYER.test(layer) ? [{ entry: "error-missing-argument", says: [`${layer} was built without ${missing(message).map((name) => `\`${name}\``).join(" and ") || count(number, "argument")}.`], cures: missing(message).includes("kernel_size") ? ["`kernel_size=3`, for example"] : [] }] : []),
	},
	{
		words: ["module 'torch.nn' has no attribute '{name:word}'", "module 'torch.nn.functional' has no attribute '{name:word}'"], entries: ["error-lowercase"], answer: ofName,
	},
	{ words: ["{op:word}() received an invalid combination of arguments - got ({types:types})"], entries: ["error-float-argument", "error-float-channels", "error-numpy-array"], answer: ofCombination },
	{
		words: ["{op:word}(): argument '{name:word}' (position {place:n}) must be tuple of ints, not float", "{op:word}(): argument '{name:word}' (position {place:n}) must be tuple of ints, but found element of type float", "{op:word}(): argument '{name:word}' failed to unpack the object at pos {place:n} with error \"type must be tuple of ints,but got float\""],
		entries: ["error-float-argument", "error-float-channels", "error-float-pool"],
		answer: ({ op, name }) => [op === "empty"
			? { entry: "error-float-channels", says: ["A number of channels or features, or a kernel size, is not an int."], cures: ["`a // b` instead of `a / b`, or `int(…)`"] }
			: { entry: /pool/.test(op) ? "error-float-pool" : "error-float-argument", says: [`\`${name}\` of ${op} is a float.`], cures: [`\`${name}=int(…)\`, or \`a // b\` instead of \`a / b\``] }],
	},
	{
		words: ["{op:word}(): argument 'input' (position 1) must be Tensor, not {type:word}"], entries: ["error-list-input", "error-tuple-input", "error-none-input", "error-numpy-array"], answer: ofNotTensor,
	},
	plain("error-padding-word", "Invalid padding string '{word:text}', should be one of", "`{word}` is not one of `valid` and `same`.", "a number, or four numbers in `F.pad`"),
	{
		words: ["padding_mode must be one of"], entries: ["error-padding-mode"],
		answer: (_, { message }) => [{ entry: "error-padding-mode", says: [`${/padding_mode='(\w{1,40})'/.exec(message)?.[1] ?? "This"} is not a padding mode.`], cures: ["`zeros`, `reflect`, `replicate` or `circular`"] }],
	},
	{
		words: ["expected {name:word} to be a single integer value or a list of {wanted:n} values to match the convolution dimensions, but got {same:word}=[{numbers:list}]"], entries: ["error-padding-four", "error-stride-three"],
		answer: ({ name, wanted, numbers }) => [{
			entry: name === "padding" ? "error-padding-four" : "error-stride-three", says: [`A convolution takes ${wanted} numbers as \`${name}\`, one per axis${name === "padding" ? " and for both of its sides" : ""}; it got ${numbers.length}: ${numbers.join(", ")}.`],
			cures: [name === "padding" ? "different numbers on two sides: `F.pad` before the layer" : `\`${name}=${numbers[0]}\`, or ${wanted} numbers`],
		}],
	},
	{
		words: ["kernel size should be greater than zero, but got kernel_height: {height:n} kernel_width: {width:n}", "kernel size should be greater than zero"], entries: ["error-kernel-zero"],
		answer: ({ height, width }) => [{ entry: "error-kernel-zero", says: [`A kernel has at least 1 x 1 cells${height === undefined ? "" : `; this one has ${height} x ${width}`}.`], cures: ["`kernel_size=1` is the smallest: was it computed?"] }],
	},
	{
		words: ["Given weight of size [{weight:list}], expected bias to be 1-dimensional with {wanted:n} elements, but got bias of size [{bias:list}] instead"], entries: ["error-bias-size"],
		answer: ({ weight, wanted, bias }) => [{ entry: "error-bias-size", says: [`The weight [${weight.join(", ")}] makes ${count(wanted, "channel")}, and each has one bias: the bias must have ${wanted} numbers, and has ${bias.join(" x ")}.`], cures: [`a bias of shape (${wanted},)`] }],
	},
	{
		words: ["Unrecognised padding mode {name:word}"], entries: ["error-pad-mode"],
		answer: ({ name }) => [{ entry: "error-pad-mode", says: [`\`${name}\` is not a mode of \`F.pad\`.`], cures: [name === "zeros" ? "`mode=\"constant\"`: the name `zeros` is that of the layer" : "`constant`, `reflect`, `replicate` or `circular`"] }],
	},
	{ words: ["output_size must be {wanted:n}"], entries: ["error-adaptive-size"], answer: ({ wanted }) => [{ entry: "error-adaptive-size", says: [`\`output_size\` must be one number, or ${wanted}.`], cures: ["one number for all axes, such as `1`"] }] },
);
})();
