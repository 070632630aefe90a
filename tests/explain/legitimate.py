"""Correct code that looks like a silent mistake: broadcasting, losses, unbatched images."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N, C, H, W = 4, 8, 6, 6


class SqueezeExcite(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Conv2d(C, C, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.fc(x.mean((2, 3), keepdim=True)))


class SpatialAttention(nn.Module):
    """A map of one channel for each image, and positions that are data."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(C, 1, 1)
        self.register_buffer("positions", torch.rand(N, H, W))

    def forward(self, x):
        gate = self.conv(x).sigmoid()
        return x * gate + (gate - self.positions).mean()


class CoordinateAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.rows, self.columns = nn.Conv2d(C, C, 1), nn.Conv2d(C, C, 1)

    def forward(self, x):
        rows = self.rows(x.mean(3, keepdim=True)).sigmoid()
        columns = self.columns(x.mean(2, keepdim=True)).sigmoid()
        return x * rows * columns + x * (rows * columns) + (rows + columns) - (rows - columns)


class StripConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.rows, self.columns = nn.Conv2d(C, C, (1, W)), nn.Conv2d(C, C, (H, 1))

    def forward(self, x):
        return self.rows(x) + self.columns(x)


class LayerScale(nn.Module):
    def __init__(self):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(C, 1, 1))

    def forward(self, x):
        return x + self.gamma * x


class GraphAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(C, 1), nn.Linear(C, 1)

    def forward(self, nodes):
        scores = self.left(nodes) + self.right(nodes).T
        return scores.masked_fill(torch.eye(len(nodes)) == 0, -1e9).softmax(1) @ nodes


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.rows, self.columns = nn.Embedding(H, C), nn.Embedding(W, C)

    def forward(self, x):
        rows, columns = self.rows(torch.arange(H)), self.columns(torch.arange(W))
        return x + rows.T[:, :, None] + columns.T[:, None]


class RadialBasis(nn.Module):
    """Distances minus as many centres as there are distances."""

    def __init__(self):
        super().__init__()
        self.distance = nn.Linear(C, 1)
        self.register_buffer("centres", torch.linspace(0, 1, N))

    def forward(self, x):
        return (-((self.distance(x) - self.centres) ** 2)).exp()


def maps():
    return torch.rand(N, C, H, W)


def vectors():
    return torch.rand(N, C)


def prediction():
    return nn.Linear(C, 1)(vectors())


def coordinate_grid():
    ys, xs = torch.linspace(-1, 1, H), torch.linspace(-1, 1, W)
    grid = ys[:, None] + xs[None]
    ys.view(H, 1) - xs
    (ys[:, None] - ys) * (xs.unsqueeze(1) - xs.unsqueeze(0))
    return grid


def outer_products_of_parameters():
    u, v = torch.rand(H, 1, requires_grad=True), torch.rand(1, W, requires_grad=True)
    return (u * v).sum() + (u - v).sum() + (u + torch.ones(1, W)).sum() + (u - torch.ones(H)).sum()


def attention_mask():
    q = nn.Linear(C, C)(torch.rand(N, H, C))
    scores = q @ q.transpose(1, 2) / math.sqrt(C)
    padding = torch.zeros(N, 1, H)
    causal = torch.full((H, H), -math.inf).triu(1)
    return (scores + padding + causal).softmax(-1) @ q


def pairwise_differences():
    generated, real = prediction(), torch.rand(N, 1)
    energy = (generated - real.t()).abs().mean() - (generated - generated.t()).abs().mean()
    chamfer = (nn.Linear(C, 3)(vectors())[:, None] - torch.rand(N, 3)[None]).norm(dim=-1)
    margins = generated.squeeze(1)[:, None] - torch.rand(N)
    itself = generated - generated.detach().squeeze(1)
    quantiles = torch.rand(N, 1) - nn.Linear(C, N)(vectors())
    return energy + chamfer.min(1)[0].mean() + margins.mean() + itself.mean() + quantiles.mean()


def squared_norms():
    x, y = nn.Linear(C, C)(vectors()), vectors()
    return x.pow(2).sum(1, keepdim=True) + y.pow(2).sum(1) - 2 * x @ y.T


