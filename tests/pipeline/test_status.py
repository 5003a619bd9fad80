import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from published_tree import DATA, make_published
from results_tree import EXPERIMENT, Tree

from segdistill.commands import status
from segdistill.errors import SuiteError
from segdistill.pipeline.cells import PlannedCell, plan
from segdistill.pipeline.failures import note_failure
from segdistill.pipeline.states import CellState, State, cell_states
from segdistill.pipeline.status import status_lines
from segdistill.settings.cell import TEACHER, Cell
from segdistill.settings.loading import read_experiment


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    tree = make_published(tmp_path_factory.mktemp("whole"))
    (tree.root / "data" / DATA / "MANIFEST.json").write_text("{}")
    _set_teacher(tree, b"weights")
    return tree


@pytest.fixture
def tree(whole: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A copy in which every cell is as it would be trained now."""
    root = tmp_path / "project"
    shutil.copytree(whole.root, root)
    monkeypatch.chdir(root)
    cells = [Cell(EXPERIMENT, DATA, m, s) for m in whole.methods for s in whole.seeds]
    for cell in [Cell(EXPERIMENT, DATA, TEACHER, 0), *cells]:
        _publish(plan(cell))
    return replace(whole, root=root)


def _publish(planned: PlannedCell) -> None:
    path = planned.cell.run_dir / "run.json"
    changes = {
        "config": planned.config.as_dict(),
        "code_digest": planned.code,
        "manifest_sha256": planned.data,
        "teacher_sha256": planned.teacher,
        "fingerprint": planned.fingerprint,
    }
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def _set_teacher(tree: Tree, weights: bytes) -> None:
    """A teacher of these weights, trained and scored."""
    folder, digest = tree.run(DATA, "teacher"), hashlib.sha256(weights).hexdigest()
    (folder / "weights.safetensors").write_bytes(weights)
    for path in (folder / "run.json", tree.evaluation(DATA, "teacher") / "scores.json"):
        tree.change(path, weights_sha256=digest)


def _kd(seed: int = 0) -> PlannedCell:
    return plan(Cell(EXPERIMENT, DATA, "kd", seed))


def _state(name: str) -> CellState:
    return next(found for found in cell_states(read_experiment()) if found.cell.name == name)


def _found(name: str) -> tuple[State, str]:
    found = _state(name)
    return found.state, found.reason


@pytest.mark.usefixtures("tree")
def test_published_and_scored_cells_are_done_in_the_order_of_the_grid() -> None:
    states = list(cell_states(read_experiment()))
    assert [found.cell.name for found in states] == [
        "camvid/teacher", "camvid/student/seed0", "camvid/student/seed1", "camvid/kd/seed0",
        "camvid/kd/seed1", "camvid/pcd/seed0", "camvid/pcd/seed1",
    ]  # fmt: skip
    assert {found.state for found in states} == {"done"}
    assert [found.steps for found in states] == [8, 6, 6, 6, 6, 6, 6]  # those of `smoke`


def test_scores_of_other_weights_do_not_count(tree: Tree) -> None:
    scores = tree.evaluation(DATA, "kd", 0) / "scores.json"
    tree.change(scores, weights_sha256="0" * 64)
    assert _found("camvid/kd/seed0") == ("trained", "not scored yet")
    scores.unlink()
    assert _found("camvid/kd/seed0") == ("trained", "not scored yet")


def test_results_that_wait_in_the_scratch_folder(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(tree.run(DATA, "kd", 0))
    ready = _kd().fingerprint
    monkeypatch.setattr(PlannedCell, "trained", property(lambda c: c.fingerprint == ready))
    assert _found("camvid/kd/seed0") == ("trained", "not published yet")
    assert _state("camvid/kd/seed1").state == "done"


def test_a_training_under_way_and_one_that_was_killed(tree: Tree) -> None:
    shutil.rmtree(tree.run(DATA, "kd", 0))
    assert _found("camvid/kd/seed0") == ("missing", "")
    scratch = _kd().scratch
    scratch.mkdir(parents=True)
    (scratch / "lock").write_text(str(os.getpid()))
    assert _found("camvid/kd/seed0") == ("running", "")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (scratch / "lock").write_text(str(ended.pid))
    assert _found("camvid/kd/seed0") == ("missing", "")
    (scratch / "checkpoint-00000004.pt").write_bytes(b"")
    assert _found("camvid/kd/seed0") == ("started", "")
    note_failure(_kd().cell.run_dir, "loss is nan at step 5")
    assert _found("camvid/kd/seed0") == ("failed", "loss is nan at step 5")


def test_stale_cells_say_what_changed(tree: Tree) -> None:
    params = tree.root / "params.yaml"
    recipe = json.loads(params.read_text())
    recipe["train"]["steps"] = 9
    params.write_text(json.dumps(recipe))
    assert _found("camvid/kd/seed1") == ("stale", "training.steps 6 -> 9")
    assert _state("camvid/teacher").state == "done"
    _set_teacher(tree, b"other")
    assert _found("camvid/kd/seed1") == ("stale", "training.steps 6 -> 9, teacher")
    (tree.root / "data" / DATA / "MANIFEST.json").write_text("{ }")
    tree.change(tree.run(DATA, "kd", 1) / "run.json", code_digest="0" * 64)
    assert _found("camvid/kd/seed1") == ("stale", "training.steps 6 -> 9, code, data, teacher")
    assert _found("camvid/teacher") == ("stale", "data")


def test_a_methods_own_setting_makes_its_cells_alone_stale(tree: Tree) -> None:
    params = tree.root / "params.yaml"
    recipe = json.loads(params.read_text())
    recipe["options"]["kd"] = {"weight": 2.5}
    params.write_text(json.dumps(recipe))
    assert _found("camvid/kd/seed0") == (
        "stale",
        "terms.0.fields.weight 1.0 -> 2.5",
    )
    assert _state("camvid/pcd/seed0").state == "done"


def test_without_data_or_teacher_the_obstacle_is_the_reason(tree: Tree) -> None:
    (tree.run(DATA, "teacher") / "weights.safetensors").unlink()
    state, reason = _found("camvid/kd/seed0")
    assert state == "stale"
    assert "teachers/camvid/weights.safetensors: cannot read" in reason
    (tree.root / "data" / DATA / "MANIFEST.json").unlink()
    shutil.rmtree(tree.folder)
    state, reason = _found("camvid/teacher")
    assert state == "missing"
    assert "prepare the data with `segdistill data camvid`" in reason


def test_a_damaged_record_is_stale_and_named(tree: Tree) -> None:
    (tree.run(DATA, "kd", 0) / "run.json").write_text("{")
    state, reason = _found("camvid/kd/seed0")
    assert state == "stale"
    assert reason.startswith("results/demo/runs/camvid/kd/seed0/run.json: ")


def test_an_unknown_method_is_an_error(tree: Tree) -> None:
    tree.change(tree.root / "params.yaml", methods=["student", "kdd"])
    with pytest.raises(SuiteError, match="no block 'kdd'; did you mean 'kd'"):
        list(cell_states(read_experiment()))


def _made(method: str, seed: int, state: State, reason: str, steps: int) -> CellState:
    return CellState(Cell(EXPERIMENT, "camvid", method, seed), state, reason, steps)


def test_matrix_has_a_mark_a_seed_and_a_legend() -> None:
    states = [
        _made("teacher", 0, "done", "", 8),
        _made("student", 0, "done", "", 6),
        _made("student", 1, "running", "", 6),
        _made("kd", 0, "stale", "code", 6),
        _made("kd", 1, "missing", "", 6),
        _made("kd", 2, "failed", "loss is nan", 6),
    ]
    assert list(status_lines(states)) == [
        "camvid  teacher  #",
        "camvid  student  # >",
        "camvid  kd       ! . x",
        "",
        "#    2 done: published and scored",
        ">    1 running: a process is training it now",
        "x    1 failed: its last training ended with an error; `dvc repro` tries again",
        "!    1 stale: results of other settings, code, data or teacher; will be made anew",
        ".    1 missing: nothing yet",
        "  failed: loss is nan",
        "  stale: code",
    ]


def test_command_shows_the_active_experiment_or_others(
    tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status.run(argparse.Namespace(experiments=[], probe=False)) == 0
    active = capsys.readouterr().out
    assert active.startswith("experiment demo, seeds 0 1\ncamvid  teacher  #\n")
    assert active.endswith("#    7 done: published and scored\n")
    (tree.root / "experiments" / EXPERIMENT).mkdir(parents=True)
    shutil.copy("params.yaml", tree.root / "experiments" / EXPERIMENT)
    tree.change(tree.root / "params.yaml", experiment="other", seeds=[5])
    assert status.run(argparse.Namespace(experiments=[EXPERIMENT, EXPERIMENT], probe=False)) == 0
    assert capsys.readouterr().out == 2 * active


def test_status_starts_without_torch() -> None:
    names = ("states", "status", "needs", "forecast")
    code = "".join(f"import segdistill.pipeline.{name}\n" for name in names) + "import sys\n"
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
