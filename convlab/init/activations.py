"""Mean squares of a network's activations, layer by layer: measured and predicted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from convlab._model_state import preserve_model_state
from convlab.init.fans import fans


@dataclass(frozen=True)
class LayerStats:
    """Statistics of the output of one layer.

    Parameters
    ----------
    name : str
        The layer's name in the network, such as ``"features.3"``.
    mean, variance, mean_square : float
        Over all elements of the output; ``mean_square = variance + mean**2``.
    image_share : float
        Share of the output that depends on the image, from 0 to 1: the root mean square of the
        difference from the mean over the batch, divided by the root mean square of the output.
        0 for a batch of one.
    kind : str
        The layer's class, such as ``"Conv2d"``.
    """

    name: str
    mean: float
    variance: float
    mean_square: float
    image_share: float
    kind: str


def activation_stats(model: nn.Module | Iterable[nn.Module], input: Tensor) -> list[LayerStats]:
    """Run a batch through a network and measure the output of every layer.

    Parameters
    ----------
    model : module or iterable of modules
        A network, or layers to apply one after the other. It runs in its own mode, training or
        evaluation, and is not changed, not even its running statistics; the states of PyTorch's
        random number generators are restored as well.
    input : tensor (N, ...)
        The batch, not changed either; a ValueError if it is empty.

    Returns
    -------
    list of LayerStats
        One per call of a layer without sublayers that returned a tensor, in the order of the calls.

    Examples
    --------
    >>> layer = nn.Conv2d(1, 1, 1)
    >>> _ = nn.init.constant_(layer.weight, 2), nn.init.constant_(layer.bias, 1)
    >>> batch = torch.tensor([1.0, -2.0]).reshape(2, 1, 1, 1)
    >>> for stats in activation_stats([layer, nn.ReLU()], batch):
    ...     print(stats.name, stats.kind, stats.mean, stats.mean_square)
    0 Conv2d 0.0 9.0
    1 ReLU 1.5 4.5
    """
    if not input.numel():
        raise ValueError(f"input must not be empty, got shape {tuple(input.shape)}")
    network = model if isinstance(model, nn.Module) else nn.Sequential(*model)
    names = {layer: name for name, layer in network.named_modules() if not any(layer.children())}
    stats: list[LayerStats] = []

    def measure(layer: nn.Module, _: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            stats.append(_layer_stats(names[layer], type(layer).__name__, output))

    hooks = [layer.register_forward_hook(measure) for layer in names]
    try:
        rng_states = torch.random.fork_rng(devices=[input.device] if input.is_cuda else [])
        with preserve_model_state(network), rng_states, torch.no_grad():
            network(input.clone())
    finally:
        for hook in hooks:
            hook.remove()
    return stats


def _layer_stats(name: str, kind: str, output: Tensor) -> LayerStats:
    values = output.detach().double()
    mean, variance = float(values.mean()), float(values.var(correction=0))
    mean_square = float((values**2).mean())
    between_images = float((values - values.mean(0)).square().mean())
    image_share = math.sqrt(between_images / mean_square) if mean_square else 0.0
    return LayerStats(name, mean, variance, mean_square, image_share, kind)


def predicted_mean_square(layers: Iterable[nn.Module], mean_square: float | Tensor) -> list[float]:
    r"""Predict the mean square of the output of each layer of a stack.

    A unit adds `fan_in` products of a weight and an input. If the weights are independent with
    mean 0, the products are uncorrelated, so their mean squares and that of the bias add up:

    .. math:: q_l = \text{fan\_in} \cdot \overline{w^2} \cdot m_{l-1} + \overline{b^2}

    The distribution of the sums is symmetric about 0, so a ReLU halves their mean square:
    :math:`m_l = q_l / 2`. A batch normalization makes it 1.

    Parameters
    ----------
    layers : iterable of modules
        `Conv2d`, `Linear`, `ReLU`, `LeakyReLU` and `BatchNorm2d` (in training mode), in order of
        application. The mean squares of their weights and biases are measured.
    mean_square : float or tensor
        Mean square of the input of the first layer, or that input itself.

    Raises
    ------
    ValueError
        If a layer has another class, or a normalization is in evaluation mode.

    Notes
    -----
    The prediction is the mean over all draws of the weights; a single draw scatters around it, more
    so with fewer channels. At the border of a zero-padded map fewer products are added, so the mean
    square there is smaller than predicted. Source: He and others, "Delving Deep into Rectifiers"
    (2015), section 2.2; Glorot and Bengio (2010) without the ReLU.

    Examples
    --------
    >>> layer = nn.Linear(8, 4)
    >>> _ = nn.init.constant_(layer.weight, 0.5), nn.init.constant_(layer.bias, 1)
    >>> predicted_mean_square([layer, nn.ReLU()], mean_square=3)
    [7.0, 3.5]
    """
    if isinstance(mean_square, Tensor):
        mean_square = _mean_square(mean_square, default=0)
    predicted = [float(mean_square)]
    for layer in layers:
        predicted.append(_propagate(layer, predicted[-1]))
    return predicted[1:]


def _propagate(layer: nn.Module, mean_square: float) -> float:
    """Return the mean square of a layer's output, given that of its input."""
    if isinstance(layer, nn.ReLU):
        return mean_square / 2
    if isinstance(layer, nn.LeakyReLU):
        return mean_square * (1 + layer.negative_slope**2) / 2
    if isinstance(layer, nn.BatchNorm2d) and layer.training:
        return _mean_square(layer.weight, default=1) + _mean_square(layer.bias, default=0)
    # By class name, since convlab.nn.Conv2d is not a subclass of torch.nn.Conv2d.
    if type(layer).__name__ in ("Conv2d", "Linear"):
        weight: Any = layer.weight
        bias: Any = layer.bias
        products = fans(weight).fan_in * _mean_square(weight, default=0) * mean_square
        return products + _mean_square(bias, default=0)
    raise ValueError(
        f"the mean square after {layer} cannot be predicted: the layers must be Conv2d, Linear, "
        f"ReLU, LeakyReLU, or BatchNorm2d in training mode"
    )


def _mean_square(tensor: Tensor | None, default: float) -> float:
    return default if tensor is None else float((tensor.detach().double() ** 2).mean())
