"""The training loop: cohorts, worker threads, stops and what is logged, bit for bit."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from harness_cases import EVERY_STEP, STATEFUL, STEPS, TRAINING, StopAfter, results, run, run_config
from safetensors.torch import load_file

from segdistill.distill import Distiller, View
from segdistill.errors import SuiteError
from segdistill.settings.loading import RunConfig, Term
from segdistill.settings.schema import Execution
from segdistill.stop import Stopped
from segdistill.training.checkpoint import load_checkpoint
from segdistill.training.loop import SUMMARY
from segdistill.training.optimizers import poly


class Diverging(Distiller):
    """A term that is infinite at one step; `gradient` spoils the gradient instead."""

    name = "diverging"
    paper = "none"
    needs_teacher = False

    class Config(Distiller.Config):
        pass

    at = 0.6  # of the training

    def losses(self, student: View, teacher: View, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        del teacher, labels
        factor = math.inf if self.progress >= self.at else 1.0
        return {"mean": student.logits.mean() * factor}


class SpoiledGradient(Diverging):
    name = "spoiled"

    def losses(self, student: View, teacher: View, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        del teacher, labels
        zero = student.logits.sum() * 0
        return {"root": torch.sqrt(zero) if self.progress >= self.at else zero}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, bytes]]:
    """Weights and log of every stateful method trained by itself, never interrupted."""
    root = tmp_path_factory.mktemp("alone")
    return {name: results(run(root, [run_config(name)])[0]) for name in STATEFUL}


def test_a_second_training_gives_the_same_bits(
    alone: dict[str, tuple[bytes, bytes]], tmp_path: Path
) -> None:
    for name in STATEFUL:
        assert results(run(tmp_path, [run_config(name)])[0]) == alone[name], name


def test_methods_train_differently(alone: dict[str, tuple[bytes, bytes]]) -> None:
    assert len({weights for weights, _ in alone.values()}) == len(STATEFUL)


@pytest.mark.parametrize("workers", [0, 2, 4])
def test_a_cohort_gives_what_separate_trainings_give(
    alone: dict[str, tuple[bytes, bytes]], tmp_path: Path, workers: int
) -> None:
    execution = Execution(workers=workers, cache=not workers, checkpoint_every=3)
    configs = [run_config(name) for name in reversed(STATEFUL)]
    for folder in run(tmp_path, configs, execution):
        assert results(folder) == alone[folder.name], folder.name


@pytest.mark.parametrize("steps", [1, STEPS - 1])
def test_a_stopped_training_ends_with_the_same_bits(
    alone: dict[str, tuple[bytes, bytes]], tmp_path: Path, steps: int
) -> None:
    """Checkpoints are rare, so the stop itself must save."""
    execution, configs = Execution(checkpoint_every=1000), [run_config(n) for n in STATEFUL]
    with pytest.raises(Stopped) as caught:
        run(tmp_path, configs, execution, StopAfter(steps))
    assert caught.value.code == 75
    for config in configs:
        state = load_checkpoint(tmp_path / config.method)
        assert state is not None
        assert state["trainer"]["step"] == steps + 1
        assert not (tmp_path / config.method / SUMMARY).exists()
    for folder in run(tmp_path, configs, execution):
        assert results(folder) == alone[folder.name], folder.name


def test_members_of_a_cohort_may_be_at_different_steps(
    alone: dict[str, tuple[bytes, bytes]], tmp_path: Path
) -> None:
    rarely = Execution(checkpoint_every=1000)
    with pytest.raises(Stopped):
        run(tmp_path, [run_config("kd")], rarely, StopAfter(3))
    with pytest.raises(Stopped):
        run(tmp_path, [run_config("skd")], rarely, StopAfter(1))
    configs = [run_config(name) for name in ("kd", "student", "skd")]
    for folder in run(tmp_path, configs, rarely):
        assert results(folder) == alone[folder.name], folder.name


def test_the_log_holds_every_term_and_the_rate(tmp_path: Path) -> None:
    (folder,) = run(tmp_path, [run_config("kd")])
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [0, 2, 4]
    for row in rows:
        gradients = {term for term in row if term.startswith("gradient/")}
        assert bool(gradients) == (row["step"] == 0)
        terms = row.keys() - {"step", "loss", "learning_rate"} - gradients
        assert {"cross_entropy", "auxiliary"} < terms
        assert any(term.startswith("kd/") for term in terms)
        assert row["loss"] == pytest.approx(math.fsum(row[term] for term in terms), rel=1e-5)
        assert row["learning_rate"] == poly(TRAINING, row["step"])


def test_the_last_step_is_logged_whatever_the_interval(tmp_path: Path) -> None:
    training = TRAINING.model_copy(update={"log_every": 3})
    (folder,) = run(tmp_path, [run_config("pcd", training=training)])
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [0, 3, STEPS - 1]
    assert all(any(key.startswith("pcd/") for key in row) for row in rows)


def test_the_summary_describes_what_lies_beside_it(tmp_path: Path) -> None:
    (folder,) = run(tmp_path, [run_config("student")])
    summary: dict[str, Any] = json.loads((folder / SUMMARY).read_text())
    tensors = load_file(folder / "weights.safetensors")
    assert not any(name.startswith("auxiliary.") for name in tensors)
    trained = {n: t for n, t in tensors.items() if not n.endswith(BUFFERS)}
    assert summary["parameters"] == sum(tensor.numel() for tensor in trained.values())
    assert summary["steps"] == STEPS
    assert all(value >= 0 for value in summary["seconds"].values())
    phases = [value for name, value in summary["seconds"].items() if name != "total"]
    assert summary["seconds"]["total"] == pytest.approx(math.fsum(phases))
    assert not list(folder.glob("checkpoint-*"))


BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


def diverging(name: str = "Diverging") -> RunConfig:
    return run_config(name, terms=(Term(f"{__name__}:{name}", {}),))


def fail(folder: Path, configs: Sequence[RunConfig]) -> str:
    with pytest.raises(SuiteError) as caught:
        run(folder, configs, EVERY_STEP)
    return str(caught.value)


def test_an_infinite_term_stops_its_run_and_is_named(tmp_path: Path) -> None:
    message = fail(tmp_path, [diverging()])
    assert "test/scenes_camvid/Diverging/seed0: diverging/mean is " in message
    assert "inf at step 3" in message
    assert str(tmp_path / "Diverging") in message
    state = load_checkpoint(tmp_path / "Diverging")
    assert state is not None
    assert state["trainer"]["step"] == 3
    assert all(tensor.isfinite().all() for tensor in state["trainer"]["net"].values())
    assert not (tmp_path / "Diverging" / SUMMARY).exists()
    assert fail(tmp_path, [diverging()]) == message  # trying again changes nothing


def test_weights_that_are_spoiled_are_never_saved(tmp_path: Path) -> None:
    """The loss is finite at step 3, its gradient is not."""
    message = fail(tmp_path, [diverging("SpoiledGradient")])
    assert "not finite after 4 steps" in message
    state = load_checkpoint(tmp_path / "SpoiledGradient")
    assert state is not None
    assert state["trainer"]["step"] == 3


def test_a_diverging_member_leaves_the_others_their_results(
    alone: dict[str, tuple[bytes, bytes]], tmp_path: Path
) -> None:
    message = fail(tmp_path, [diverging(), run_config("kd"), run_config("pcd")])
    assert "Diverging" in message
    assert "kd" not in message
    for name in ("kd", "pcd"):
        assert results(tmp_path / name) == alone[name], name
