"""Addresses of the sections of the book."""

# The address of the published book, up to and with its last slash.
BOOK = ""
# The sections about mistakes that raise no error; those about causes are named after them.
_SILENT = {
    "softmax_before_cross_entropy": "silent-softmax",
    "target_broadcasts": "silent-loss",
    "maps_broadcast": "silent-sum",
    "batch_as_channels": "silent-grey-batch",
}


def anchor(name: str) -> str:
    """Return the anchor of the section about a cause or a silent mistake."""
    return _SILENT.get(name) or f"error-{name.replace('_', '-')}"


def section(name: str) -> str:
    """Return the address of the section about a cause or a silent mistake.

    Examples
    --------
    >>> section("kernel_larger_than_input")
    'errors.html#error-kernel-larger-than-input'
    """
    return f"{BOOK}errors.html#{anchor(name)}"
