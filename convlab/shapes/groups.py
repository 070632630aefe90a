"""Which channels a group has."""

from __future__ import annotations

from convlab._validate import check_groups


def conv2d_channels_read(in_channels: int, out_channels: int, groups: int = 1) -> list[range]:
    """List, for each kernel of a convolution, the input channels that it reads.

    Both sides are cut into `groups` blocks of neighbouring channels. Kernel ``o`` belongs to
    group ``o // (out_channels / groups)`` and reads the input channels of that group.

    Parameters
    ----------
    in_channels, out_channels, groups : int
        As for `conv2d_weight_shape`.

    Returns
    -------
    list of range
        One per kernel, each of ``in_channels / groups`` channels.

    Raises
    ------
    TypeError, ValueError
        As `check_groups` does.

    References
    ----------
    The documentation of ``torch.nn.Conv2d``.

    Examples
    --------
    >>> conv2d_channels_read(12, 6, groups=3)[2]
    range(4, 8)
    >>> [list(channels) for channels in conv2d_channels_read(4, 4, groups=4)]
    [[0], [1], [2], [3]]
    """
    in_channels, out_channels, groups = check_groups(in_channels, out_channels, groups)
    depth, kernels = in_channels // groups, out_channels // groups
    starts = [kernel // kernels * depth for kernel in range(out_channels)]
    return [range(start, start + depth) for start in starts]
