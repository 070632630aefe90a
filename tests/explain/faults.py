"""Faults as people make them: a name, module and inputs, cause, layer, and the first fix."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.checkpoint import checkpoint

from tests.explain.corpus import changed, images, torchvision_model, with_layer


class Code(nn.Module):
    """A function of the module and its inputs; parts are layers and parameters."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs):
        return self.function(self, *inputs)


class Block(nn.Sequential):
    """Two convolutions of a U-Net."""

    def __init__(self, channels, out_channels, padding):
        layers = [nn.Conv2d(channels, out_channels, 3, padding=padding), nn.ReLU()]
        super().__init__(*layers, nn.Conv2d(out_channels, out_channels, 3, padding=padding))


class DeepUNet(nn.Module):
    def __init__(self, padding=1, upsample=False):
        super().__init__()
        self.encoder = nn.ModuleList([Block(3, 8, padding), Block(8, 16, padding)])
        self.middle = Block(16, 32, padding)
        self.up = nn.ModuleList(
            nn.Upsample(scale_factor=2) if upsample else nn.ConvTranspose2d(2 * n, n, 2, stride=2)
            for n in (16, 8)
        )
        self.decoder = nn.ModuleList([Block(32, 16, padding), Block(16, 8, padding)])

    def forward(self, x):
        skipped = []
        for block in self.encoder:
            x = block(x)
            skipped.append(x)
            x = F.max_pool2d(x, 2)
        x = self.middle(x)
        for up, block, other in zip(self.up, self.decoder, reversed(skipped), strict=True):
            x = block(torch.cat([other, up(x)], dim=1))
        return x


class Derived(nn.Conv2d):
    def forward(self, x):
        return super().forward(2 * x)


def weight(*shape):
    return nn.Parameter(torch.ones(shape))


def squeeze(model, x):
    return x * model.fc(x.mean((2, 3)))


def stack(*layers):
    return nn.Sequential(*layers)


