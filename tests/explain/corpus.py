"""Calls that fail: a name, a function that returns the module and the inputs, cause and layer."""

import torch
import torch.nn.functional as F
import torchvision
from torch import nn


class Residual(nn.Module):
    def __init__(self, channels=8, stride=1, padding=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, stride, padding, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x):
        return F.relu(x + self.conv2(F.relu(self.bn1(self.conv1(x)))))


class ResidualNet(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.blocks = nn.Sequential(Residual(), Residual(**options))
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        return self.fc(self.blocks(self.stem(x)).mean((2, 3)))


class UNet(nn.Module):
    def __init__(self, merged=24):
        super().__init__()
        self.down1 = nn.Conv2d(3, 8, 3, padding=1)
        self.down2 = nn.Conv2d(8, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(16, 16, 2, stride=2)
        self.out = nn.Conv2d(merged, 2, 1)

    def forward(self, x):
        first = F.relu(self.down1(x))
        second = F.relu(self.down2(F.max_pool2d(first, 2)))
        return self.out(torch.cat([self.up(second), first], dim=1))


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.image = nn.Conv2d(3, 4, 3)
        self.depth = nn.Conv2d(1, 4, 3)

    def forward(self, image, depth):
        return self.image(image) + self.depth(depth)


class Functional(nn.Module):
    def __init__(self, function, *weight_shape):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(weight_shape))
        self.function = function

    def forward(self, *inputs):
        return self.function(self.weight, *inputs)


class LeNet(nn.Module):
    """As in tutorials, for images of 32 x 32."""

    def __init__(self, flatten):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 10)
        self.flatten = flatten

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc1(self.flatten(x))


def images(*shape, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 255, shape, generator=generator).to(dtype)


def changed(module, **attributes):
    for name, value in attributes.items():
        setattr(module, name, value)
    return module


def torchvision_model(name):
    with torch.random.fork_rng():
        return getattr(torchvision.models, name)(num_classes=10)


def with_layer(name, path, layer):
    model = torchvision_model(name)
    parent, _, last = path.rpartition(".")
    setattr(model.get_submodule(parent), last, layer)
    return model


def stack(*layers):
    return nn.Sequential(*layers)


