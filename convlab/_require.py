"""Import an optional package, or name the command that installs it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

# Packages of the extra `torch`, and their names in messages.
OPTIONAL_PACKAGES = {
    "torch": "PyTorch", "torchvision": "torchvision", "matplotlib": "matplotlib", "PIL": "Pillow",
}  # fmt: skip
INSTALL_COMMAND = 'pip install "convlab-book[torch]"'


def require(module: str, needed_by: str) -> ModuleType:
    """Import a module of an optional package, such as ``"torchvision.datasets"``.

    Raises
    ------
    ModuleNotFoundError
        If the package, or another optional one that it imports, is not installed; `needed_by` is
        the subject of the message. The errors of a broken package are not changed.

    Examples
    --------
    >>> require("matplotlib.colors", needed_by="convlab.plots").__name__
    'matplotlib.colors'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in OPTIONAL_PACKAGES:
            raise
        raise ModuleNotFoundError(
            f"{needed_by} needs {OPTIONAL_PACKAGES[name]}, which is not installed: "
            f"{INSTALL_COMMAND}",
            name=name,
        ) from error
