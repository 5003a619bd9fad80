"""Parameters and multiply-accumulates against counts done by hand."""

import pytest
import torch
from torch import nn

from segdistill.evaluation.cost import latency, macs, parameters

# 3 -> 8 channels, 3 x 3; depth-wise 3 x 3 with stride 2; a linear layer on pooled features.
NET = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1),
    nn.BatchNorm2d(8),
    nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8, bias=False),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(8, 5),
)


def test_parameters_include_biases_and_normalisation() -> None:
    assert parameters(NET) == (3 * 8 * 9 + 8) + 16 + 8 * 9 + (8 * 5 + 5)


def test_macs_of_plain_and_grouped_convolutions_and_of_a_linear_layer() -> None:
    image = torch.zeros(2, 3, 10, 12)
    expected = 2 * (10 * 12 * 3 * 8 * 9 + 5 * 6 * 8 * 9 + 8 * 5)
    assert macs(NET, image) == expected


def test_counting_leaves_the_network_as_it_was() -> None:
    NET.train()
    before = {name: value.clone() for name, value in NET.state_dict().items()}
    macs(NET, torch.zeros(2, 3, 10, 12))
    assert NET.training
    assert all(torch.equal(before[name], value) for name, value in NET.state_dict().items())


def test_latency_is_positive_milliseconds_and_needs_a_run() -> None:
    median, spread = latency(NET.eval(), torch.zeros(1, 3, 8, 8), 5)
    assert median > 0
    assert spread >= 0
    with pytest.raises(ValueError, match="at least 1 run"):
        latency(NET, torch.zeros(1, 3, 8, 8), 0)
