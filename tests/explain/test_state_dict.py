"""Changes of a state_dict after which a model loads it."""

import pytest
import torch
from torch import nn

from convlab.explain import explaining
from convlab.explain.state_dict import explain_state_dict, state_dict_fixes
from tests.explain.corpus import ResidualNet, changed


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model."])
def test_a_prefix_is_removed_or_added(prefix):
    model, source = ResidualNet(), ResidualNet()
    values = {prefix + key: value for key, value in source.state_dict().items()}
    (fix,) = state_dict_fixes(model, values)
    assert fix.text == f"remove the prefix {prefix!r} of the keys"
    loaded, (renamed,) = fix.apply(model, values)
    assert torch.equal(loaded.stem.weight, source.stem.weight)
    assert not torch.equal(model.stem.weight, source.stem.weight)
    assert renamed.keys() == model.state_dict().keys()
    wrapped = nn.ModuleDict({prefix[:-1]: model})
    (fix,) = state_dict_fixes(wrapped, source.state_dict())
    assert fix.text == f"add the prefix {prefix!r} to the keys"
    loaded, _ = fix.apply(wrapped, source.state_dict())
    assert torch.equal(loaded[prefix[:-1]].stem.weight, source.stem.weight)


def test_another_head_keeps_its_own_weights():
    model, source = changed(ResidualNet(), fc=nn.Linear(8, 3)), ResidualNet()
    (fix,) = state_dict_fixes(model, source.state_dict())
    assert fix.text.startswith("leave fc.weight, fc.bias as they are")
    loaded, (kept,) = fix.apply(model, source.state_dict())
    assert "fc.weight" not in kept
    assert torch.equal(loaded.fc.weight, model.fc.weight)
    assert torch.equal(loaded.stem.weight, source.stem.weight)


def test_of_another_model_nothing_is_loaded():
    values = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).state_dict()
    assert explain_state_dict(ResidualNet(), values).cause == "state_dict_mismatch"
    assert state_dict_fixes(ResidualNet(), values) == []
    assert explain_state_dict(ResidualNet(), ResidualNet().state_dict()) is None


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_a_checkpoint_holds_the_state_dict(key):
    model, source = ResidualNet(), ResidualNet()
    values = {key: source.state_dict(), "epoch": 3}
    (fix,) = state_dict_fixes(model, values)
    assert fix.text == f"load what the key {key!r} holds: values[{key!r}]"
    loaded, _ = fix.apply(model, values)
    assert torch.equal(loaded.stem.weight, source.stem.weight)


def test_the_note_has_the_fix():
    values = {f"module.{key}": value for key, value in ResidualNet().state_dict().items()}
    with pytest.raises(RuntimeError) as caught, explaining():
        ResidualNet().load_state_dict(values)
    assert "\n  fix: remove the prefix 'module.' of the keys\n" in caught.value.__notes__[0]
