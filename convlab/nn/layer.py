"""The `Conv2d` layer: a drop-in for ``torch.nn.Conv2d``."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from convlab._validate import IntOrPair, Padding, pair
from convlab.init import default_
from convlab.nn.functional import conv2d
from convlab.ops.checks import one_of
from convlab.ops.padding import PADDING_MODES
from convlab.shapes import conv2d_padding, conv2d_weight_shape

# torch.fx records the call as one node, as it does for torch.nn.Conv2d: the code inside reads
# sizes, which a symbolic tensor does not have.
torch.fx.wrap("conv2d")


class Conv2d(nn.Module):
    """A drop-in for ``torch.nn.Conv2d`` that calls none of PyTorch's convolutions.

    Constructor, attributes, ``repr``, ``state_dict`` and, under the same seed, the initial
    weights are those of ``torch.nn.Conv2d``, bit for bit; results differ by rounding.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input, and number of kernels.
    kernel_size : int or pair of ints
        Rows and columns of weights; at least 1.
    stride : int or pair of ints
        Step of the window, in pixels; at least 1.
    padding : int, pair of ints, "same" or "valid"
        Rows added above and below, columns added left and right; ``"same"`` needs stride 1.
    dilation : int or pair of ints
        Distance between neighbouring weights, in pixels; 1 is the ordinary convolution.
    groups : int
        Number of independent convolutions, each with its own channels; divides both channel
        counts.
    bias : bool
        Whether to add a learned bias to each output channel.
    padding_mode : "zeros", "reflect", "replicate" or "circular"
        Values of the padding.
    device, dtype
        Of the weight and the bias.

    Attributes
    ----------
    weight : Parameter, (out_channels, in_channels / groups, kH, kW)
    bias : Parameter, (out_channels,), or None

    Raises
    ------
    TypeError
        If a number is not an int.
    ValueError
        If a number is out of range, `groups` does not divide both channel counts, or a string
        is unknown. PyTorch's constructor accepts a negative padding and a stride or dilation of
        0, and fails at the first call.

    See Also
    --------
    conv2d : the functional form, with the errors that a call can raise.
    replace_conv2d : swap it into an existing model.

    Notes
    -----
    Works with ``torch.autocast``, ``torch.compile``, ``torch.export``, ``torch.fx`` and
    ``torch.func``; not with the deprecated ``torch.jit.script``. Under ``torch.jit.trace``,
    also deprecated, the size checks give a ``TracerWarning``.

    Examples
    --------
    >>> layer = Conv2d(3, 16, kernel_size=3, padding=1)
    >>> layer
    Conv2d(3, 16, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    >>> layer(torch.ones(8, 3, 32, 32)).shape
    torch.Size([8, 16, 32, 32])
    """

    bias: nn.Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: Padding = 0,
        dilation: IntOrPair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        shape = conv2d_weight_shape(in_channels, out_channels, kernel_size, groups)
        self.in_channels = shape[1] * int(groups)
        self.out_channels = shape[0]
        self.kernel_size = shape[2], shape[3]
        self.stride = pair(stride, "stride", minimum=1)
        self.dilation = pair(dilation, "dilation", minimum=1)
        sides = conv2d_padding(padding, self.kernel_size, self.stride, self.dilation)
        self.padding = padding if isinstance(padding, str) else (sides[2], sides[0])
        self.groups = int(groups)
        self.padding_mode = one_of(padding_mode, "padding_mode", PADDING_MODES)
        # Further attributes of torch.nn.Conv2d, for code that reads them.
        self.transposed = False
        self.output_padding = 0, 0
        self._reversed_padding_repeated_twice = list(sides)

        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = nn.Parameter(torch.empty(shape[0], device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialize weight and bias by `convlab.init.default_`."""
        default_(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve; shapes and errors are those of `conv2d`."""
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Convolve with the given weights; subclasses of PyTorch's layer call or replace this."""
        arguments = self.stride, self.padding, self.dilation, self.groups
        return conv2d(input, weight, bias, *arguments, padding_mode=self.padding_mode)

    def extra_repr(self) -> str:
        """List channels, kernel size and stride, and the other arguments without their default."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}"
        defaults: dict[str, Any] = {"padding": (0, 0), "dilation": (1, 1), "groups": 1}
        for name, default in defaults.items():
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text
