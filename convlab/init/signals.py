"""How large the numbers in a network are, layer by layer: measured, and by theory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from convlab.init.fans import fans


@dataclass(frozen=True)
class LayerSignal:
    """What one layer returned, in a few numbers.

    Parameters
    ----------
    name : str
        The layer's name in the network, such as ``"features.3"``.
    mean, variance, mean_square : float
        Over all numbers of the output; ``mean_square = variance + mean**2``.
    image_share : float
        How much of the output depends on the image, from 0 to 1: the root mean square of the
        part that differs from the mean over the batch, divided by that of the whole. 0 for a
        batch of one.
    kind : str
        The layer's class, such as ``"Conv2d"``.
    """

    name: str
    mean: float
    variance: float
    mean_square: float
    image_share: float
    kind: str


def signal(model: nn.Module | Iterable[nn.Module], input: Tensor) -> list[LayerSignal]:
    """Send a batch through a network and measure the output of every layer.

    Parameters
    ----------
    model : module or iterable of modules
        A network, or layers to be applied one after the other. Watched are the layers that
        hold no others, in the order in which they are called; one that is called twice
        appears twice. The model is used in its mode, training or evaluation, and left as it
        was, running means included.
    input : tensor (N, ...)
        The batch.

    Returns
    -------
    list of LayerSignal
        One per call of a layer that returned a tensor.

    Raises
    ------
    ValueError
        If `input` holds no numbers.

    Examples
    --------
    >>> layer = nn.Conv2d(1, 1, 1)
    >>> _ = nn.init.constant_(layer.weight, 2), nn.init.constant_(layer.bias, 1)
    >>> batch = torch.tensor([1.0, -2.0]).reshape(2, 1, 1, 1)
    >>> for behind in signal([layer, nn.ReLU()], batch):
    ...     print(behind.name, behind.kind, behind.mean, behind.mean_square)
    0 Conv2d 0.0 9.0
    1 ReLU 1.5 4.5
    """
    if not input.numel():
        raise ValueError(f"input of shape {tuple(input.shape)} holds no numbers to measure")
    network = model if isinstance(model, nn.Module) else nn.Sequential(*model)
    found: list[LayerSignal] = []
    with _watched(network, found), torch.no_grad():
        network(input)
    return found


@contextmanager
def _watched(network: nn.Module, found: list[LayerSignal]) -> Iterator[None]:
    """Add to `found` what each layer returns, and put back whatever the call changes."""
    hooks = []
    for name, layer in network.named_modules():
        if not any(layer.children()):

            def measure(layer: nn.Module, _: Any, output: Any, name: str = name) -> None:
                if isinstance(output, Tensor):
                    found.append(_measured(name, type(layer).__name__, output))

            hooks.append(layer.register_forward_hook(measure))
    kept = [(buffer, buffer.clone()) for buffer in network.buffers()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for buffer, values in kept:
            buffer.copy_(values)


def _measured(name: str, kind: str, output: Tensor) -> LayerSignal:
    numbers = output.detach().double()
    mean, variance = float(numbers.mean()), float(numbers.var(correction=0))
    mean_square = float((numbers**2).mean())
    between = float((numbers - numbers.mean(0)).square().mean())
    share = math.sqrt(between / mean_square) if mean_square else 0.0
    return LayerSignal(name, mean, variance, mean_square, share, kind)


def predicted_mean_square(layers: Iterable[nn.Module], mean_square: float | Tensor) -> list[float]:
    r"""Say what the mean square of the numbers should be behind each layer.

    A unit adds `fan_in` products of a weight and a number. If the weights are drawn
    independently, with mean 0, the products do not know of each other, and their mean squares
    add up; so does that of the bias:

    .. math:: q_l = \text{fan\_in} \cdot \overline{w^2} \cdot m_{l-1} + \overline{b^2}

    The sums are as often above as below 0, so a ReLU, which drops those below, halves their
    mean square: :math:`m_l = q_l / 2`. A batch normalization returns 1, whatever came in.

    Parameters
    ----------
    layers : iterable of modules
        A stack of `Conv2d`, `Linear`, `ReLU`, `LeakyReLU` and `BatchNorm2d` (in training
        mode), in this order of application. The weights are taken as they are: what counts
        is their mean square.
    mean_square : float or tensor
        Mean square of what enters the first layer, or the input itself.

    Returns
    -------
    list of float
        One per layer.

    Raises
    ------
    ValueError
        If a layer is of another kind, or a normalization in evaluation mode.

    Notes
    -----
    What is predicted is the mean over all draws of the weights; one draw scatters around it,
    the more the fewer channels there are. Zeros around the image do not count as numbers, so
    cells at the border of a map with zero padding have less than is said here; with
    ``padding_mode="circular"`` there is no border. Source: He and others, "Delving Deep into
    Rectifiers" (2015), section 2.2; Glorot and Bengio (2010) without the ReLU.

    Examples
    --------
    >>> layer = nn.Linear(8, 4)
    >>> _ = nn.init.constant_(layer.weight, 0.5), nn.init.constant_(layer.bias, 1)
    >>> predicted_mean_square([layer, nn.ReLU()], mean_square=3)
    [7.0, 3.5]
    """
    if isinstance(mean_square, Tensor):
        mean_square = _square(mean_square, 0)
    now = float(mean_square)
    predicted = []
    for layer in layers:
        now = _behind(layer, now)
        predicted.append(now)
    return predicted


def _behind(layer: nn.Module, now: float) -> float:
    """Carry a mean square over one layer."""
    if isinstance(layer, nn.ReLU):
        return now / 2
    if isinstance(layer, nn.LeakyReLU):
        return now * (1 + layer.negative_slope**2) / 2
    if isinstance(layer, nn.BatchNorm2d) and layer.training:
        return _square(layer.weight, 1) + _square(layer.bias, 0)
    # By name, since a convolution may be another than PyTorch's.
    if type(layer).__name__ in ("Conv2d", "Linear"):
        weight: Any = layer.weight
        bias: Any = layer.bias
        return fans(weight).fan_in * _square(weight, 0) * now + _square(bias, 0)
    raise ValueError(
        f"the mean square behind {layer} is not predicted: only Conv2d, Linear, ReLU, LeakyReLU "
        "and BatchNorm2d in training mode are"
    )


def _square(parameter: Tensor | None, without: float) -> float:
    return without if parameter is None else float((parameter.detach().double() ** 2).mean())
