"""The look inside PCD (reconstructed from the abstract): its plots' numbers, and its refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_cases import CPU, DATASET, STEPS, TRAINING, Noise, frozen_teacher, run_config

from segdistill.data.augmentation import Augmentation
from segdistill.data.stream import batches
from segdistill.errors import SuiteError
from segdistill.inspection import channels as inspected
from segdistill.inspection import stability_plot as stability
from segdistill.inspection.channels import Channels, Examples, _pcd_term, inspect_channels
from segdistill.inspection.map_plot import map_plot
from segdistill.inspection.score_plots import response_plot, score_plot
from segdistill.models.normalise import normalise
from segdistill.settings.loading import Term
from segdistill.training.student_trainer import StudentTrainer

SCORES = np.array([0.5, 2.0, 0.25, 1.0])
LOG = """{"step": 0, "pcd/kept_changed": 1, "pcd/matched_changed": 1, "pcd/mean_similarity": 0}
{"step": 10, "pcd/kept_changed": 0.5, "pcd/matched_changed": 0.25, "pcd/mean_similarity": 0.1}
{"step": 20, "pcd/kept_changed": 0, "pcd/matched_changed": 0.5, "pcd/mean_similarity": 0.3}
"""


def channels(**changes: Any) -> Channels:
    draw = np.random.default_rng(0)
    examples = Examples(
        draw.integers(0, 256, (2, 3, 16, 16)).astype(np.uint8),
        np.full((2, 16, 16), 255),
        draw.random((2, 4, 4, 4)),
        draw.random((2, 2, 4, 4)),
    )
    values: dict[str, Any] = {
        "config": run_config("pcd"),
        "classes": ("sky", "road"),
        "responses": np.stack([SCORES, -SCORES]),
        "scores": SCORES,
        "kept": np.array([1, 3]),
        "matched": np.array([3, 1]),
        "rematched": (0.5, 0.0),
        "examples": examples,
    }
    return Channels(**{**values, **changes})


def test_channels_are_ranked_by_score_and_know_who_learns_them() -> None:
    found = channels()
    assert found.ranked.tolist() == [1, 3, 0, 2]
    assert (found.learner_of(1), found.learner_of(3), found.learner_of(0)) == (1, 0, None)


def test_plots_hold_the_numbers_they_show() -> None:
    responses, scores, maps = (plot(channels()) for plot in (response_plot, score_plot, map_plot))
    assert [row["kept"] for row in scores.values] == [True, True, False, False]
    assert [row["score"] for row in scores.values] == [2.0, 1.0, 0.5, 0.25]
    assert [row["response"] for row in responses.values][:2] == [2.0, -2.0]
    assert [row["teacher_channel"] for row in maps.values] == [3, 1]
    for plot in (responses, scores, maps):
        assert plot.png.startswith(b"\x89PNG")
        assert b"<svg" in plot.svg
        assert "reconstructed from the abstract" in plot.title


def test_stability_reads_every_seed_that_has_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stability, "run_folder", lambda *cell: tmp_path / str(cell[3]))
    for seed in (0, 2):
        (tmp_path / str(seed)).mkdir()
        (tmp_path / str(seed) / "log.jsonl").write_text(LOG)
    rows = stability.stability_plot(channels(), (0, 1, 2)).values
    assert [row["seed"] for row in rows] == [0, 0, 0, 2, 2, 2]
    assert [row["matched_changed"] for row in rows[:3]] == [1, 0.25, 0.5]
    with pytest.raises(SuiteError, match=r"1/log\.jsonl: missing"):
        stability.stability_plot(channels(), (1,))
    (tmp_path / "0" / "log.jsonl").write_text('{"step": 0, "loss": 1}\n')
    with pytest.raises(SuiteError, match=r"logs no pcd/kept_changed"):
        stability.stability_plot(channels(), (0,))


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (Term("kd", {}), "not pcd"),
        (Term("pcd", {"score": "random"}), "'random' is a control"),
        (Term("pcd", {"weight": 0}), "weight 0 leaves nothing"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(term: Term, message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        _pcd_term(run_config("pcd", terms=(term,)))


def test_sums_are_looked_at_whatever_the_run_chose() -> None:
    terms = (Term("kd", {}), Term("pcd", {"responses": "batch", "weight": 3.0}))
    term = _pcd_term(run_config("pcd", terms=terms))
    assert term.fields == {"responses": "running", "weight": 3.0}


def test_the_teacher_is_seen_as_the_training_saw_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores and kept channels depend on the frozen teacher and the batches alone."""
    config, teacher = run_config("pcd"), frozen_teacher()
    trainer = StudentTrainer(config, 11, teacher.spec(), CPU)
    augmentation = Augmentation(config.data.crop, TRAINING.scale, TRAINING.flip)
    for batch in batches(Noise(), augmentation, config.seed, TRAINING.batch, 0, STEPS):
        images = normalise(batch.images)
        with torch.no_grad():
            output = teacher(images, sorted(trainer.teacher_taps()))
        trainer.training_step(images, batch.labels, output)
    method: Any = trainer.methods[0]
    trained = method.findings()

    nets = {"teacher": teacher, "pcd": trainer.net.eval()}
    monkeypatch.setattr(inspected, "student_run", lambda *_: config)
    monkeypatch.setattr(inspected, "open_data", lambda *_: Noise())
    monkeypatch.setattr(inspected, "_open", lambda *given: nets[given[2]])
    found = inspect_channels("test", DATASET, "pcd", 0, STEPS)
    np.testing.assert_allclose(found.scores, trained.scores.numpy(), rtol=1e-6)
    np.testing.assert_allclose(found.responses, trained.responses.numpy(), rtol=1e-5, atol=1e-7)
    assert found.kept.tolist() == trained.kept.tolist()
    assert len(found.classes) == len(trained.classes)
    assert set(found.matched.tolist()) == set(found.kept.tolist())
    assert len(found.rematched) == STEPS - 1
    with pytest.raises(SuiteError, match="fewer than two classes have 50 pixels in 1 batches"):
        inspect_channels("test", DATASET, "pcd", 0, 1)


def test_missing_weights_name_their_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = run_config("pcd")
    for name, stage in (("teacher", "teacher@test-.*"), ("pcd", "train@test-.*-pcd-0")):
        with pytest.raises(SuiteError, match=rf"no weights yet; run `dvc repro {stage}`"):
            inspected._open(config.student, config, name, 11)