def normalization_by_hand():
    x = nn.Conv2d(C, C, 1)(maps())
    mean, std = torch.rand(C, 1, 1), torch.rand(C, 1, 1)
    centred = x - x.mean((2, 3), keepdim=True)
    return (x - mean) / std + centred - torch.rand(N, 1, 1, 1)


def losses_of_equal_shapes():
    p, y = prediction(), torch.rand(N, 1)
    loss = F.mse_loss(p, y) + F.l1_loss(p, y) + ((p - y) ** 2).mean() + (y - p).abs().mean()
    return loss + F.mse_loss(p.squeeze(1), y.squeeze(1)) + F.smooth_l1_loss(p.view(-1), y.view(-1))


def weighted_loss():
    weights = torch.rand(N)
    loss = F.mse_loss(prediction(), torch.rand(N, 1), reduction="none")
    return (weights[:, None] * loss).mean() + (weights * loss.squeeze(1)).mean()


def costs_of_all_pairs():
    p = prediction()
    return F.l1_loss(p[:, None], torch.rand(N, 1)[None], reduction="none").mean()


def one_number_as_target():
    score = nn.Linear(C, 1)(vectors())
    one = torch.ones(1)
    return (score - one).mean() + F.kl_div(score.log_softmax(0), one) + (score - 1).mean()


def cross_entropies():
    scores, y = nn.Linear(C, 10)(vectors()), torch.arange(N)
    loss = F.cross_entropy(scores, y) + F.cross_entropy(scores.log_softmax(1), y)
    loss += F.cross_entropy(scores, scores.detach().softmax(1)) + F.nll_loss(scores.softmax(1), y)
    loss += F.cross_entropy(scores.softmax(1).log(), y) + F.cross_entropy(10 * scores.softmax(1), y)
    loss += F.cross_entropy(scores.softmax(0), y)  # weights over the batch
    return loss + F.cross_entropy(scores.softmax(1) @ torch.rand(10, 10), y)


def binary_cross_entropies():
    scores, y = prediction(), torch.rand(N, 1).round()
    loss = F.binary_cross_entropy_with_logits(scores, y)
    loss += F.binary_cross_entropy_with_logits(scores, scores.detach().sigmoid())
    return loss + F.binary_cross_entropy(scores.sigmoid(), y)


def one_image_of_three_channels():
    return nn.Conv2d(3, C, 3)(torch.rand(3, H, W)).mean()


def loader(*shape):
    return DataLoader(TensorDataset(torch.rand(*shape), torch.arange(shape[0])), batch_size=3)


def a_batch_with_its_axis_of_channels():
    net = nn.Conv2d(1, C, 3)
    return sum(net(x.float().div(255).unsqueeze(1)).mean() for x, _ in loader(6, H, W))


def a_batch_of_colour_images():
    net = nn.Conv2d(3, C, 3)
    return sum(net(x).mean() + net(x[0]).mean() for x, _ in loader(6, 3, H, W))


def signals_in_a_one_dimensional_convolution():
    net = nn.Conv1d(3, C, 3)
    return sum(net(x).mean() for x, _ in loader(6, 3, W))


def samples_of_a_distribution():
    normal = torch.distributions.Normal(prediction(), 1.0)
    return normal.log_prob(torch.linspace(-1, 1, N)).mean()


def nearest_of_as_many_levels():
    levels = torch.linspace(-1, 1, N)
    nearest = (prediction() - levels).abs().argmin(1)
    errors = (prediction() - levels).square().min(1).values.mean()
    commitment = ((prediction() - levels) ** 2).softmax(1)
    return nearest.float().mean() + errors + commitment.mean()


def soft_histogram():
    centres = torch.linspace(0, 1, N)
    counts = (-((prediction() - centres) ** 2) / 0.1).exp().sum(0)
    counts += (1 - (prediction() - centres).abs()).clamp(min=0).mean(0)
    return counts.sum() + torch.exp(-0.5 * (centres - prediction()).pow(2)).mean()


