"""The look inside PCD (reconstructed from the abstract): its table's numbers, and its refusals."""

from typing import Any

import numpy as np
import pytest
import torch
from harness_cases import CPU, STEPS, TRAINING, Noise, frozen_teacher, run_config

from experiments import inspect_pcd
from experiments.inspect_pcd import look, pcd_term, rows
from pcd.method import Findings
from segdistill.data.augmentation import Augmentation
from segdistill.data.stream import batches
from segdistill.errors import SuiteError
from segdistill.models.normalise import normalise
from segdistill.settings.loading import Term
from segdistill.training.student_trainer import StudentTrainer


def test_channels_are_ranked_by_score_and_know_who_learns_them() -> None:
    scores = torch.tensor([0.5, 2.0, 0.25, 1.0], dtype=torch.float64)
    found = Findings(
        classes=torch.tensor([0, 3]),
        responses=torch.stack([scores, 1 - scores]),
        scores=scores,
        kept=torch.tensor([1, 3]),
        matched=torch.tensor([3, 1, 3, -1]),
    )
    assert list(rows(["sky", "road"], found)) == [
        (1, 2.0, True, "sky", 2.0, "1"),
        (3, 1.0, True, "sky", 1.0, "0 2"),
        (0, 0.5, False, "sky", 0.5, ""),
        (2, 0.25, False, "road", 0.75, ""),
    ]


@pytest.mark.parametrize(
    "term", [Term("kd", {}), Term("pcd", {"score": "random"}), Term("pcd", {"weight": 0})]
)
def test_what_cannot_be_looked_at_is_refused(term: Term) -> None:
    with pytest.raises(SuiteError, match=r"methods\.pcd: no pcd with a weight and a score that"):
        pcd_term(run_config("pcd", terms=(term,)))


def test_sums_are_looked_at_whatever_the_run_chose() -> None:
    terms = (Term("kd", {}), Term("pcd", {"responses": "batch", "weight": 3.0}))
    term = pcd_term(run_config("pcd", terms=terms))
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
    monkeypatch.setattr(inspect_pcd, "open_data", lambda *_: Noise())
    monkeypatch.setattr(inspect_pcd, "load", lambda *given: nets[given[1].method])
    classes, found, changes = look(config, STEPS)
    np.testing.assert_allclose(found.scores, trained.scores, rtol=1e-6)
    np.testing.assert_allclose(found.responses, trained.responses, rtol=1e-5, atol=1e-7)
    assert found.kept.tolist() == trained.kept.tolist()
    assert len(classes) == len(trained.classes)
    assert set(found.matched.tolist()) == set(found.kept.tolist())
    assert len(changes) == STEPS - 1
    with pytest.raises(SuiteError, match="fewer than two classes have 50 pixels in 1 batches"):
        look(config, 1)
