"""Where PyTorch is missing, the room says so, and how to get it."""

import builtins
import importlib
import sys

import pytest


def test_without_torch_the_error_says_how_to_get_it(monkeypatch):
    real_import = builtins.__import__

    def without(name, *arguments, **options):
        if name == "torch":
            raise ImportError(name)
        return real_import(name, *arguments, **options)

    for name in [name for name in sys.modules if name.startswith("convlab.init")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    message = r'convlab.init needs PyTorch.* pip install "convlab\[torch\]"'
    with pytest.raises(ImportError, match=message):
        importlib.import_module("convlab.init")
