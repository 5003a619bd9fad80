"""Training and evaluation away from the CPU, on a device that is as strict as a GPU."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from pathlib import Path

import accelerator
import numpy as np
import pytest
import torch
from harness_cases import (
    CPU,
    StopAfter,
    distilled_step,
    evaluate_noise,
    first_row,
    results,
    run,
    run_config,
)

from segdistill.distill import method_names
from segdistill.records import ScoreRecord
from segdistill.stop import Stopped

CLASSES = 11
NEVER_WAIT = ("student", "kd", "cwd", "skd", "ifvd", "at", "fitnet", "dist", "mgd", "dsd", "afdcd",
              "bpkd", "nfd")  # fmt: skip
# PCD asks whether there are scores, and how many pairs; CIRKD draws from its queues by class.
WAITS = {**dict.fromkeys(NEVER_WAIT, 0), "pcd": 5, "cirkd": 42}


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Executor]:
    """A process that has the device."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=accelerator.install) as pool:
        yield pool


def train_elsewhere(name: str, folder: Path) -> None:
    """Once in one go, below `whole`, and once stopped and continued, below `resumed`."""
    train_there = partial(run, configs=[run_config(name)], device=torch.device(accelerator.NAME))
    train_there(folder / "whole")
    with pytest.raises(Stopped):
        train_there(folder / "resumed", stop=StopAfter(2))
    train_there(folder / "resumed")


def evaluate_there(folder: Path) -> ScoreRecord:
    return evaluate_noise(folder, torch.device(accelerator.NAME))


def waits_of_a_step(name: str, decoder: str) -> int:
    """How often the host waits for the device within the third step."""
    step = distilled_step(name, decoder, torch.device(accelerator.NAME))
    step()
    step()
    with accelerator.Waits() as waits:
        step()
    return waits.count


@pytest.mark.parametrize("name", method_names())
def test_every_method_trains_elsewhere(name: str, elsewhere: Executor, tmp_path: Path) -> None:
    """As on the CPU up to rounding, and with the same bits if it was interrupted."""
    elsewhere.submit(train_elsewhere, name, tmp_path).result()
    run(tmp_path / "here", [run_config(name)])
    here, there, resumed = (tmp_path / turn / name for turn in ("here", "whole", "resumed"))
    assert results(resumed) == results(there)
    assert first_row(there) == pytest.approx(first_row(here), rel=1e-4, abs=1e-9)


@pytest.mark.parametrize(("name", "waits"), WAITS.items())
def test_a_step_waits_for_the_device(name: str, waits: int, elsewhere: Executor) -> None:
    assert elsewhere.submit(waits_of_a_step, name, "fcn").result() == waits


def test_a_pyramid_sends_its_grids_of_means(elsewhere: Executor) -> None:
    """Rows and columns of three scales, in teacher and student."""
    assert elsewhere.submit(waits_of_a_step, "student", "pspnet").result() == 2 * 2 * 3


def test_an_evaluation_elsewhere_is_that_of_the_cpu(elsewhere: Executor, tmp_path: Path) -> None:
    here = evaluate_noise(tmp_path / "here", CPU)
    there = elsewhere.submit(evaluate_there, tmp_path / "there").result()
    assert there.cost == here.cost
    assert there.discriminability == pytest.approx(here.discriminability)
    confusions = [np.load(tmp_path / place / "confusion.npy") for place in ("here", "there")]
    np.testing.assert_array_equal(*confusions)


def mix() -> None:
    torch.ones(3, device=accelerator.NAME) + torch.ones(3)


def test_tensors_of_two_devices_do_not_meet(elsewhere: Executor) -> None:
    with pytest.raises(RuntimeError, match="a tensor of the CPU among those of"):
        elsewhere.submit(mix).result()
    assert torch.ones(3, device=CPU).sum() == 3
