"""Class queues: rings, what is drawn from them, and that ranks agree."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from distiller_cases import build, make_case
from torch import Tensor

from distill.queues import ClassQueues, of_all_ranks


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


def test_without_a_process_group_rows_stay_as_they_are() -> None:
    rows = numbered(0, 3)
    assert of_all_ranks(rows) is rows


def train_on_rank(rank: int, folder: str) -> None:
    """One CIRKD step on two processes, each with images and a generator of its own."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    rows = of_all_ranks(numbered(10 * rank, [0, 2][rank]))
    more = of_all_ranks(numbered(10 * rank, [3, 1][rank]))
    # Rank 1 has no labelled pixel at all, and must take part in the exchange all the same.
    case = make_case(seed=rank, widths=(5, 5), ignored=[0.3, 2.0][rank])
    method = build("cirkd", case, pixel_queue=6, region_queue=3, queued_pixels=2)
    case.terms(method, seed=rank)
    torch.save({"rows": torch.cat([rows, more]), **method.state_dict()}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Tensor]]:
    folder = tmp_path_factory.mktemp("ranks")
    mp.spawn(train_on_rank, args=(str(folder),), nprocs=2)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def test_every_rank_gets_the_rows_of_all_in_the_order_of_ranks(
    ranks: list[dict[str, Tensor]],
) -> None:
    for found in ranks:
        assert found["rows"][:, 0].tolist() == [10, 11, 0, 1, 2, 10]


def test_queues_of_all_ranks_are_equal(ranks: list[dict[str, Tensor]]) -> None:
    first, second = ranks
    assert first["pixels.filled"].sum() > 0
    for name in first:
        assert torch.equal(first[name], second[name]), name
