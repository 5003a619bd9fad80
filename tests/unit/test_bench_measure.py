"""What the benchmark measures with: memory to the byte, and every phase of a step."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from distill import method_names
from harness.bench.cohort import measure_cohort
from harness.bench.inputs import floor, make_inputs
from harness.bench.losses import Step
from harness.bench.measure import best_seconds, memory_of
from harness.bench.session import bench_steps
from harness.bench.steps import Setting, every_method, measure_step, open_setting
from harness.bench.tables import cohort_table
from harness.config import Term, read_profile, student_run
from harness.data import scenes
from harness.data.preparation import prepare
from harness.errors import SuiteError
from harness.learner import PHASES

KIB = 1024
ROOT = Path(__file__).resolve().parents[2]


def test_peak_counts_what_is_held_at_a_time_and_not_the_sum() -> None:
    def work() -> None:
        for _ in range(3):
            torch.empty(KIB, dtype=torch.float32)

    assert memory_of(work).peak == 4 * KIB


def test_peak_counts_gradients_and_not_the_inputs() -> None:
    leaf = torch.ones(KIB, requires_grad=True)
    step = Step(lambda: (leaf * leaf).sum(), [leaf])
    step()
    step.drop_gradients()
    # The product and, in the backward pass, two summands of the gradient beside the scalar's.
    assert 2 * 4 * KIB <= memory_of(step).peak <= 4 * 4 * KIB
    with_old_gradient = memory_of(step).peak  # its release is subtracted
    step.drop_gradients()
    assert memory_of(step).peak == with_old_gradient + 4 * KIB


def test_a_step_starts_from_no_gradient_and_repeats_its_draws() -> None:
    leaf = torch.ones(3, requires_grad=True)
    step = Step(lambda: (leaf * torch.rand(3)).sum(), [leaf])
    first = step(), leaf.grad
    second = step(), leaf.grad
    assert torch.equal(first[0], second[0])
    assert first[1] is not second[1]
    torch.testing.assert_close(first[1], second[1])


def test_works_take_turns_after_one_call_each() -> None:
    calls: list[str] = []
    found = best_seconds([lambda: calls.append("a"), lambda: calls.append("b")], repeats=2)
    assert calls == list("ababab")
    assert all(0 <= seconds < float("inf") for seconds in found)


def test_floor_holds_nothing_new_at_work() -> None:
    inputs = make_inputs(1, 3, (4, 6), (8, 8))
    assert memory_of(floor(inputs, ("logits", "feature"))) == (0, 0)


def test_labels_lie_on_the_maps_grid_with_some_ignored() -> None:
    labels = make_inputs(4, 5, (2, 2), (24, 40)).labels
    assert labels.shape == (4, 192, 320)
    assert ((labels < 5) | (labels == 255)).all()
    assert (labels == 255).any()


@pytest.fixture(autouse=True)
def determinism_as_before() -> Iterator[None]:
    level = torch.are_deterministic_algorithms_enabled()
    yield
    torch.use_deterministic_algorithms(level)


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Setting:
    monkeypatch.chdir(ROOT)
    return open_setting(read_profile("smoke"), "scenes_camvid")


def test_every_phase_of_a_step_is_measured(setting: Setting) -> None:
    config = student_run("smoke", "scenes_camvid", "kd", 0)
    assert setting.batch.images.shape == (2, 3, 64, 64)
    found = measure_step(config, setting, repeats=1)
    assert set(found.own.phases) == set(found.floor.phases) == set(PHASES)
    assert all(0 < seconds < float("inf") for seconds in found.own.phases.values())
    assert found.floor.phases["teacher"] == found.own.phases["teacher"]
    assert 0 < found.own.processor < float("inf")


def test_a_student_alone_is_not_charged_for_the_teacher(setting: Setting) -> None:
    alone = student_run("smoke", "scenes_camvid", "student", 0)
    found = measure_step(alone, setting, repeats=1)
    assert found.own.phases["teacher"] == 0
    assert found.floor.phases["teacher"] == 0
    assert found.over_floor == found.own.processor / found.floor.processor


@pytest.mark.usefixtures("setting")
def test_every_method_is_there_once_and_the_adversaries_once_without() -> None:
    profile = read_profile("smoke")
    names = [config.method for config in every_method("smoke", profile, "scenes_camvid")]
    assert names[:6] == ["student", "kd", "cwd", "skd", "ifvd", "pcd"]
    assert sorted(names[:-2]) == method_names()
    assert names[-2:] == ["skd, no adversary", "ifvd, no adversary"]
    without = every_method("smoke", profile, "scenes_camvid")[-2]
    assert without.terms == (Term("skd", {"holistic_weight": 0.0}),)


def test_a_run_keeps_its_tables_and_its_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = (ROOT / "experiments/profiles/smoke.yaml").read_text(encoding="utf-8")
    shorter = text.replace("[student, kd, cwd, skd, ifvd, pcd]", "[student, kd]")
    profile = tmp_path / "experiments/profiles/smoke.yaml"
    profile.parent.mkdir(parents=True)
    profile.write_text(shorter, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    bench_steps(tmp_path, "smoke", repeats=1)
    kept = json.loads((tmp_path / "steps-smoke.json").read_text(encoding="utf-8"))
    assert [row["method"] for row in kept["steps"]] == ["student", "kd"]
    assert kept["environment"]["threads"] == 1
    assert kept["environment"]["repeats"] == 1
    text = (tmp_path / "steps-smoke.md").read_text(encoding="utf-8")
    assert "| method |" in text
    assert kept["environment"]["processor"] in text


def test_repeats_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="--repeats must be at least 1, got 0"):
        bench_steps(tmp_path, "smoke", repeats=0)


def test_a_cohort_has_the_bits_of_its_trainings_one_by_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(scenes, "COUNTS", {"train": 16, "val": 4, "test": 4})
    prepare("scenes_camvid", tmp_path / "data/scenes_camvid", tmp_path / "data/scenes_camvid")
    shutil.copytree(ROOT / "experiments/profiles", tmp_path / "experiments/profiles")
    monkeypatch.chdir(tmp_path)
    configs = [student_run("smoke", "scenes_camvid", name, 0) for name in ("student", "kd")]
    found = measure_cohort(configs, steps=3)
    assert found.same_bits
    assert [run.method for run in found.cohort] == ["student", "kd"]
    assert found.alone[0].sha256 != found.alone[1].sha256
    assert found.alone[0].seconds.teacher == 0 < found.alone[1].seconds.teacher
    assert found.over_separate == found.cohort_wall / found.alone_wall
    table = cohort_table(found, 3, [])
    assert [row[0].text for row in table.rows] == ["student", "kd", "all in a cohort"]
    assert "Weights: the same both ways" in " ".join(table.notes)
    assert not found._replace(cohort=found.alone[::-1]).same_bits
