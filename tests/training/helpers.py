"""Helpers: the weights as one vector, and actions during a training step."""

import itertools

import torch


def weights(model):
    """Return all numbers of a state dict as one vector."""
    return torch.cat(
        [value.detach().cpu().double().flatten() for value in model.state_dict().values()]
    )


def during_step(model, number, action):
    """Call `action` in the forward pass of one training step, counted from 1; return the model."""
    steps = itertools.count(1)

    def act(module, inputs):
        if module.training and next(steps) == number:
            action()

    model.register_forward_pre_hook(act)
    return model
