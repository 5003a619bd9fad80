"""PCD (reconstructed from the abstract) on two ranks: sums and similarity are the whole batch's."""

from datetime import timedelta
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from pcd_cases import features, make, step

CLASSES = 5


def train(rank: int, folder: Path) -> None:
    """Two steps of one rank on its image of each batch; writes the state it ends with."""
    torch.set_num_threads(1)
    rendezvous = f"file://{folder / 'rendezvous'}"
    limit = timedelta(seconds=60)
    dist.init_process_group("gloo", rendezvous, limit, world_size=2, rank=rank)
    student, teacher, labels = features(4, 8, CLASSES)
    method = make(4, 8, CLASSES, min_pixels=80)
    for scale in (1.0, 3.0):
        mine = slice(rank, rank + 1)
        step(method, student[mine], scale * teacher[mine] + rank, labels[mine])
    torch.save(method.state_dict(), folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.skipif(not dist.is_available(), reason="this torch has no torch.distributed")
def test_two_ranks_know_what_one_process_with_both_images_knows(tmp_path: Path) -> None:
    mp.spawn(train, (tmp_path,), nprocs=2)
    ranks = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    student, teacher, labels = features(4, 8, CLASSES)
    alone = make(4, 8, CLASSES, min_pixels=80)
    offset = torch.arange(2.0).view(2, 1, 1, 1)
    for scale in (1.0, 3.0):
        step(alone, student, scale * teacher + offset, labels)
    for name in ("scores", "kept", "sums.pixels", "sums.shift", "sums.total", "sums.square"):
        torch.testing.assert_close(ranks[0][name], ranks[1][name], rtol=0, atol=0)
        torch.testing.assert_close(ranks[0][name], alone.state_dict()[name])
    assert torch.equal(ranks[0]["matched"], ranks[1]["matched"])
    assert alone.counters()["skipped_steps"] == ranks[0]["skipped"] == 0