# fmt: off
PLAIN = {
    "conv-channels": (lambda: nn.Conv2d(3, 8, 3), [(1, 4, 9, 9)], "channels", ""),
    "conv-grey": (lambda: nn.Conv2d(3, 8, 3), [(1, 1, 9, 9)], "channels", ""),
    "conv-rgb-into-grey": (lambda: nn.Conv2d(1, 8, 3), [(2, 3, 9, 9)], "channels", ""),
    "conv1d-channels": (lambda: nn.Conv1d(3, 8, 3), [(1, 5, 9)], "channels", ""),
    "conv3d-channels": (lambda: nn.Conv3d(3, 8, 3), [(1, 2, 5, 6, 7)], "channels", ""),
    "depthwise-channels": (lambda: nn.Conv2d(8, 8, 3, groups=8), [(1, 6, 9, 9)], "channels", ""),
    "grouped-channels": (lambda: nn.Conv2d(8, 4, 3, groups=2), [(1, 6, 9, 9)], "channels", ""),
    "transposed-channels": (lambda: nn.ConvTranspose2d(3, 8, 3), [(1, 4, 9, 9)], "channels", ""),
    "nhwc": (lambda: nn.Conv2d(3, 8, 3), [(2, 32, 48, 3)], "channels_last_image", ""),
    "hwc": (lambda: nn.Conv2d(3, 8, 3), [(32, 48, 3)], "channels_last_image", ""),
    "nhwc-pixels": (lambda: stack(nn.Conv2d(3, 8, 3), nn.ReLU()), [images(2, 8, 9, 3)],
                    "channels_last_image", "0"),
    "hw": (lambda: nn.Conv2d(1, 8, 3), [(28, 28)], "missing_axis", ""),
    "nhw": (lambda: nn.Conv2d(1, 8, 3), [(5, 28, 28)], "missing_axis", ""),
    "pool-hw": (lambda: nn.MaxPool2d(2), [(28, 28)], "missing_axis", ""),
    "bn-chw": (lambda: nn.BatchNorm2d(3), [(3, 8, 8)], "missing_axis", ""),
    "bn2d-features": (lambda: stack(nn.Linear(4, 8), nn.BatchNorm2d(8)), [(5, 4)],
                      "missing_axis", "1"),
    "adaptive-features": (lambda: nn.AdaptiveAvgPool2d(2), [(5, 4)], "missing_axis", ""),
    "video": (lambda: nn.Conv2d(3, 8, 3), [(2, 5, 3, 9, 9)], "extra_axis", ""),
    "bn1d-map": (lambda: stack(nn.Conv2d(3, 4, 3), nn.BatchNorm1d(4)), [(2, 3, 8, 8)],
                 "extra_axis", "1"),
    "kernel": (lambda: nn.Conv2d(3, 8, 7), [(1, 3, 5, 9)], "kernel_larger_than_input", ""),
    "dilated-kernel": (lambda: nn.Conv2d(3, 8, 3, dilation=16), [(1, 3, 32, 32)],
                       "kernel_larger_than_input", ""),
    "padded-kernel": (lambda: nn.Conv2d(3, 8, 7, padding=1), [(1, 3, 4, 4)],
                      "kernel_larger_than_input", ""),
    "reflected-kernel": (lambda: nn.Conv2d(3, 8, 9, padding=1, padding_mode="reflect"),
                         [(1, 3, 4, 4)], "kernel_larger_than_input", ""),
    "pool-kernel": (lambda: nn.MaxPool2d(3), [(1, 3, 2, 8)], "kernel_larger_than_input", ""),
    "average-kernel": (lambda: nn.AvgPool2d(7), [(1, 3, 4, 4)], "kernel_larger_than_input", ""),
    "conv1d-kernel": (lambda: nn.Conv1d(3, 8, 7), [(1, 3, 5)], "kernel_larger_than_input", ""),
    "groups": (lambda: changed(nn.Conv2d(6, 8, 3), groups=3), [(1, 18, 9, 9)],
               "groups_do_not_divide", ""),
    "group-norm": (lambda: changed(nn.GroupNorm(2, 6), num_groups=4), [(2, 6, 4, 4)],
                   "groups_do_not_divide", ""),
    "group-norm-channels": (lambda: nn.GroupNorm(2, 6), [(2, 8, 4, 4)], "channels", ""),
    "same-stride": (lambda: changed(nn.Conv2d(3, 8, 3, padding="same"), stride=(2, 2)),
                    [(1, 3, 9, 9)], "same_with_stride", ""),
    "float-stride": (lambda: nn.Conv2d(3, 8, 3, stride=2.0), [(1, 3, 9, 9)], "not_an_integer", ""),
    "float-padding": (lambda: nn.Conv2d(3, 8, 3, padding=3 / 3), [(1, 3, 9, 9)],
                      "not_an_integer", ""),
    "float-pool": (lambda: nn.MaxPool2d(2.0), [(1, 3, 9, 9)], "not_an_integer", ""),
    "uint8": (lambda: nn.Conv2d(3, 8, 3), [images(1, 3, 9, 9, dtype=torch.uint8)],
              "integer_image", ""),
    "int64-linear": (lambda: nn.Linear(4, 2), [images(3, 4, dtype=torch.int64)],
                     "integer_image", ""),
    "uint8-norm": (lambda: nn.BatchNorm2d(3), [images(1, 3, 9, 9, dtype=torch.uint8)],
                   "integer_image", ""),
    "uint8-average": (lambda: nn.AvgPool2d(2), [images(1, 3, 8, 8, dtype=torch.uint8)],
                      "integer_image", ""),
    "float64": (lambda: nn.Conv2d(3, 8, 3), [images(1, 3, 9, 9, dtype=torch.float64)],
                "dtype_mismatch", ""),
    "half-linear": (lambda: nn.Linear(4, 2), [images(3, 4, dtype=torch.float16)],
                    "dtype_mismatch", ""),
    "half-model": (lambda: nn.Conv2d(3, 8, 3).half(), [images(1, 3, 9, 9)], "dtype_mismatch", ""),
    "float64-norm": (lambda: nn.BatchNorm2d(3), [images(1, 3, 9, 9, dtype=torch.float64)],
                     "dtype_mismatch", ""),
    "float-embedding": (lambda: nn.Embedding(9, 4), [torch.ones(2, 3)], "dtype_mismatch", ""),
    "bn-channels": (lambda: nn.BatchNorm2d(16), [(2, 3, 9, 9)], "batchnorm_channels", ""),
    "bn-channels-eval": (lambda: nn.BatchNorm2d(16).eval(), [(2, 3, 9, 9)],
                         "batchnorm_channels", ""),
    "bn-single": (lambda: nn.BatchNorm1d(16), [(1, 16)], "batchnorm_single_value", ""),
    "pool-padding": (lambda: nn.MaxPool2d(2, padding=2), [(1, 3, 9, 9)], "pool_padding", ""),
    "average-padding": (lambda: nn.AvgPool2d(3, padding=2), [(1, 3, 9, 9)], "pool_padding", ""),
    "dilated-padding": (lambda: nn.MaxPool2d(3, 1, padding=2, dilation=2), [(1, 3, 9, 9)],
                        "pool_padding", ""),
    "reflect": (lambda: nn.Conv2d(3, 8, 3, padding=9, padding_mode="reflect"), [(1, 3, 9, 9)],
                "padding_mode_too_large", ""),
    "circular": (lambda: nn.Conv2d(3, 8, 3, padding=10, padding_mode="circular"), [(1, 3, 9, 9)],
                 "padding_mode_too_large", ""),
    "output-padding": (lambda: nn.ConvTranspose2d(3, 8, 3, stride=2, output_padding=2),
                       [(1, 3, 9, 9)], "transposed_size", ""),
    "transposed-empty": (lambda: nn.ConvTranspose2d(3, 8, 3, padding=2), [(1, 3, 1, 1)],
                         "empty_output", ""),
    "no-rows": (lambda: nn.Conv2d(3, 8, 3, padding=2), [(1, 3, 0, 9)], "empty_output", ""),
    "linear": (lambda: nn.Linear(16, 2), [(3, 8)], "features", ""),
    "attention": (lambda: stack(nn.TransformerEncoderLayer(8, 2)), [(5, 2, 6)],
                  "features", "0.self_attn"),
    "attention-float64": (lambda: nn.TransformerEncoderLayer(8, 2),
                          [images(5, 2, 8, dtype=torch.float64)], "dtype_mismatch", "self_attn"),
    "mean-uint8": (lambda: Functional(lambda w, x: w * x.mean(), 1),
                   [images(2, 3, dtype=torch.uint8)], "integer_image", ""),
    "layer-norm": (lambda: nn.LayerNorm(16), [(3, 8)], "features", ""),
    "linear-on-map": (lambda: stack(nn.Conv2d(3, 4, 3), nn.Linear(4 * 36, 10)), [(1, 3, 8, 8)],
                      "missing_flatten", "1"),
    "linear-on-map-2": (lambda: stack(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(99, 10)),
                        [(1, 3, 8, 8)], "missing_flatten", "2"),
    "flatten": (lambda: stack(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(100, 10)),
                [(1, 3, 8, 8)], "linear_after_flatten", "2"),
    "flatten-chw": (lambda: stack(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(288, 10)),
                    [(3, 8, 8)], "missing_axis", "2"),
    "cross-entropy-batch": (nn.CrossEntropyLoss, [torch.ones(4, 10), torch.zeros(5).long()],
                            "target_shape", ""),
    "cross-entropy-column": (nn.CrossEntropyLoss, [torch.ones(4, 10), torch.zeros(4, 1).long()],
                             "target_shape", ""),
    "cross-entropy-float": (nn.CrossEntropyLoss, [torch.ones(4, 10), torch.zeros(4)],
                            "dtype_mismatch", ""),
    "nll-int32": (nn.NLLLoss, [torch.zeros(4, 3), torch.zeros(4).int()], "dtype_mismatch", ""),
    "bce-float64": (nn.BCELoss, [torch.ones(4), torch.ones(4).double()], "dtype_mismatch", ""),
    "cross-entropy-range": (nn.CrossEntropyLoss, [torch.ones(4, 10), torch.full((4,), 10)],
                            "target_range", ""),
    "cross-entropy-maps": (nn.CrossEntropyLoss,
                           [torch.ones(2, 3, 8, 8), torch.zeros(2, 1, 8, 8).long()],
                           "target_shape", ""),
    "bce-column": (nn.BCEWithLogitsLoss, [torch.ones(4, 1), torch.ones(4)], "target_shape", ""),
    "bce-integers": (nn.BCEWithLogitsLoss, [torch.ones(4), torch.ones(4).long()],
                     "dtype_mismatch", ""),
}
NETWORKS = {
    "residual-padding": (lambda: ResidualNet(padding=0), [(2, 3, 16, 16)],
                         "skip_connection_shapes", "blocks.1"),
    "residual-stride": (lambda: ResidualNet(stride=2), [(2, 3, 16, 16)],
                        "skip_connection_shapes", "blocks.1"),
    "residual-channels": (ResidualNet, [(2, 4, 16, 16)], "channels", "stem"),
    "residual-head": (lambda: changed(ResidualNet(), fc=nn.Linear(16, 10)), [(2, 3, 16, 16)],
                      "features", "fc"),
    "residual-inner-norm": (lambda: ResidualNet(channels=4), [(2, 3, 16, 16)],
                            "channels", "blocks.1.conv1"),
    "unet-odd": (UNet, [(1, 3, 33, 32)], "concat_shapes", ""),
    "unet-merged": (lambda: UNet(16), [(1, 3, 32, 32)], "channels", "out"),
    "unet-nhwc": (UNet, [(1, 32, 32, 3)], "channels_last_image", "down1"),
    "unet-uint8": (UNet, [images(1, 3, 32, 32, dtype=torch.uint8)], "integer_image", "down1"),
    "second-input": (TwoInputs, [(1, 3, 8, 8), (1, 3, 8, 8)], "channels", "depth"),
    "second-size": (TwoInputs, [(1, 3, 8, 8), (1, 1, 9, 8)], "skip_connection_shapes", ""),
    "functional-conv": (lambda: Functional(lambda w, x: F.conv2d(x, w), 8, 3, 3, 3),
                        [(1, 4, 9, 9)], "channels", ""),
    "functional-groups": (lambda: Functional(lambda w, x: F.conv2d(x, w, groups=3), 8, 1, 3, 3),
                          [(1, 3, 9, 9)], "groups_do_not_divide", ""),
    "functional-cat": (lambda: Functional(lambda w, x, y: torch.cat([w * x, y], 1), 1),
                       [(1, 4, 9, 9), (1, 4, 9, 8)], "concat_shapes", ""),
    "functional-cat-ranks": (lambda: Functional(lambda w, x, y: torch.cat([w * x, y], 1), 1),
                             [(1, 4, 9, 9), (1, 4)], "concat_shapes", ""),
    "lenet-flatten": (lambda: LeNet(lambda x: x.flatten(1)), [(2, 1, 28, 28)],
                      "linear_after_flatten", "fc1"),
    "lenet-view": (lambda: LeNet(lambda x: x.view(-1, 400)), [(1, 1, 28, 28)],
                   "linear_after_flatten", ""),
    "lenet-no-flatten": (lambda: LeNet(lambda x: x), [(2, 1, 32, 32)], "missing_flatten", "fc1"),
    "lenet-rgb": (lambda: LeNet(torch.nn.Flatten()), [(2, 3, 32, 32)], "channels", "conv1"),
}
TORCHVISION = {
    "resnet-grey": (lambda: torchvision_model("resnet18"), [(1, 1, 64, 64)], "channels", "conv1"),
    "resnet-nhwc": (lambda: torchvision_model("resnet50"), [(2, 64, 64, 3)],
                    "channels_last_image", "conv1"),
    "resnet-uint8": (lambda: torchvision_model("resnet18"),
                     [images(1, 3, 64, 64, dtype=torch.uint8)], "integer_image", "conv1"),
    "resnet-small": (lambda: torchvision_model("resnet18"), [(1, 3, 32, 32)],
                     "batchnorm_single_value", "layer4.0.bn1"),
    "resnet-shortcut": (lambda: with_layer("resnet18", "layer2.0.downsample", None),
                        [(2, 3, 64, 64)], "skip_connection_shapes", "layer2.0"),
    "resnet-head": (lambda: with_layer("resnet50", "fc", nn.Linear(512, 10)), [(2, 3, 64, 64)],
                    "linear_after_flatten", "fc"),
    "resnet-inner": (lambda: with_layer("resnet50", "layer3.1.conv2",
                                        nn.Conv2d(128, 256, 3, padding=1, bias=False)),
                     [(2, 3, 64, 64)], "channels", "layer3.1.conv2"),
    "resnet-norm": (lambda: with_layer("resnet18", "layer1.1.bn2", nn.BatchNorm2d(128)),
                    [(2, 3, 64, 64)], "batchnorm_channels", "layer1.1.bn2"),
    "mobilenet-rgba": (lambda: torchvision_model("mobilenet_v2"), [(2, 4, 64, 64)],
                       "channels", "features.0.0"),
    "mobilenet-float64": (lambda: torchvision_model("mobilenet_v2"),
                          [images(2, 3, 64, 64, dtype=torch.float64)], "dtype_mismatch",
                          "features.0.0"),
    "mobilenet-depthwise": (lambda: with_layer("mobilenet_v2", "features.3.conv.1.0",
                                               nn.Conv2d(96, 96, 3, 1, 1, groups=96, bias=False)),
                            [(2, 3, 64, 64)], "channels", "features.3.conv.1.0"),
    "mobilenet-head": (lambda: with_layer("mobilenet_v2", "classifier.1", nn.Linear(1000, 10)),
                       [(2, 3, 64, 64)], "linear_after_flatten", "classifier.1"),
    "densenet-small": (lambda: torchvision_model("densenet121").eval(), [(1, 3, 24, 24)],
                       "kernel_larger_than_input", "features.transition3.pool"),
    "densenet-concat": (lambda: with_layer(
                            "densenet121", "features.denseblock1.denselayer1.conv2",
                            nn.Conv2d(128, 32, 3, bias=False)),
                        [(2, 3, 64, 64)], "concat_shapes", "features.denseblock1.denselayer2"),
    "densenet-chw": (lambda: torchvision_model("densenet121").eval(), [(3, 64, 64)],
                     "missing_axis", "features.norm0"),
}
# fmt: on
CASES = {**PLAIN, **NETWORKS, **TORCHVISION}


def build(name):
    """Return the module and the inputs, tensors, of a case."""
    make, inputs, _, _ = CASES[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = make()
    return model, tuple(x if isinstance(x, torch.Tensor) else images(*x) / 255 for x in inputs)
