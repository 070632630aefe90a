"""What tests compare of a trained network."""

import torch


def weights(model):
    """Return all numbers of its state in one row."""
    return torch.cat(
        [value.detach().cpu().double().flatten() for value in model.state_dict().values()]
    )