RGB = (2, 3, 9, 9)
LONG, INT, BYTE, DOUBLE = torch.int64, torch.int32, torch.uint8, torch.float64
KEEPS = "padding that keeps the size"
LARGER = "an image of another size: F.interpolate(x, size="
# fmt: off
LAYERS = {
    "conv1d-nlc": (lambda: nn.Conv1d(12, 8, 3), [(4, 100, 12)], "channels_last_image", "",
                   "move the channels before the other axes: x.permute(0, 2, 1)"),
    "conv3d-ndhwc": (lambda: nn.Conv3d(3, 8, 3), [(1, 8, 9, 9, 3)], "channels_last_image", "",
                     "move the channels before the other axes: x.permute(0, 4, 1, 2, 3)"),
    "conv3d-kernel": (lambda: nn.Conv3d(3, 8, (5, 3, 3)), [(1, 3, 4, 9, 9)],
                      "kernel_larger_than_input", "", "padding=(1, 0, 0)"),
    "pool1d": (lambda: nn.MaxPool1d(5), [(1, 3, 4)], "kernel_larger_than_input", "",
               "kernel_size=4"),
    "pool3d-volume": (lambda: nn.MaxPool3d(3), [(1, 3, 2, 8, 8)], "kernel_larger_than_input", "",
                      "kernel_size=(2, 3, 3)"),
    "lp-pool": (lambda: nn.LPPool2d(2, 5), [(1, 2, 3, 3)], "kernel_larger_than_input", "",
                "kernel_size=3"),
    "unfold": (lambda: nn.Unfold(5), [(1, 3, 4, 4)], "kernel_larger_than_input", "",
               "kernel_size=4"),
    "unfold-bytes": (lambda: nn.Unfold(2), [images(1, 3, 4, 4, dtype=BYTE)], "integer_image", "",
                     "convert the image: x.to(torch.float32) / 255"),
    "pool1d-bytes": (lambda: nn.MaxPool1d(2), [images(1, 3, 8, dtype=BYTE)], "integer_image", "",
                     "convert the image: x.to(torch.float32) / 255"),
    "gelu-integers": (lambda: stack(nn.GELU()), [images(2, 3, dtype=LONG)], "integer_image", "0",
                      "convert the image: x.to(torch.float32)"),
    "instance-norm": (lambda: nn.InstanceNorm2d(4, affine=True), [RGB], "batchnorm_channels", "",
                      "num_features=3"),
    "instance-norm-single": (lambda: stack(nn.AdaptiveAvgPool2d(1), nn.InstanceNorm2d(3)), [RGB],
                             "batchnorm_single_value", "1", None),
    "group-norm-plain": (lambda: nn.GroupNorm(5, 15, affine=False), [(2, 12, 4, 4)],
                         "groups_do_not_divide", "", "num_groups=1, num_channels=12"),
    "norm-behind-conv": (lambda: stack(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1)),
                         [RGB], "batchnorm_channels", "1", "0: out_channels=4"),
    "rms-norm": (lambda: nn.RMSNorm(16), [(2, 8)], "features", "", "normalized_shape=(8,)"),
    "prelu": (lambda: stack(nn.Conv2d(3, 8, 3), nn.PReLU(16)), [RGB], "channels", "1",
              "1: num_parameters=8"),
    "bilinear": (lambda: nn.Bilinear(4, 5, 2), [(3, 4), (3, 6)], "features", "",
                 "in1_features=4, in2_features=6"),
    "pixel-shuffle": (lambda: nn.PixelShuffle(2), [(1, 6, 4, 4)], "groups_do_not_divide", "",
                      None),
    "channel-shuffle": (lambda: nn.ChannelShuffle(4), [(1, 6, 4, 4)], "groups_do_not_divide", "",
                        None),
    "adaptive-1d-map": (lambda: stack(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool1d(2)), [RGB],
                        "extra_axis", "1",
                        "1: adaptive_avg_pool2d in place of adaptive_avg_pool1d"),
    "conv1d-map": (lambda: stack(nn.Conv2d(3, 4, 3), nn.Conv1d(4, 4, 3)), [RGB], "extra_axis",
                   "1", "1: conv2d in place of conv1d"),
    "video-conv3d": (lambda: nn.Conv2d(3, 8, 3), [(2, 3, 5, 9, 9)], "extra_axis", "",
                     "conv3d in place of conv2d"),
    "adaptive-no-cells": (lambda: nn.AdaptiveAvgPool2d(2), [(1, 3, 0, 4)], "empty_output", "",
                          None),
    "negative-padding": (lambda: changed(nn.Conv2d(3, 4, 3), padding=(-1, -1)), [RGB], "unknown",
                         "", None),
    "generator": (lambda: stack(nn.ConvTranspose2d(16, 8, 4), nn.BatchNorm2d(8)), [(5, 16)],
                  "missing_axis", "0", "add the axes of the map: x.reshape(5, 16, 1, 1)"),
    "reflected-float-stride": (lambda: nn.Conv2d(3, 4, 3, 2.0, 1, padding_mode="reflect"), [RGB],
                               "not_an_integer", "", "stride=(2, 2)"),
    "lstm": (lambda: nn.LSTM(16, 8, bidirectional=True), [(5, 2, 15)], "features", "",
             "input_size=15"),
    "lstm-axes": (lambda: nn.LSTM(16, 8), [(5, 2, 16, 2)], "extra_axis", "", None),
    "gru-float64": (lambda: nn.GRU(16, 8), [images(5, 2, 16, dtype=DOUBLE)], "dtype_mismatch", "",
                    "convert the input: x.to(torch.float32)"),
    "gru-cell": (lambda: nn.GRUCell(16, 8), [(2, 15)], "features", "", "input_size=15"),
    "attention-keys": (lambda: nn.MultiheadAttention(16, 4), [(5, 2, 16), (6, 2, 12), (6, 2, 12)],
                       "features", "", None),
    "attention-width": (lambda: nn.MultiheadAttention(16, 4), [(5, 2, 12)] * 3, "features", "",
                        "embed_dim=12"),
    "embedding-range": (lambda: nn.Embedding(10, 4), [torch.tensor([3, 10])], "unknown", "", None),
    "derived": (lambda: stack(nn.Conv2d(3, 4, 3), Derived(5, 4, 3)), [RGB], "channels", "1",
                "1: in_channels=4"),
    "weight-norm": (lambda: stack(nn.Conv2d(3, 4, 3), weight_norm(nn.Conv2d(5, 4, 3))), [RGB],
                    "channels", "1", "1: in_channels=4"),
    "lazy": (lambda: stack(nn.LazyConv2d(4, 3), nn.Conv2d(5, 4, 3)), [RGB], "channels", "1",
             "1: in_channels=4"),
    "second-linear": (lambda: stack(nn.Flatten(), nn.Linear(243, 8), nn.ReLU(), nn.Linear(9, 2)),
                      [RGB], "features", "3", "3: in_features=8"),
    "half-a-model": (lambda: stack(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3).double()), [RGB],
                     "dtype_mismatch", "1", "convert the model: model.to(torch.float32)"),
    "signal-size": (lambda: stack(nn.Conv1d(4, 8, 3, 2), nn.Flatten(), nn.Linear(120, 2)),
                    [(2, 4, 41)], "linear_after_flatten", "2", "2: in_features=160"),
}
FUNCTIONS = {
    "batch-flattened": (lambda: Code(lambda m, x: m.fc(torch.flatten(x)), fc=nn.Linear(243, 4)),
                        [RGB], "linear_after_flatten", "fc",
                        "flatten each image for itself: x.flatten(1)"),
    "map-batch-flattened": (lambda: Code(lambda m, x: m.fc(m.conv(x).view(1, -1)),
                                         conv=nn.Conv2d(3, 4, 3), fc=nn.Linear(196, 4)), [RGB],
                            "linear_after_flatten", "fc",
                            "flatten each image for itself: x.flatten(1)"),
    "matrix": (lambda: Code(lambda m, x: x.flatten(1) @ m.weight, weight=weight(100, 4)), [RGB],
               "features", "", None),
    "same-stride": (lambda: Code(lambda m, x: F.conv2d(x, m.weight, stride=2, padding="same"),
                                 weight=weight(4, 3, 3, 3)), [RGB], "same_with_stride", "",
                    "conv2d(..., padding=(1, 1))"),
    "bias": (lambda: Code(lambda m, x: F.conv2d(x, m.weight, m.bias), weight=weight(8, 3, 3, 3),
                          bias=weight(4)), [RGB], "unknown", "", None),
    "grid-float64": (lambda: Code(lambda m, x, grid: F.grid_sample(x, grid, align_corners=False)),
                     [RGB, images(2, 8, 8, 2, dtype=DOUBLE)], "dtype_mismatch", "", None),
    "where": (lambda: Code(lambda m, x, y: torch.where(x > 0, x, y)), [(3, 8), (3, 7)],
              "skip_connection_shapes", "", None),
    "maximum": (lambda: Code(lambda m, x, y: torch.maximum(x, y)), [(3, 8), (3, 7)],
                "skip_connection_shapes", "", None),
    "in-place": (lambda: Code(lambda m, x, y: x.clone().add_(y)), [(3, 1), (3, 7)],
                 "skip_connection_shapes", "", None),
    "hstack": (lambda: Code(lambda m, *xs: torch.hstack(xs)), [(3, 8), (2, 8)], "concat_shapes",
               "", None),
    "cat-axis": (lambda: Code(lambda m, *xs: torch.cat(xs)), [(2, 3), (2, 4)], "concat_shapes",
                 "", "join along the axis in which they differ: dim=1"),
    "squeeze": (lambda: Code(squeeze, fc=nn.Linear(3, 3)), [RGB], "skip_connection_shapes", "",
                "add axes to the term of shape (2, 3): y[:, :, None, None]"),
    "view-sizes": (lambda: Code(lambda m, x: x.view(2, 3, 4, 4)), [RGB], "unknown", "", None),
    "one-hot-range": (lambda: Code(lambda m, x: F.one_hot(x, 3)), [torch.tensor([0, 3])],
                      "unknown", "", None),
    "index-list": (lambda: Code(lambda m, x: x[:, [0, 5]]), [RGB], "unknown", "", None),
    "index-select": (lambda: Code(lambda m, x, i: x.index_select(1, i)),
                     [RGB, torch.tensor([0, 3])], "unknown", "", None),
    "checkpoint": (lambda: Code(lambda m, x: checkpoint(m.second, m.first(x), use_reentrant=False),
                                first=nn.Conv2d(3, 4, 3), second=nn.Conv2d(5, 4, 3)), [RGB],
                   "channels", "second", "second: in_channels=4"),
    "shared": (lambda: Code(lambda m, x: m.conv(m.conv(x)), conv=nn.Conv2d(3, 4, 3)), [RGB],
               "channels", "conv", None),
    "rnn-behind-conv": (lambda: Code(lambda m, x: m.rnn(m.conv(x).flatten(2).transpose(1, 2)),
                                     conv=nn.Conv2d(3, 16, 3), rnn=nn.GRU(32, 8)), [RGB],
                        "features", "rnn", "rnn: input_size=16"),
    "autoencoder": (lambda: Code(lambda m, x: F.mse_loss(m.up(m.down(x)), x),
                                 down=nn.Conv2d(1, 4, 3, 2, 1),
                                 up=nn.ConvTranspose2d(4, 1, 3, 2, 1)),
                    [(2, 1, 28, 28)], "target_shape", "",
                    "bring prediction and target to one size: F.interpolate(prediction, size)"),
}
LOSSES = {
    "exchanged": (nn.CrossEntropyLoss, [torch.zeros(4).long(), (4, 3)], "dtype_mismatch", "",
                  "exchange them: loss(prediction, target)"),
    "one-hot": (nn.CrossEntropyLoss, [(4, 3), F.one_hot(torch.arange(4) % 3, 3)], "target_shape",
                "", "class numbers of one-hot vectors: target.argmax(dim=1)"),
    "one-hot-last": (nn.CrossEntropyLoss, [(2, 3, 8, 8), (2, 8, 8, 3)], "target_shape", "",
                     "class numbers of one-hot vectors: target.argmax(dim=-1)"),
    "classes-last": (nn.CrossEntropyLoss, [(4, 7, 5), torch.zeros(4, 7).long()], "target_shape",
                     "",
                     "make the classes the axis 1 of the prediction: prediction.movedim(-1, 1)"),
    "border": (nn.CrossEntropyLoss, [(2, 3, 8, 8), torch.full((2, 8, 8), 255)], "target_range",
               "", "if 255 marks what has no class: ignore_index=255"),
    "from-one": (nn.CrossEntropyLoss, [(4, 3), torch.tensor([1, 2, 3, 3])], "target_range", "",
                 "number the classes from 0: target - 1"),
    "kl": (nn.KLDivLoss, [(4, 3), (4, 4)], "target_shape", "",
           "the model must return one prediction per entry of the target"),
    "bce-logits": (nn.BCELoss, [torch.tensor([0.5, 2]), (2,)], "unknown", "", None),
    "bce-target": (nn.BCELoss, [torch.tensor([0.5, 0.5]), torch.tensor([0.0, 2])], "target_range",
                   "", None),
}
DEEP = {
    "resnet-projection": (lambda: with_layer("resnet18", "layer2.0.downsample.0",
                                             nn.Conv2d(64, 128, 1, bias=False)), [(2, 3, 64, 64)],
                          "skip_connection_shapes", "layer2.0", "layer2.0.downsample.0: stride=2"),
    "resnet-no-pooling": (lambda: changed(torchvision_model("resnet18"), avgpool=nn.Identity()),
                          [(2, 3, 64, 64)], "linear_after_flatten", "fc",
                          "average over each map before it is flattened: nn.AdaptiveAvgPool2d(1)"),
    "resnet-children": (lambda: stack(*torchvision_model("resnet18").children()),
                        [(2, 3, 64, 64)], "missing_flatten", "9", "put nn.Flatten() before 9"),
    "mobilenet-width": (lambda: with_layer("mobilenet_v2", "features.14.conv.2",
                                           nn.Conv2d(576, 96, 1, bias=False)), [(2, 3, 64, 64)],
                        "batchnorm_channels", "features.14.conv.3",
                        "features.14.conv.2: out_channels=160"),
    "mobilenet-head": (lambda: with_layer("mobilenet_v3_small", "classifier.3",
                                          nn.Linear(576, 10)), [(2, 3, 64, 64)],
                       "features", "classifier.3", "classifier.3: in_features=1024"),
    "squeezenet": (lambda: with_layer("squeezenet1_1", "features.3.expand3x3",
                                      nn.Conv2d(16, 64, 3)), [(1, 3, 64, 64)],
                   "concat_shapes", "features.3", f"features.3.expand3x3: {KEEPS}"),
    "swin-mlp": (lambda: with_layer("swin_t", "features.3.0.mlp.0", nn.Linear(96, 768)),
                 [(1, 3, 32, 32)], "features", "features.3.0.mlp.0",
                 "features.3.0.mlp.0: in_features=192"),
    "vgg-small": (lambda: torchvision_model("vgg11"), [(1, 3, 16, 16)],
                  "kernel_larger_than_input", "features.20", f"{LARGER}(32, 32))"),
    "unet-odd": (DeepUNet, [(1, 3, 50, 50)], "concat_shapes", "", f"{LARGER}(52, 52))"),
    "unet-unpadded": (lambda: DeepUNet(padding=0), [(1, 3, 64, 64)], "concat_shapes", "",
                      "bring the maps to one size before torch.cat: "
                      "F.interpolate(x, size=other.shape[2:])"),
    "unet-upsampled": (lambda: DeepUNet(upsample=True), [(1, 3, 32, 32)], "channels",
                       "decoder.0.0",
                       "decoder.0.0: in_channels=48; then decoder.1.0: in_channels=24"),
}
# fmt: on
FAULTS = LAYERS | FUNCTIONS | LOSSES | DEEP
