"""Assert that a model, and a backward pass that it waits for, are left as they were."""

from contextlib import contextmanager

import torch

from convlab.summary.operation import tensors_in_object


@contextmanager
def unchanged(model, *inputs):
    """Assert that a block leaves values, flags, hooks and gradients as they were."""
    expected = gradients(model, loss_of(model, inputs))
    loss = loss_of(model, inputs)
    for x in model.parameters():
        x.grad = torch.ones_like(x)
    for i, module in enumerate(model.modules()):
        module.training = i % 3 == 1
    before, rng, kept = state(model), torch.get_rng_state(), [x.clone() for x in inputs]
    yield
    after = state(model)
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert equal(value, after[name]), name
    assert torch.equal(rng, torch.get_rng_state())
    assert all(map(equal, kept, inputs))
    for x in model.parameters():
        x.grad = None
    assert all(map(equal, expected, gradients(model, loss)))


def loss_of(model, inputs):
    """Return the sum of the outputs that have gradients, or None; random numbers are the same."""
    torch.manual_seed(1)
    copies = [x.clone() for x in inputs]
    outputs = [x.sum() for x in tensors_in_object(model(*copies)) if x.requires_grad]
    return sum(x.real for x in outputs) if outputs else None


def gradients(model, loss):
    """Return the gradients of the parameters."""
    if loss is None:
        return []
    parameters = [x for x in model.parameters() if x.requires_grad]
    return torch.autograd.grad(loss, parameters, allow_unused=True)


def state(model):
    """Return all that a summary must not change, by name."""
    entries = {}
    for name, module in model.named_modules():
        if not isinstance(module, torch.jit.ScriptModule):
            for key, value in vars(module).items():
                entries[f"{name}.{key}"] = list(value) if isinstance(value, dict) else value
    for name, x in [*model.named_parameters(), *model.named_buffers()]:
        entries[f"{name} (value)"] = x.detach().clone()
        entries[f"{name} (identity)"] = id(x), x.data_ptr(), x._version
        entries[f"{name} (gradient)"] = x.requires_grad, id(x.grad)
        entries[f"{name} (values of the gradient)"] = None if x.grad is None else x.grad.clone()
    return entries


def equal(a, b):
    """Compare two values, tensors bit by bit."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return (
            a.dtype == b.dtype
            and a.shape == b.shape
            and torch.equal(a.nan_to_num(), b.nan_to_num())
        )
    return a is b or bool(a == b)
