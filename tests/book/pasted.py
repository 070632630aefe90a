"""Errors as people paste them: raised here, and printed by Python, IPython, pytest and others."""

import html
import io
import random
import re
import textwrap
import traceback

import pytest
import torch
import torch.nn.functional as F
from IPython.core import ultratb
from torch import nn
from torch.utils.data import DataLoader, Dataset


def error_of(call):
    """Return the error that a call raises."""
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("the call runs")


def traceback_of(error):
    """Print an error as Python does."""
    return "".join(traceback.format_exception(error))


def in_ipython(mode):
    """Return a printer in one of IPython's ways, in colour."""

    def show(error):
        out = io.StringIO()
        printer = ultratb.FormattedTB(mode=mode, theme_name="linux", ostream=out)
        printer(type(error), error, error.__traceback__)
        return out.getvalue()

    return show


def in_pytest(style):
    """Return a printer in one of pytest's ways."""

    def show(error):
        found = pytest.ExceptionInfo.from_exception(error)
        return str(found.getrepr(style=style, chain=True))

    return show


def in_rich(error):
    """Print an error in the frames of Rich, as command lines do."""
    from rich.console import Console
    from rich.traceback import Traceback

    out = io.StringIO()
    shown = Traceback.from_exception(type(error), error, error.__traceback__)
    Console(file=out, width=90).print(shown)
    return out.getvalue()


def in_notebook_html(error):
    """Print an error as the HTML of a notebook."""
    text = html.escape(traceback_of(error)).replace("RuntimeError", "<span>RuntimeError</span>")
    return f'<div class="output"><pre>{text}</pre></div>'


def wrapped(width, *, at_words):
    """Return a printer that folds lines, between words or anywhere."""

    def show(error):
        lines = traceback_of(error).splitlines()
        if at_words:
            last = textwrap.wrap(lines[-1], width)
        else:
            last = [lines[-1][at : at + width] for at in range(0, len(lines[-1]), width)]
        return "\n".join([*lines[:-1], *last])

    return show


def prefixed(make_prefix):
    """Return a printer that puts something before each line."""

    def show(error):
        lines = traceback_of(error).splitlines()
        return "\n".join(make_prefix(number) + line for number, line in enumerate(lines))

    return show


def as_json(error):
    """Print an error as a record of a log in JSON."""
    text = traceback_of(error).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{{"level": "error", "exc_info": "{text}"}}'


def during(error):
    """Raise a known error while another is handled."""

    def call():
        try:
            raise KeyError("width")
        except KeyError:
            raise error  # noqa: B904  (the chain without "from" is what is printed)

    return traceback_of(error_of(call))


def from_another(error):
    """Raise a known error as the consequence of another."""

    def call():
        raise error from OSError("no such file")

    return traceback_of(error_of(call))


def in_middle_of_log(error):
    """Put lines of a log around a traceback."""
    return f"epoch 1: loss 0.3\n{traceback_of(error)}Exiting: 1 error\n2024-05-01 12:00 bye\n"


WAYS = {
    "Python": traceback_of,
    "the message alone": str,
    "its last line": lambda error: traceback_of(error).splitlines()[-1],
    "an e-mail": prefixed(lambda _: "> "),
    "Windows": lambda error: traceback_of(error).replace("\n", "\r\n"),
    "a list": prefixed(lambda _: "    "),
    "a log": prefixed(lambda n: f"2024-05-01 12:00:{n:02},{7 * n:03} ERROR train: "),
    "a rank": prefixed(lambda _: "[rank3]: "),
    "torchrun": prefixed(lambda _: "[default0]:"),
    "Docker": prefixed(lambda _: "trainer-1  | "),
    "glog": prefixed(lambda n: f"E1129 17:24:{n:02}.341000 28249 torch/a.py:3255] [0/0] "),
    "in a log": in_middle_of_log,
    "words wrapped": wrapped(60, at_words=True),
    "cut at 80": wrapped(80, at_words=False),
    "cut at 37": wrapped(37, at_words=False),
    "IPython": in_ipython("Context"),
    "IPython, verbose": in_ipython("Verbose"),
    "IPython, plain": in_ipython("Plain"),
    "pytest": in_pytest("long"),
    "pytest, short": in_pytest("short"),
    "Rich": in_rich,
    "HTML": in_notebook_html,
    "JSON": as_json,
    "colours without escapes": lambda error: re.sub(
        r"^(\w+Error)", r"[0;31m\1[0m", traceback_of(error), flags=re.M
    ),
    "curly quotes": lambda error: traceback_of(error).replace("'", "\u2019"),
    "during another": during,
    "from another": from_another,
}  # fmt: skip


