"""Class queues: rings, and what is drawn from them."""

import pytest
import torch
from torch import Tensor

from segdistill.distill.queues import ClassQueues


def numbered(first: int, count: int) -> Tensor:
    return torch.arange(first, first + count, dtype=torch.float32)[:, None]


def held(queues: ClassQueues, label: int) -> list[float]:
    return sorted(queues.entries[label, : int(queues.filled[label]), 0].tolist())


@pytest.mark.parametrize("pushes", [[1], [2, 1], [3], [2, 2, 2], [5], [1, 7, 2]])
def test_the_latest_vectors_stay(pushes: list[int]) -> None:
    queues, first = ClassQueues(2, 3, 1), 0
    for count in pushes:
        queues.push(numbered(first, count), torch.ones(count, dtype=torch.long))
        first += count
    assert held(queues, 1) == [float(n) for n in range(max(0, first - 3), first)]
    assert held(queues, 0) == []


def test_classes_do_not_mix() -> None:
    queues = ClassQueues(3, 4, 1)
    queues.push(numbered(0, 6), torch.tensor([2, 0, 2, 0, 0, 2]))
    assert held(queues, 0) == [1, 3, 4]
    assert held(queues, 1) == []
    assert held(queues, 2) == [0, 2, 5]


def test_sample_draws_filled_places_without_repetition() -> None:
    queues = ClassQueues(3, 10, 1)
    queues.push(numbered(1, 9), torch.tensor([0, 0, 0, 0, 0, 0, 2, 2, 2]))
    drawn = queues.sample(4)[:, 0].tolist()
    assert len(drawn) == len(set(drawn)) == 7
    assert all(value <= 6 for value in drawn[:4])
    assert sorted(drawn[4:]) == [7, 8, 9]


def test_nothing_pushed_gives_an_empty_sample() -> None:
    queues = ClassQueues(3, 4, 2)
    queues.push(torch.zeros(0, 2), torch.zeros(0, dtype=torch.long))
    assert queues.sample(5).shape == (0, 2)


def test_rejects_a_queue_without_room() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ClassQueues(3, 0, 2)
