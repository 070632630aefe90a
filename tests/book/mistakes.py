"""Mistakes whose message alone does not decide: the entry of each, and what is said of it."""

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms

from tests.book import pasted


class NoBase(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(1, 1)


class Misspelled(nn.Module):
    def froward(self, x):
        return x


def backward_twice():
    weight = torch.ones(2, requires_grad=True)
    loss = (weight * weight).sum()
    loss.backward()
    loss.backward()


def overwritten():
    weight = torch.ones(2, requires_grad=True)
    maps = weight.exp()
    maps += 1
    maps.sum().backward()


def filled():
    weight = torch.ones(2, requires_grad=True)
    weight += 1


def scaled_half():
    model = nn.Linear(2, 2).half()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale(model(torch.ones(1, 2).half()).sum()).backward()
    scaler.step(optimizer)


def classes(*shape, fill=0):
    return torch.full(shape, fill)


def accuracy():
    scores, labels = torch.zeros(4, 10), classes(3)
    return (scores.argmax(1) == labels).sum()


def normalize(channels, numbers=3):
    return transforms.Normalize([0.5] * numbers, [0.5] * numbers)(torch.zeros(channels, 8, 9))


CONV = nn.Conv2d(3, 4, 3)
LINEAR = nn.Linear(4, 2)
MAPS = torch.zeros(4, 3, 8, 8)
IMAGE = Image.new("RGB", (8, 8))

# Per mistake: a call that fails, the entries, what is said, and what is not.
MISTAKES = {
    "labels per image": (
        lambda: F.cross_entropy(MAPS, classes(4)),
        ["error-loss-no-pooling"],
        ["lacks a global pooling and a flatten", "nn.AdaptiveAvgPool2d(1)", "nn.Flatten()"],
        ["squeeze"],
    ),
    "maps of one cell": (
        lambda: F.cross_entropy(torch.zeros(4, 10, 1, 1), classes(4)),
        ["error-loss-no-pooling"],
        ["lacks a global pooling", "scores.flatten(1)"],
        ["squeeze"],
    ),
    "masks of a channel": (
        lambda: F.cross_entropy(MAPS, classes(4, 1, 8, 8)),
        ["error-loss-maps"],
        ["this one has 4", "masks.squeeze(1)"],
        ["pooling"],
    ),
    "labels in a column": (
        lambda: F.cross_entropy(MAPS, classes(4, 1)),
        ["error-loss-no-pooling", "error-loss-maps"],
        ["global pooling", "labels.squeeze(1)"],
        [],
    ),
    "labels per sequence": (
        lambda: F.cross_entropy(torch.zeros(4, 10, 5), classes(4)),
        ["error-loss-positions"],
        ["one per sample", "pooling"],
        ["to one size"],
    ),
    "classes last": (
        lambda: F.cross_entropy(torch.zeros(4, 7, 5), classes(4, 7)),
        ["error-loss-maps-size"],
        ["(4, 5)", "(4, 7)", "scores.transpose(1, 2)"],
        [],
    ),
    "a layer with two results": (
        lambda: LINEAR(nn.LSTM(3, 4)(torch.zeros(2, 5, 3))),
        ["error-tuple-input"],
        ["a tuple: several results", "x[0]"],
        ["torch.tensor"],
    ),
    "no return": (
        lambda: LINEAR(None),
        ["error-none-input"],
        ["returned nothing", "a return"],
        ["torch.tensor"],
    ),
    "a dictionary": (
        lambda: F.cross_entropy(nn.ModuleDict(), classes(4)),
        ["error-list-input"],
        ["takes a tensor, and got ModuleDict"],
        ["torch.tensor"],
    ),
    "segmentation": (
        lambda: LINEAR({"out": MAPS}),
        ["error-list-input"],
        ['output["out"]'],
        ["torch.tensor"],
    ),
    "an auxiliary classifier": (
        lambda: F.cross_entropy(
            torchvision.models.inception.InceptionOutputs(MAPS, MAPS), classes(4)
        ),
        ["error-list-input"],
        ["output.logits"],
        ["torch.tensor"],
    ),
    "an image": (
        lambda: F.relu(IMAGE),
        ["error-list-input"],
        ["an image of PIL", "to_tensor(image)"],
        ["torch.tensor"],
    ),
    "a list": (lambda: F.relu([1]), ["error-list-input"], ["torch.stack", "torch.tensor(x)"], []),
    "a list to a convolution": (lambda: CONV([MAPS]), ["error-list-input"], ["torch.stack"], []),
    "a tuple to a convolution": (
        lambda: CONV((MAPS, classes(4))),
        ["error-tuple-input"],
        ["images, labels = batch"],
        ["torch.tensor"],
    ),
    "None to a convolution": (
        lambda: CONV(None),
        ["error-none-input"],
        ["returned nothing"],
        ["torch.tensor"],
    ),
    "an image to a convolution": (
        lambda: CONV(IMAGE),
        ["error-list-input"],
        ["to_tensor(image)"],
        ["torch.tensor"],
    ),
    "an array to a convolution": (
        lambda: CONV(np.zeros((1, 3, 8, 8))),
        ["error-numpy-array"],
        ["torch.from_numpy(x).float()"],
        [],
    ),
    "a capital letter": (lambda: nn.Conv2D, ["error-lowercase"], ["nn.Conv2d"], ["nn.Conv2D"]),
    "small letters": (lambda: nn.Relu, ["error-lowercase"], ["nn.ReLU"], ["nn.Relu"]),
    "a function": (lambda: nn.max_pool2d, ["error-lowercase"], ["nn.MaxPool2d", "F.max_"], []),
    "a layer among functions": (lambda: F.Conv2d, ["error-lowercase"], ["nn.Conv2d"], []),
    "no such name": (lambda: nn.Convo, ["error-lowercase"], ["has no Convo"], ["nn.Convo "]),
    "four numbers with a mode": (
        lambda: nn.Conv2d(3, 4, 3, padding=(1, 2, 1, 2), padding_mode="reflect")(MAPS),
        ["error-padding-four", "error-pad-numbers"],
        ["given 4 numbers", "nn.ReflectionPad2d"],
        [],
    ),
    "no channels with a mode": (
        lambda: nn.Conv2d(1, 4, 3, padding=1, padding_mode="reflect")(MAPS[0, 0]),
        ["error-conv-axes", "error-pad-numbers"],
        ["has 2 axes", "x[None]"],
        [],
    ),
    "an alpha channel to Normalize": (
        lambda: normalize(4),
        ["error-normalize"],
        ["image has 4 channels", "3 numbers", '.convert("RGB")'],
        ["branches"],
    ),
    "a grey image to Normalize": (
        lambda: normalize(1),
        ["error-normalize"],
        ["image has 1 channel,", "3 numbers", "Normalize((0.5,), (0.5,))"],
        [],
    ),
    "a sum in place": (
        lambda: torch.zeros(1, 8).add_(torch.zeros(4, 8)),
        [""],
        ["shape (1, 8)", "have (4, 8)"],
        ["Normalize"],
    ),
    "an accuracy": (accuracy, ["error-loss-batch"], ["there are 4", "other 3"], ["branches"]),
    "flattened images": (
        lambda: nn.Conv2d(1, 4, 3)(torch.zeros(4, 784)),
        ["error-conv-axes"],
        ["4 flattened images of 1 * 28 * 28 = 784 numbers: x.view(-1, 1, 28, 28)"],
        [],
    ),
    "flattened colour images": (
        lambda: CONV(torch.zeros(4, 3072)),
        ["error-conv-axes"],
        ["x.view(-1, 3, 32, 32)"],
        [],
    ),
    "a square image": (
        lambda: nn.Conv2d(1, 4, 3)(torch.zeros(64, 64)),
        ["error-conv-axes"],
        ["x[None, None]"],
        ["flattened"],
    ),
    "frames before channels": (
        lambda: nn.Conv3d(3, 4, 3)(torch.zeros(1, 16, 3, 9, 10)),
        ["error-channels"],
        ["x.transpose(1, 2) gives (1, 3, 16, 9, 10)"],
        [],
    ),
    "a mask that ignores 255": (
        lambda: F.cross_entropy(MAPS, classes(4, 8, 8, fill=255)),
        ["error-loss-range"],
        ["column. ignore_index=255"],
        [],
    ),
    "a label of -1": (
        lambda: F.cross_entropy(MAPS[:, :, 0, 0], classes(4, fill=-1)),
        ["error-loss-range"],
        ["column. ignore_index=-1"],
        ["outputs of the last layer"],
    ),
    "a label too large": (
        lambda: F.cross_entropy(MAPS[:, :, 0, 0], classes(4, fill=3)),
        ["error-loss-range"],
        ["at least 4 outputs"],
        ["ignore_index"],
    ),
    "the name of a file": (
        lambda: LINEAR.load_state_dict("weights.pt"),
        ["error-state-not-dict"],
        ["got str", "model.load_state_dict(torch.load(path))"],
        ["saved.state_dict()"],
    ),
    "other classes": (
        lambda: LINEAR.load_state_dict(nn.Linear(4, 3).state_dict()),
        ["error-state-shape"],
        ['del saved["weight"]', "replace the layer afterwards"],
        [],
    ),
    "an image with transparency": (
        lambda: CONV(torch.zeros(1, 4, 8, 9)),
        ["error-channels"],
        ["has 4. drop the alpha channel: x[..., :3, :, :]"],
        [],
    ),
    "a grey image": (
        lambda: CONV(torch.zeros(1, 1, 8, 9)),
        ["error-channels"],
        ["has 1. repeat the grey channel: x.repeat(1, 3, 1, 1)", "x.repeat(3, 1, 1)"],
        ["expand"],
    ),
    "forgotten groups": (
        lambda: F.conv2d(torch.zeros(1, 12, 8, 9), torch.zeros(12, 4, 3, 3)),
        ["error-channels", "error-channels-last"],
        ["groups=3, if it was forgotten", "3 * 4 = 12"],
        [],
    ),
    "a layer without groups": (
        lambda: nn.Conv2d(64, 128, 3)(torch.zeros(1, 128, 8, 9)),
        ["error-channels"],
        ["in_channels=128"],
        ["groups"],
    ),
    "same with a stride": (
        lambda: nn.Conv2d(3, 4, 3, stride=2, padding="same"),
        ["error-same-stride"],
        ["padding=dilation * (kernel_size - 1) // 2"],
        [],
    ),
    "no kernel": (
        lambda: nn.Conv2d(3, 4),
        ["error-missing-argument"],
        ["built without kernel_size", "kernel_size=3"],
        ["1 argument"],
    ),
    "a kernel of 0": (
        # float32 may be given to oneDNN, whose message names nothing
        lambda: F.conv2d(MAPS.double(), torch.zeros(4, 3, 0, 3).double()),
        ["error-kernel-zero"],
        ["this one has 0 x 3"],
        [],
    ),
    "three strides": (
        lambda: nn.Conv2d(3, 4, 3, stride=(1, 2, 3))(MAPS),
        ["error-stride-three"],
        ["2 numbers as stride", "it got 3: 1, 2, 3"],
        ["padding"],
    ),
    "four paddings": (
        lambda: nn.Conv2d(3, 4, 3, padding=(1, 2, 1, 2))(MAPS),
        ["error-padding-four"],
        ["2 numbers as padding", "it got 4", "F.pad"],
        [],
    ),
    "a bias too short": (
        lambda: F.conv2d(MAPS, torch.zeros(8, 3, 3, 3), torch.zeros(5)),
        ["error-bias-size"],
        ["must have 8 numbers, and has 5"],
        [],
    ),
    "zeros to F.pad": (
        lambda: F.pad(MAPS, (1, 1), mode="zeros"),
        ["error-pad-mode"],
        ['mode="constant"'],
        [],
    ),
    "three sizes": (
        lambda: F.adaptive_avg_pool2d(MAPS, (1, 1, 1)),
        ["error-adaptive-size"],
        ["one number, or 2"],
        [],
    ),
    "a flipped array": (
        lambda: torch.from_numpy(np.zeros((3, 4))[:, ::-1]),
        ["error-negative-stride"],
        ["torch.from_numpy(x.copy())"],
        [],
    ),
    "ToTensor twice": (lambda: transforms.ToTensor()(MAPS), [""], ["once only"], []),
    "images in a batch": (
        lambda: next(iter(DataLoader([IMAGE, IMAGE]))),
        ["error-collate"],
        ["returned PIL.Image.Image", "transforms.ToTensor()"],
        [],
    ),
    "nothing in a batch": (
        lambda: next(iter(DataLoader([None]))),
        ["error-collate"],
        ["a return in"],
        [],
    ),
    "backward of a map": (
        lambda: torch.zeros(2, requires_grad=True).backward(),
        ["wrong-backward-scalar"],
        ["loss.mean()"],
        [],
    ),
    "nothing recorded": (
        lambda: torch.zeros(1).backward(),
        ["wrong-no-grad"],
        ["torch.no_grad()"],
        [],
    ),
    "backward twice": (backward_twice, ["wrong-backward-twice"], ["freed"], []),
    "overwritten": (overwritten, ["wrong-old-code"], ["written over"], []),
    "a filled parameter": (filled, ["wrong-fill-parameter"], ["torch.no_grad()"], []),
    "half and a scaler": (scaled_half, ["error-unscale"], ["no model.half()"], []),
    "no super": (NoBase, ["error-module-init"], ["super().__init__()"], []),
    "no forward": (
        lambda: Misspelled()(1),
        ["error-module-forward"],
        ["Misspelled has no method"],
        [],
    ),
    "nothing to train": (
        lambda: torch.optim.SGD([], 0.1),
        ["error-optimizer-empty"],
        ["no parameters"],
        [],
    ),
}

# Messages that this machine, or this version of PyTorch, cannot raise.
ELSEWHERE = {
    "RuntimeError: Input type (MPSFloatType) and weight type (torch.FloatTensor) should be the "
    "same": ("error-device", "One tensor is on mps, and another on cpu."),
    "RuntimeError: Input type (torch.FloatTensor) and weight type (torch.cuda.FloatTensor) should "
    "be the same or input should be a MKLDNN tensor": ("error-device", "on cpu, and another on c"),
    "RuntimeError: Input type (torch.cuda.ByteTensor) and weight type (torch.cuda.FloatTensor) "
    "should be the same": ("error-bytes", "The input is uint8, and the weight float32."),
    "RuntimeError: size mismatch, m1: [4 x 2048], m2: [512 x 10] at /pytorch/aten/src/TH/generic/"
    "THTensorMath.cpp:41": ("error-linear-after-flatten", "takes 512 numbers"),
    "RuntimeError: Expected 4-dimensional input for 4-dimensional weight [64, 3, 7, 7], but got "
    "3-dimensional input of size [3, 224, 224] instead": ("error-conv-axes", "x.unsqueeze(0)"),
    "RuntimeError: Calculated padded input size per channel: (2 x 2). Kernel size: (3 x 3). "
    "Kernel size can't greater than actual input size at /opt/conda": ("error-kernel", "3 > 2"),
    "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 8 GiB":
    ("sec-batch-size", "a smaller batch"),
    "RuntimeError: CUDA error: device-side assert triggered": (
        "wrong-label-out-of-range", "run one batch on the CPU"
    ),
    "TypeError: can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the":
    ("error-numpy-device", "x.detach().cpu().numpy()"),
    "RuntimeError: torch.nn.functional.binary_cross_entropy and torch.nn.BCELoss are unsafe to "
    "autocast.": ("sec-formats", "binary_cross_entropy_with_logits"),
    'RuntimeError: "slow_conv2d_cpu" not implemented for \'Half\'': (
        "error-half-model", "x.float()"
    ),
    "AttributeError: module 'torch.nn' has no attribute 'ConvTransposed2d'. Did you mean: "
    "'ConvTranspose2d'?": ("error-lowercase", "nn.ConvTranspose2d"),
}  # fmt: skip


def texts():
    """Give each mistake as (name, message, traceback, entries, said, unsaid)."""
    for name, (call, *expected) in MISTAKES.items():
        error = pasted.error_of(call)
        yield name, f"{type(error).__name__}: {error}", pasted.traceback_of(error), *expected