class Failing(Dataset):
    """A data set whose images a layer does not take."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return nn.Conv2d(3, 64, 7)(torch.zeros(1, 1, 9, 9))


def grey_image():
    """Return the error of a layer for colour images that gets a grey one."""
    layer = nn.Conv2d(3, 64, 7)
    return error_of(lambda: layer(torch.zeros(8, 1, 224, 224)))


def in_worker():
    """Return the error of a worker of a data loader."""
    # A forked worker would keep the pipes of the browser's driver open, which then never ends.
    loader = DataLoader(Failing(), batch_size=2, num_workers=1, multiprocessing_context="spawn")
    return error_of(lambda: next(iter(loader)))


def compiled(*, dynamic=False):
    """Return the error of a layer that torch.compile traces, with symbols as sizes if dynamic.

    With dynamic=None, the sizes would depend on what was compiled before in the same process.
    """
    layer = torch.compile(nn.Conv2d(3, 64, 7), backend="eager", dynamic=dynamic)
    return error_of(lambda: layer(torch.zeros(8, 1, 224, 224)))


def calls(dice):
    """Yield calls that fail, with the entry that they belong to and the numbers of each.

    The entry has the numbers as texts: each stands in what is said of the message.
    """
    n, c, k, size = (dice.randint(*span) for span in ((2, 9), (5, 40), (2, 5), (12, 40)))
    other = c + dice.randint(1, 9)
    x = torch.zeros(n, c, size, size + 1)
    yield (
        lambda: nn.Conv2d(other, 8, k)(x),
        "channels",
        [f"takes {other} channels", f"{tuple(x.shape)} has {c}", f"in_channels={c}"],
    )
    yield (
        lambda: nn.Conv3d(other, 8, k)(x[..., None]),
        "channels",
        [f"takes {other} channels", f"({n}, {c}, {size}, {size + 1}, 1) has {c}"],
    )
    yield (
        lambda: nn.ConvTranspose2d(other, 8, k)(x),
        "transposed-channels",
        [f"takes {other} channels", f"has {c}", f"in_channels={c}"],
    )
    last = x[:, :3].permute(0, 2, 3, 1)
    yield (
        lambda: nn.Conv2d(3, 8, k)(last),
        "channels-last",
        [
            f"reads them at axis 1, where the input {tuple(last.shape)} has {size}",
            f"x.permute(0, 3, 1, 2) gives {(n, 3, size, size + 1)}",
        ],
    )
    many = c + 10
    yield (
        lambda: nn.Conv2d(1, 8, k)(torch.zeros(many, size, size)),
        "grey-batch",
        [f"{many} grey images of {size} x {size}", f"gives {(many, 1, size, size)}"],
    )
    small = dice.randint(1, 6)
    kernel = small + dice.randint(1, 4)
    yield (
        lambda: nn.Conv2d(c, 8, (1, kernel))(x[..., :small]),
        "kernel",
        [
            f"In width, the window spans {kernel} cells",
            f"the input has {small}",
            f"{kernel - small} in width",
        ],
    )
    dilation = dice.randint(size, 99)
    span = 2 * dilation + 1
    yield (
        lambda: nn.Conv2d(c, 8, 3, dilation=dilation)(x),
        "kernel-dilation",
        [f"spans {span} cells", f"has {size}", f"dilation={dilation}"],
    )
    yield (
        lambda: nn.MaxPool2d(kernel)(x[..., :small, :]),
        "pool-size",
        [f"In height, the window is larger than the {small} cell"],
    )
    yield (
        lambda: nn.MaxPool2d(k, padding=k)(x),
        "pool-padding",
        [f"Padding {k} > kernel_size // 2 = {k} // 2 = {k // 2}", f"padding={k // 2}"],
    )
    odd = 2 * k + 1
    yield (
        lambda: nn.MaxPool2d(odd, padding=k + 1, dilation=2)(x),
        "pool-padding-dilation",
        [f"padding {k + 1} > kernel_size // 2 = {odd} // 2 = {k}"],
    )
    yield (
        lambda: F.pad(x, (0, 0, size, size), mode="reflect"),
        "reflect",
        [f"Axis 2 of the input {tuple(x.shape)} has {size} cells", f"at most {size - 1}"],
    )
    yield (
        lambda: nn.ConvTranspose2d(c, 8, 3, stride=k, output_padding=k + 1)(x),
        "output-padding",
        [f"output_padding {k + 1}", f"stride {k}", f"output_padding={k - 1}"],
    )
    yield (
        lambda: nn.ConvTranspose2d(c, 8, 1, padding=size)(x),
        "transposed-empty",
        [f"of {size} x {size + 1} cells, {-size} x {1 - size} would remain"],
    )
    far = (9 * size, 9 * size + 1)
    yield (
        lambda: nn.ConvTranspose2d(c, 8, 3, stride=2)(x, output_size=far),
        "output-size",
        [
            f"asked for {far}",
            f"from {(2 * size + 1, 2 * size + 3)} to {(2 * size + 2, 2 * size + 4)}",
        ],
    )
    yield (
        lambda: nn.Conv2d(1, 8, k)(x[0, 0]),
        "conv-axes",
        [f"{tuple(x.shape[2:])} has 2", f"gives {(1, 1, size, size + 1)}"],
    )
    yield (
        lambda: nn.Conv2d(c, 8, k)(x[None]),
        "conv-video",
        ["has 5", f"gives {(n, c, size, size + 1)}"],
    )
    yield (
        lambda: nn.Linear(other, k)(torch.zeros(n, c)),
        "linear-features",
        [f"takes {other} numbers", f"the input has {c}", f"nn.Linear({c}, {k})"],
    )
    yield (
        lambda: x.view(n, -1, c * 99991),
        "view",
        [f"{x.numel()} numbers", f"{x.numel()} is not a multiple of {n * c * 99991}"],
    )
    yield (
        lambda: nn.BatchNorm2d(other)(x),
        "norm-channels",
        [f"{c} channels", f"num_features={other}", f"num_features={c}"],
    )
    yield (
        lambda: nn.BatchNorm1d(c)(torch.zeros(1, c)),
        "norm-single",
        [f"{c} channels", f"the input {(1, c)} has 1 number"],
    )
    yield (lambda: nn.BatchNorm2d(c)(x[0]), "norm-axes", ["takes 4 axes", "has 3"])
    yield (lambda: nn.BatchNorm1d(c)(x), "norm1d-axes", ["2 or 3 axes", "BatchNorm2d"])
    yield (
        lambda: nn.LayerNorm(other)(torch.zeros(n, c)),
        "layer-norm",
        [f"({other},)", f"{(n, c)}"],
    )
    yield (
        lambda: F.group_norm(torch.zeros(n, 12, 2), 5),
        "group-norm-groups",
        [f"{(n, 12, 2)} has 12 channels", "12 / 5 leaves a remainder of 2", "1, 2, 3, 4, 6, 12"],
    )
    yield (
        lambda: nn.GroupNorm(1, other)(x),
        "group-norm-channels",
        [f"has {c} channels", f"num_channels={other}", f"num_channels={c}"],
    )
    yield (
        lambda: F.conv2d(x[:, :3], torch.zeros(8, 1, k, k), groups=3),
        "weight-groups",
        [f"{(8, 1, k, k)} makes 8 channels", "8 / 3 leaves a remainder of 2"],
    )
    yield (
        lambda: x + torch.zeros(1, 1, size + 2, 1),
        "skip",
        [f"axis 2, one tensor has {size} cells and the other {size + 2}"],
    )
    yield (
        lambda: torch.cat([x, torch.zeros(n, 1, size, size)], 1),
        "concat",
        ["joined along axis 1", f"the first has {size + 1}, and tensor number 1 has {size}"],
    )
    yield (lambda: torch.stack([x[0], x[0, :1]]), "stack", [])
    yield (
        lambda: F.cross_entropy(torch.zeros(n, c), torch.full((n,), other)),
        "loss-range",
        [f"class {other}", f"at least {other + 1} outputs"],
    )
    yield (
        lambda: F.cross_entropy(torch.zeros(n, c), torch.zeros(n + 1).long()),
        "loss-batch",
        [f"{n} predictions", f"{n + 1} targets"],
    )
    yield (
        lambda: F.cross_entropy(torch.zeros(n, c, 4, 5), torch.zeros(n, k, 6).long()),
        "loss-maps-size",
        [f"{(n, c, 4, 5)}", f"{(n, k, 6)}"],
    )
    yield (
        lambda: F.binary_cross_entropy_with_logits(torch.zeros(n, 1), torch.zeros(n)),
        "bce-shape",
        [f"target has shape ({n},)", f"{(n, 1)}"],
    )
    yield (
        lambda: nn.Linear(c, k).load_state_dict(nn.Linear(other, k).state_dict()),
        "state-shape",
        [f"weight: saved ({k}, {other}), in the model ({k}, {c})"],
    )
    yield (lambda: nn.Conv2d(c, 8, k)(x.byte()), "bytes", ["input is uint8", "float32"])
    yield (lambda: nn.Conv2d(c, 8, k)(x.double()), "float64", ["float64", "x.to(torch.float32)"])


def random_failures(rounds):
    """Raise the errors of random calls; give each with its entry and its numbers."""
    dice = random.Random("paste")
    with torch.random.fork_rng():
        for _ in range(rounds):
            for call, entry, numbers in calls(dice):
                yield error_of(call), f"error-{entry}", numbers
