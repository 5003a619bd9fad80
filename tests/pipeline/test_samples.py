"""The real samples of VOC and Cityscapes' layout: prepared, trained a step, scored, reported."""

import sys
from pathlib import Path

import pytest
from command_line import refusal, segdistill

from experiments import compare
from segdistill.data.manifest import read_manifest
from segdistill.pipeline.cells import plan
from segdistill.pipeline.evaluations import plan_evaluation
from segdistill.pipeline.publish import publish_evaluation, publish_run
from segdistill.pipeline.worker import work
from segdistill.records import read_run, read_scores
from segdistill.settings.cell import Cell
from segdistill.stop import StopRequest

SAMPLES = {"voc": "VOC2012_sample", "cityscapes": "cityscapes_layout_sample"}
COUNTS = {"voc": {"train": 10, "val": 5}, "cityscapes": {"train": 3, "val": 2}}
NETWORK = "{decoder: fcn, backbone: resnet, depth: 18, width: 8, head_width: 8, output_stride: 32}"
EXPERIMENT = """\
experiment: samples
about: For a test.
note: One step.
datasets: [voc, cityscapes]
methods: [student]
seeds: [0]
data:
  voc: {crop: [64, 64], evaluate_split: val}
  cityscapes: {crop: [64, 64], evaluate_split: val}
networks: {teacher: NETWORK, student: NETWORK}
teacher: {steps: 1, batch: 2, learning_rate: 0.02}
train: {steps: 1, batch: 2, learning_rate: 0.02}
evaluate: {pictures: 1, latency_runs: 0}
execution: {}
options: {student: {}}
"""


@pytest.fixture(scope="module")
def project(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which both samples went through every stage."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "params.yaml").write_text(EXPERIMENT.replace("NETWORK", NETWORK))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, sample in SAMPLES.items():
            root = str(shared / "data" / sample)
            patch.setenv(f"{name.upper()}_ROOT", root)
            assert segdistill("data", name, "--from", root, "--subset").status == 0
            run_cell(name, "teacher")
            run_cell(name, "student")
        patch.setattr(sys, "argv", ["compare.py"])
        assert compare.main() == 0
    return folder


def run_cell(dataset: str, method: str) -> None:
    """What the stages do, without a process of its own for every training."""
    work("samples", dataset, 0, [method], StopRequest())
    cell = Cell("samples", dataset, method, 0)
    publish_run(plan(cell))
    publish_evaluation(plan_evaluation(cell))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_refused_as_the_dataset(
    name: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = refusal("data", name, "--from", shared / "data" / SAMPLES[name])
    assert f"split 'train' of {name} has {COUNTS[name]['train']} images, the official" in found
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", SAMPLES)
def test_manifest_and_records_say_subset(name: str, project: Path) -> None:
    manifest = read_manifest(project / f"data/{name}/MANIFEST.json")
    assert manifest.subset
    assert {split: record.count for split, record in manifest.splits.items()} == COUNTS[name]
    assert manifest.duplicates == ()
    run = read_run(project / f"results/samples/runs/{name}/student/seed0/run.json")
    scores = read_scores(project / f"results/samples/evals/{name}/student/seed0/scores.json")
    assert (run.subset, scores.subset, scores.images) == (True, True, COUNTS[name]["val"])
    assert (run.steps, run.synthetic) == (1, False)
    assert scores.miou is not None


def test_every_table_says_subset(project: Path) -> None:
    tables = sorted((project / "results/samples/tables").glob("*.md"))
    assert len(tables) >= 10
    for path in tables:
        assert "subset" in path.read_text(), path.name
    assert "subset" in (project / "results/samples/report.html").read_text()
