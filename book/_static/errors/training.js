/* Messages of what surrounds the layers: images and batches, gradients, devices and modules. */
(() => {
"use strict";
const { count, plain } = Errors.tools;

const NORMALIZE = "`transforms.Normalize` takes one mean and one standard deviation per channel";

/** In an operation in place, the other tensor is larger. */
const ofInPlace = ({ own, wanted }, { functions, files }) => {
	const [have, given] = [own.at(-3), wanted.at(-3)];
	const says = `The result must keep the shape (${own.join(", ")}) of the tensor that is written to, and would have (${wanted.join(", ")}).`;
	const usual = { entry: "", says: [says], cures: ["`x = x + y` in place of `x += y`, if the larger shape is meant"] };
	if (own.length < 3 || have !== 1 || given === 1 || own.slice(-2).join() !== wanted.slice(-2).join()) return [usual];
	const normalize = {
		entry: "error-normalize", when: NORMALIZE, says: [`The image has ${count(have, "channel")}, and the mean or the standard deviation ${count(given, "number")}.`],
		cures: ["one number each, `Normalize((0.5,), (0.5,))`", `or ${count(given, "equal channel")}, \`image.convert("RGB")\` before`],
	};
	const inTransform = functions.some((name) => /normalize/i.test(name)) || files.some((file) => /torchvision[\\/]transforms/.test(file));
	return inTransform ? [{ ...normalize, says: [`${NORMALIZE}.`, ...normalize.says] }] : functions.length ? [usual, normalize] : [normalize, { ...usual, when: "An operation in place, such as `+=`" }];
};

const ofCollate = ({ type }) => {
	const cures = /^PIL\b/.test(type) ? ["`transforms.ToTensor()` as the transform of the data set, or as its last step"]
		: type === "NoneType" ? ["a `return` in `__getitem__`, and in every transform; a broken image that gives None must be left out"] : ["tensors from `__getitem__`, or a `collate_fn` of your own"];
	return [{ entry: "error-collate", says: [`The DataLoader makes batches of tensors, arrays and numbers; the data set returned \`${type}\`.`], cures }];
};

Errors.messages.push(
	{ words: ["output with shape [{own:list}] doesn't match the broadcast shape [{wanted:list}]"], entries: ["error-normalize"], answer: ofInPlace },
	plain("error-negative-stride", "At least one stride in the given numpy array is negative", "The array was flipped or reversed, as in `x[:, ::-1]`, without moving its numbers; a tensor cannot hold it so.", "`torch.from_numpy(x.copy())`"),
	{
		words: ["pic should be PIL Image or ndarray. Got <class '{type:word}'>"], entries: [""],
		answer: ({ type }) => [{ entry: "", says: [`\`ToTensor\` takes an image of PIL or an array, and got \`${type}\`.`], cures: type === "torch.Tensor" ? ["it is a tensor already: leave `ToTensor` out, or apply it once only"] : [] }],
	},
	{ words: ["batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class '{type:word}'>"], entries: ["error-collate"], answer: ofCollate },

	plain("wrong-backward-scalar", "grad can be implicitly created only for scalar outputs", "`backward()` starts from one number, and this tensor has more.", "`loss.mean().backward()`, or `.sum()`"),
	plain("wrong-no-grad", ["does not require grad and does not have a grad_fn", "element {place:n} of tensors does not require grad"], "Nothing on the way from the parameters to this tensor was recorded: it was detached, computed under `torch.no_grad()`, or all parameters are frozen.", "no `detach()`, `.item()`, `.data` or `no_grad()` between the model and the loss"),
	plain("wrong-backward-twice", "Trying to backward through the graph a second time", "The first `backward()` has freed what it recorded.", ["compute the prediction and the loss anew before each `backward()`", "two losses: `(loss1 + loss2).backward()`", "a state that is kept from batch to batch: `state.detach()`"]),
	plain("wrong-old-code", "one of the variables needed for gradient computation has been modified by an inplace operation", "A tensor that the backward pass needs was written over.", ["`x = x + y` in place of `x += y`", "`nn.ReLU()` in place of `nn.ReLU(inplace=True)`"]),
	plain("wrong-fill-parameter", "leaf Variable that requires grad is being used in an in-place operation", "A parameter was written to while its operations were recorded.", "`with torch.no_grad():` around it, or a function of `torch.nn.init`"),

	plain("sec-batch-size", ["CUDA out of memory", "MPS backend out of memory"], "The memory of the device is used up, mostly by the maps that training keeps for the backward pass.", ["a smaller batch, or its gradients added up in parts", "to predict: `with torch.no_grad():`", "no list of losses with their graphs: `loss.item()`"]),
	plain("wrong-label-out-of-range", "device-side assert triggered", "A number was out of its range on the GPU, mostly a label that is not a class or an index of an embedding. The line of the traceback may be a later one.", ["run one batch on the CPU, where the message says which", "`CUDA_LAUNCH_BLOCKING=1` before the program"]),
	plain("error-numpy-device", "can't convert {device:word} device type tensor to numpy", "NumPy reads the memory of the CPU; the tensor is on {device}.", "`x.detach().cpu().numpy()`"),
	plain("error-unscale", "Attempting to unscale FP16 gradients", "`GradScaler` wants parameters in float32: the model was converted to float16.", "no `model.half()`: `torch.autocast` converts what it should"),
	plain("sec-formats", "are unsafe to autocast", "The logarithm of a probability is too large for float16.", "`F.binary_cross_entropy_with_logits` on the scores, without a sigmoid before"),

	plain("error-module-init", ["cannot assign module before Module.__init__() call", "cannot assign parameters before Module.__init__() call"], "`__init__` of this class does not call that of `nn.Module` first.", "`super().__init__()` as the first line of `__init__`"),
	plain("error-module-forward", "Module [{name:word}] is missing the required \"forward\" function", "{name} has no method `forward`.", "`def forward(self, x):`, indented inside the class, and spelled exactly so"),
	plain("error-optimizer-empty", "optimizer got an empty parameter list", "The model has no parameters that the optimizer could train.", ["layers as attributes, `self.conv = nn.Conv2d(…)`; a list of layers in `nn.ModuleList`", "`model.parameters()` after the layers were made; a generator is used up after one pass"]),
);
})();
