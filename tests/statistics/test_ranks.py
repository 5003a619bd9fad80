"""Who leads, from arms whose mIoU is known by construction."""

import numpy as np
import pytest

from segdistill.statistics import Arm, best_and_second

IMAGES = 40


def arm(share: float, seeds: int = 5, spread: float = 0.0) -> Arm:
    """One class; `share` of every image's 1000 pixels is right, seeds `spread` apart."""
    rng = np.random.default_rng(round(1000 * share))
    steps = np.linspace(-spread, spread, seeds)[:, None]
    noise = rng.integers(-3, 4, (seeds, IMAGES))
    right = np.round(1000 * (share + steps) + noise).astype(np.int64)[..., None]
    label = np.full((IMAGES, 1), 1000)
    names = tuple(str(index) for index in range(IMAGES))
    return Arm(tuple(range(seeds)), names, right, np.full_like(right, 1000), label)


def test_best_and_second_are_apart() -> None:
    arms = {"a": arm(0.5), "b": arm(0.7), "c": arm(0.6)}
    assert best_and_second(arms) == (["b"], ["c"])


def test_what_is_tied_shares_its_rank() -> None:
    arms = {"a": arm(0.5), "b": arm(0.7), "c": arm(0.699, spread=0.05), "d": arm(0.501)}
    assert best_and_second(arms)[0] == ["b", "c"]
    twice = {"a": arm(0.5), "b": arm(0.7), "same": arm(0.7)}
    assert best_and_second(twice) == (["b", "same"], ["a"])


def test_nothing_leads_where_nothing_differs() -> None:
    assert best_and_second({"a": arm(0.5), "b": arm(0.5)}) == ([], [])
    assert best_and_second({"a": arm(0.5)}) == ([], [])
    assert best_and_second({}) == ([], [])


@pytest.mark.parametrize("seeds", [1, 2, 4])
def test_fewer_than_five_seeds_are_not_ranked(seeds: int) -> None:
    few = {"a": arm(0.5, seeds), "b": arm(0.7, seeds)}
    assert best_and_second(few) == ([], [])
    mixed = {"a": arm(0.5), "b": arm(0.9, seeds), "c": arm(0.6)}
    assert best_and_second(mixed) == (["c"], ["a"])
