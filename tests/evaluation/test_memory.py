"""Memory of a pass, counted without data."""

import torch
from torch import Tensor, nn

from segdistill.evaluation.memory import peak_memory


class Chain(nn.Module):
    """Maps of one size, of which at most four are held at a time."""

    def forward(self, image: Tensor) -> Tensor:
        first = image + 1
        second = first * 2
        del first
        third = second.flatten(1)  # a view, no memory of its own
        fourth = third + 1
        fourth.add_(1)
        return torch.cat([third, fourth])  # two maps beside the two that it joins


def test_memory_is_what_is_held_at_a_time() -> None:
    image = torch.zeros(1, 3, 8, 8)
    assert peak_memory(Chain(), image) == 4 * image.nbytes


def test_memory_of_convolutions_counts_maps_and_no_weights() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(8, 2, 1))
    assert peak_memory(net.train(), torch.zeros(2, 3, 10, 12)) == 4 * 2 * 10 * 12 * (8 + 2)
    assert net.training
