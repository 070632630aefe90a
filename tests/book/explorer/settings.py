"""Random settings of a layer, and what PyTorch makes of them."""

import os

import torch
from torch import nn

OPS = ("conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d")
SETTINGS = {"few": 30, "sample": 120, "full": 2000}[os.environ.get("CONVLAB_EXAMPLES", "sample")]
MODES = ("reflect", "replicate", "circular")
PADS = {"zeros": nn.ZeroPad2d, "reflect": nn.ReflectionPad2d,
        "replicate": nn.ReplicationPad2d, "circular": nn.CircularPad2d}  # fmt: skip


def pair(dice, low, high):
    first = dice.randint(low, high)
    return [first, first if dice.random() < 0.6 else dice.randint(low, high)]


def random_setting(dice, op):
    """Draw a setting, possible or not, as `Explorer.arithmetic` takes it."""
    groups = 1 if op.endswith("pool2d") else dice.choice([1, 1, 1, 2, 3])
    setting = {
        "op": op,
        "input": [groups * dice.randint(1, 2), dice.randint(1, 9), dice.randint(1, 9)],
        "out_channels": groups * dice.randint(1, 2) + (dice.random() < 0.05),
        "kernel_size": pair(dice, 1, 4),
        "stride": pair(dice, 1, 3),
        "padding": pair(dice, 0, 3),
        "dilation": [1, 1] if op == "avg_pool2d" else pair(dice, 1, 3),
        "output_padding": pair(dice, 0, 2) if op == "conv_transpose2d" else [0, 0],
        "groups": groups,
        "bias": dice.random() < 0.5,
        "padding_mode": "zeros",
        "ceil_mode": dice.random() < 0.5,
        "count_include_pad": dice.random() < 0.5,
    }
    if op.endswith("pool2d") and dice.random() < 0.8:  # at most half of the kernel
        setting["padding"] = [dice.randint(0, size // 2) for size in setting["kernel_size"]]
    if op == "conv2d":
        setting["padding_mode"] = dice.choice(["zeros", "zeros", *MODES])
        four = [dice.randint(-1, 3) for _ in range(4)]  # a negative number cuts
        if dice.random() < 0.1:
            four[dice.randrange(4)] = -5
        setting["padding"] = dice.choice([setting["padding"]] * 4 + ["same", "valid", four])
        if setting["padding"] == "same" and dice.random() < 0.8:
            setting["stride"] = [1, 1]
    if dice.random() < 0.05:
        name = dice.choice(["stride", "kernel_size", "padding"])
        if len(setting[name]) == 2:
            setting[name] = [dice.choice([0, -1]), *setting[name][1:]]
    return setting


def layer_of(setting):
    """Build PyTorch's layer; raises what PyTorch raises."""
    of = {name: tuple(v) if isinstance(v, list) else v for name, v in setting.items()}
    kernel, stride, padding, dilation = (
        of[name] for name in ("kernel_size", "stride", "padding", "dilation")
    )
    if of["op"] == "max_pool2d":
        return nn.MaxPool2d(kernel, stride, padding, dilation, ceil_mode=of["ceil_mode"])
    if of["op"] == "avg_pool2d":
        return nn.AvgPool2d(kernel, stride, padding, of["ceil_mode"], of["count_include_pad"])
    channels = of["input"][0], of["out_channels"]
    more = {"stride": stride, "dilation": dilation, "groups": of["groups"], "bias": of["bias"]}
    if of["op"] == "conv_transpose2d":
        more |= {"padding": padding, "output_padding": of["output_padding"]}
        return nn.ConvTranspose2d(*channels, kernel, **more)
    mode = of["padding_mode"]
    if len(padding) == 4 and not isinstance(padding, str):
        return nn.Sequential(PADS[mode](padding), nn.Conv2d(*channels, kernel, **more))
    return nn.Conv2d(*channels, kernel, padding=padding, padding_mode=mode, **more)


def expected(setting, dice):
    """Run PyTorch on whole numbers: input, weight, bias and output, or its message."""
    x = torch.tensor([[[dice.randint(-5, 5) for _ in range(setting["input"][2])]
                       for _ in range(setting["input"][1])]
                      for _ in range(setting["input"][0])]).float()  # fmt: skip
    found = {"setting": setting, "x": x.tolist(), "w": None, "b": None, "y": None}
    try:
        layer = layer_of(setting)
        for parameter in layer.parameters():
            numbers = [dice.randint(-3, 3) for _ in range(parameter.numel())]
            with torch.no_grad():
                parameter.copy_(torch.tensor(numbers).view(parameter.shape))
        for parameter in layer.parameters():
            found["b" if parameter.dim() == 1 else "w"] = parameter.tolist()
        y = layer(x[None])[0]
    except (RuntimeError, ValueError) as error:
        return found | {"message": str(error).splitlines()[0]}
    if not y.numel():  # PyTorch returns it or refuses it, depending on the method it chooses
        return found | {"message": "empty"}
    finite = y.nan_to_num(neginf=-1e9)  # max pooling of padding alone
    parameters = sum(parameter.numel() for parameter in layer.parameters())
    return found | {"y": finite.tolist(), "parameters": parameters}


def as_text(value):
    """Write a value as an address does."""
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)