def cost_of_an_assignment():
    truth = torch.rand(1, N)
    cost = (prediction() - truth).abs()
    rows, columns = torch.arange(N), cost.detach().argmin(1)
    return cost[rows, columns].mean() + (prediction() - truth).abs().mean()


def axes_that_numpy_made():
    truth = np.random.default_rng(0).random(N, dtype=np.float32)
    row = torch.from_numpy(truth[None])
    column = torch.from_numpy(truth[:, None])
    pairs = (prediction() - row).abs().mean() + (prediction().T - column).square().sum()
    return pairs + (prediction() - column).abs().mean()


class OrdinalLoss(nn.Module):
    """Thresholds between as many classes as there are items, in a loss without parameters."""

    def __init__(self):
        super().__init__()
        self.register_buffer("thresholds", torch.linspace(-1, 1, N))

    def forward(self, scores):
        above = torch.sigmoid(scores - self.thresholds)
        return F.binary_cross_entropy(above, torch.rand(N, N).round()) + above.mean()


def ordinal_regression():
    return OrdinalLoss()(prediction())


def ranking_hinge():
    negatives = torch.rand(N)
    loss = F.relu(1 - (prediction() - negatives)).mean()
    loss += (1 - (prediction() - negatives)).clamp(min=0).mean()
    return loss + F.softplus(negatives - prediction()).mean()


def projection_of_a_categorical_distribution():
    atoms = torch.linspace(-1, 1, N)
    weights = 1 - (prediction() - atoms).abs().clamp(0, 1)
    return (weights * torch.rand(N, 1)).sum()


def compositing():
    mask = nn.Conv2d(3, 1, 1)(torch.rand(3, 3, H, W)).sigmoid()
    rgb, background = torch.rand(2, 3, H, W)
    image = mask * rgb + (1 - mask) * background
    return image.mean() + (mask * rgb).mean() + torch.sum(rgb * mask)


def outer_products():
    weights = prediction()
    return (weights * torch.rand(N)).sum() + (weights.view(N, 1, 1) * torch.rand(N, 1)).mean()


def kernels_of_all_pairs():
    x, y = prediction(), torch.rand(N)
    return (-((x - y).abs())).exp().mean() + F.huber_loss(x - y, torch.zeros(N, N))


def slices_of_a_volume():
    """Neighbouring slices as channels, which a DataLoader stacks."""
    net, volume = nn.Conv2d(3, C, 3), torch.rand(6, H, W)
    total = sum(net(x).mean() for x in DataLoader(volume, batch_size=3))
    total += sum(net(x.float()).mean() for (x,) in DataLoader(TensorDataset(volume), batch_size=3))
    masks = DataLoader(TensorDataset(volume, volume > 0.5), batch_size=3)
    named = DataLoader([{"slice": x, "name": "a"} for x in volume], batch_size=3)
    total += sum(net(batch["slice"]).mean() for batch in named)
    return total + sum(net(x / 255).mean() for x, _ in masks)


FUNCTIONS = [
    coordinate_grid, outer_products_of_parameters, attention_mask, pairwise_differences,
    squared_norms, normalization_by_hand, losses_of_equal_shapes, weighted_loss,
    costs_of_all_pairs, one_number_as_target, cross_entropies, binary_cross_entropies,
    one_image_of_three_channels, a_batch_with_its_axis_of_channels, a_batch_of_colour_images,
    signals_in_a_one_dimensional_convolution, samples_of_a_distribution,
    nearest_of_as_many_levels, soft_histogram, cost_of_an_assignment, axes_that_numpy_made,
    ordinal_regression, ranking_hinge, projection_of_a_categorical_distribution, compositing,
    outer_products, kernels_of_all_pairs, slices_of_a_volume,
]  # fmt: skip
MODULES = [
    SqueezeExcite, SpatialAttention, CoordinateAttention, StripConvolutions, LayerScale, Positions,
]  # fmt: skip
CALLS = {function.__name__: function for function in FUNCTIONS}
CALLS |= {cls.__name__: (lambda cls=cls: cls()(maps())) for cls in MODULES}
CALLS |= {cls.__name__: (lambda cls=cls: cls()(vectors())) for cls in (GraphAttention, RadialBasis)}
