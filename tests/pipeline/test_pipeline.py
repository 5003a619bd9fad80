"""The whole pipeline in a copy of the project: what runs, what does not, and what comes out.

The tests share one workspace and run in order; each leaves it finished.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from workspace import COMPARE, DATASET, EXPERIMENT, Workspace, both, copy_project

from segdistill.records import file_hash, read_run


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def first(workspace: Workspace) -> set[str]:
    """The stages of the first `dvc repro`."""
    return workspace.repro()


@pytest.fixture(autouse=True)
def _finished(first: set[str]) -> None:
    """Every test finds the pipeline run."""


@pytest.fixture
def source(workspace: Workspace) -> Iterator[Workspace]:
    """The workspace; code that the test edits is put back."""
    yield workspace
    workspace.git("checkout", "-q", "--", "baselines", "segdistill", "pcd", "experiments")


def test_the_first_run_makes_every_cell(workspace: Workspace, first: set[str]) -> None:
    shared = {f"{kind}@{DATASET}" for kind in ("teacher", "evaluate_teacher")}
    shared.add(f"data/dvc.yaml:prepare@{DATASET}")
    assert first == shared | both(["student", "kd"], [0])
    teacher = read_run(workspace.results / f"teachers/{DATASET}/run.json")
    assert teacher.kind == "teacher"
    for method in ("student", "kd"):
        record, scores = workspace.record(method, 0), workspace.scores(method, 0)
        folder = workspace.results / f"runs/{DATASET}/{method}/seed0"
        assert record.weights_sha256 == file_hash(folder / "weights.safetensors")
        assert record.weights_sha256 == scores.weights_sha256
        assert record.teacher_sha256 == teacher.weights_sha256
        assert (record.synthetic, record.subset, record.seed) == (True, True, 0)
        assert record.note == "Synthetic data and a handful of steps."
        assert scores.images == 2
        assert scores.cost.parameters == record.parameters  # without the auxiliary head
        assert (folder / "log.jsonl").read_text().count("\n") == 3
    student, distilled = workspace.record("student", 0), workspace.record("kd", 0)
    assert student.initial_weights_sha256 == distilled.initial_weights_sha256
    assert student.order_sha256 == distilled.order_sha256
    assert student.weights_sha256 != distilled.weights_sha256
    assert (workspace.results / "report.html").is_file()


def test_a_second_run_does_nothing(workspace: Workspace) -> None:
    assert workspace.repro() == set()


def test_dvc_shows_numbers_and_plots(workspace: Workspace, tmp_path: Path) -> None:
    place = f"results/{EXPERIMENT}/metrics"
    shown = workspace.run("-m", "dvc", "metrics", "show", "--json")
    files = json.loads(shown[shown.index("{") :])[""]["data"]
    assert set(files) >= {f"{place}/student.json", f"{place}/kd.json"}
    numbers = files[f"{place}/kd.json"]["data"][DATASET]
    student, kd = (workspace.scores(method, 0) for method in ("student", "kd"))
    assert numbers["miou"] == pytest.approx(kd.miou, abs=1e-12)
    assert numbers["gain"] == pytest.approx((kd.miou or 0) - (student.miou or 0), abs=1e-12)
    assert numbers["discriminability"] == kd.discriminability
    table = workspace.run("-m", "dvc", "exp", "show", "--csv")
    assert f"{place}/kd.json:{DATASET}.miou" in table
    for command in (["show"], ["diff", "HEAD"]):
        workspace.run("-m", "dvc", "plots", *command, "-o", str(tmp_path))
        page = (tmp_path / "index.html").read_text(encoding="utf-8")
        for title in ("gain over the student", "cost against accuracy", "training cross entropy"):
            assert title in page
        assert '"method": "kd"' in page
    assert workspace.repro() == set()


def test_comments_train_nothing(source: Workspace) -> None:
    for package in ("segdistill", "pcd", "baselines", "experiments"):
        for path in (source.root / package).rglob("*.py"):
            path.write_text(f"# A comment.\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    # Data sets depend on files, not on their digest: drawn anew, they are the same.
    prepared = {f"data/dvc.yaml:prepare@{DATASET}"}
    assert source.repro() == prepared
    source.git("checkout", "-q", "--", "baselines", "segdistill", "pcd", "experiments")
    assert source.repro() == prepared


def test_a_change_of_the_report_runs_the_comparison_alone(source: Workspace) -> None:
    source.edit("segdistill/report/compare.py", "cells finished", "cells are there")
    assert source.repro() == {COMPARE}


def test_a_change_of_a_method_runs_its_cells_alone(source: Workspace) -> None:
    before = {name: source.record(name, 0) for name in ("student", "kd")}
    source.edit("baselines/kd.py", "weight: float = ", "weight: float = 5 * ")
    assert source.repro() == both(["kd"], [0])
    after = {name: source.record(name, 0) for name in ("student", "kd")}
    assert after["student"] == before["student"]
    assert after["kd"].fingerprint != before["kd"].fingerprint
    assert after["kd"].weights_sha256 != before["kd"].weights_sha256
    source.git("checkout", "-q", "--", "baselines")
    assert source.repro() == both(["kd"], [0])
    assert source.record("kd", 0).weights_sha256 == before["kd"].weights_sha256


def test_a_parameter_never_continues_an_old_state(source: Workspace) -> None:
    """With half-way state of the old value at hand, the new value starts anew."""
    before = source.record("kd", 0)
    source.edit("params.yaml", "kd: {}", "kd: {temperature: 2.0}")
    assert source.repro() == both(["kd"], [0])
    changed = source.record("kd", 0)
    assert changed.fingerprint != before.fingerprint
    assert changed.steps == 3
    assert changed.weights_sha256 != before.weights_sha256
    source.edit("params.yaml", "kd: {temperature: 2.0}", "kd: {}")
    source.repro()


def test_a_seed_adds_its_cells(workspace: Workspace) -> None:
    before = workspace.record("kd", 0)
    workspace.set(seeds=[0, 1])
    assert workspace.repro() == both(["student", "kd"], [1])
    assert workspace.record("kd", 0) == before
    starts = {workspace.record(name, 1).initial_weights_sha256 for name in ("student", "kd")}
    assert len(starts) == 1
    assert before.initial_weights_sha256 not in starts
    workspace.set(seeds=[0])
    assert workspace.repro() <= {COMPARE}


def test_a_new_method_is_one_file_and_one_block(workspace: Workspace) -> None:
    workspace.run("-m", "segdistill", "new-method", "mine")
    with (workspace.root / "params.yaml").open("a") as file:
        file.write("  mine: {}\n")
    workspace.set(methods=["student", "kd", "mine"])
    assert workspace.repro() == both(["mine"], [0])
    assert "mine" in (workspace.results / "report.html").read_text(encoding="utf-8")
    workspace.set(methods=["student", "kd"])
    assert workspace.repro() <= {COMPARE}


def test_another_experiment_has_its_own_lock(workspace: Workspace) -> None:
    lock = workspace.root / "dvc.lock"
    own = lock.read_bytes()
    ran = workspace.repro("experiments/smoke/dvc.yaml:digest")
    assert ran == set()
    assert "digest" in (workspace.root / "experiments/smoke/dvc.lock").read_text()
    assert lock.read_bytes() == own
    assert workspace.repro() == set()


def test_a_clone_without_the_cache_trains_nothing(workspace: Workspace, tmp_path: Path) -> None:
    workspace.git("add", "-A")
    workspace.git("commit", "-q", "-m", "Results")
    subprocess.run(["git", "clone", "-q", workspace.root, tmp_path / "clone"], check=True)
    clone = Workspace(tmp_path / "clone")
    assert not list(clone.results.glob("runs/*/*/*/weights.safetensors"))
    assert clone.repro("--allow-missing") == set()
    assert clone.changes() == []
    clone.run("-m", "segdistill", "data", DATASET)
    clone.set(seeds=[0, 2])
    assert clone.repro("--allow-missing") == both(["student", "kd"], [2])
    teacher = read_run(workspace.results / f"teachers/{DATASET}/run.json")
    for method in ("student", "kd"):
        assert clone.record(method, 2).teacher_sha256 == teacher.weights_sha256
        assert clone.record(method, 0) == workspace.record(method, 0)
