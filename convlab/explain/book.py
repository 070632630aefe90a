"""Addresses of the sections of the book."""

# The address of the published book, up to and with its last slash.
BOOK = ""


def section(name: str) -> str:
    """Return the address of the section of the book about a cause or a silent mistake.

    Examples
    --------
    >>> section("kernel_larger_than_input")
    'errors.html#error-kernel-larger-than-input'
    """
    return f"{BOOK}errors.html#error-{name.replace('_', '-')}"
