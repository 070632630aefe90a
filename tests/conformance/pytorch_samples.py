"""Write down the samples with which PyTorch tests its own operators, and its answers.

    python pytorch_samples.py FILE

To be run in a process of its own: PyTorch's private test modules change the settings of
hypothesis and lock flags of torch as soon as they are imported.
"""

import sys

import torch

OPERATORS = (
    "nn.functional.conv2d",
    "nn.functional.conv_transpose2d",
    "nn.functional.max_pool2d",
    "nn.functional.avg_pool2d",
    "nn.functional.adaptive_avg_pool2d",
    "nn.functional.adaptive_max_pool2d",
    "nn.functional.pad",
)
WITH_GRADIENTS = ("nn.functional.conv2d", "nn.functional.conv_transpose2d", "nn.functional.pad")
MODULES = (
    "Conv2d",
    "ConvTranspose2d",
    "MaxPool2d",
    "AvgPool2d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "ZeroPad2d",
    "ReflectionPad2d",
    "ReplicationPad2d",
    "CircularPad2d",
)


def samples(operator):
    """Yield every sample of an operator, for each dtype of PyTorch that NumPy has, too."""
    for dtype in sorted(operator.dtypes, key=str):
        try:
            torch.empty(0, dtype=dtype).numpy()
        except TypeError:  # bfloat16 and the eight-bit floats
            continue
        floats = dtype in (torch.float32, torch.float64)
        differentiable = floats and operator.name in WITH_GRADIENTS
        for sample in operator.sample_inputs("cpu", dtype, requires_grad=differentiable):
            yield recorded(operator, sample)
            if dtype == torch.float64:  # the memory layout has nothing to do with the dtype
                yield recorded(operator, sample.noncontiguous())


def recorded(operator, sample):
    """Run a sample, and with it its gradients if it has any."""
    output = operator(sample.input, *sample.args, **sample.kwargs)
    record = call(sample.input, sample.args, sample.kwargs)
    leaves = [a for a in (sample.input, *sample.args) if torch.is_tensor(a) and a.requires_grad]
    if leaves:
        record["grad_output"] = torch.rand_like(output)
        record["gradients"] = torch.autograd.grad(output, leaves, record["grad_output"])
    return record | {"output": detached(output)}


def errors(operator):
    """Yield the calls that PyTorch refuses, where it lists any."""
    if operator.error_inputs_func is not None:
        for error in operator.error_inputs("cpu"):
            sample = error.sample_input
            yield call(sample.input, sample.args, sample.kwargs)


def call(input, args, kwargs):
    """Put down the arguments, without their graph."""
    return {"input": detached(input), "args": detached(args), "kwargs": dict(kwargs)}


def detached(value):
    """Take tensors, also in tuples, out of the graph; the memory layout stays."""
    if torch.is_tensor(value):
        return value.detach()
    return tuple(map(detached, value)) if isinstance(value, tuple) else value


def of_modules(module):
    """Yield a layer, its input and its output, for each way PyTorch builds it in its tests."""
    for dtype in (torch.float32, torch.float64):
        for sample in module.module_inputs_func(module, "cpu", dtype, False, training=False):
            made, run = sample.constructor_input, sample.forward_input
            layer = module.module_cls(*made.args, **made.kwargs).to(dtype)
            (input,) = run.args
            settings = {name: vars(layer)[name] for name in vars(layer) if name[0] != "_"}
            weights = {name: value.detach() for name, value in layer.named_parameters()}
            output = detached(layer(input))
            yield settings | weights | {"input": input, "output": output}


def everything():
    """Collect all of it, by the names of operators and modules."""
    from torch.testing._internal.common_methods_invocations import op_db
    from torch.testing._internal.common_modules import module_db

    torch.manual_seed(0)
    operators = [operator for operator in op_db if operator.name in OPERATORS]
    modules = [module for module in module_db if module.module_cls.__name__ in MODULES]
    return {
        "samples": [
            {"operator": operator.name.rpartition(".")[2]} | record
            for operator in operators
            for record in samples(operator)
        ],
        "errors": [
            {"operator": operator.name.rpartition(".")[2]} | record
            for operator in operators
            for record in errors(operator)
        ],
        "modules": [
            {"module": module.module_cls.__name__} | record
            for module in modules
            for record in of_modules(module)
        ],
    }


if __name__ == "__main__":
    torch.save(everything(), sys.argv[1])
