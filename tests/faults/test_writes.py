"""Damage and refused writes at every file: one line for the user, and in the end the same bits."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from outcome import Outcome, differences, outcome
from victim import start_victim

from segdistill.pipeline.cells import PlannedCell, plan
from segdistill.pipeline.evaluations import plan_evaluation
from segdistill.pipeline.worker import work
from segdistill.settings.cell import Cell
from segdistill.stop import Stopped, StopRequest

METHOD = "student"
WEIGHTS = "weights.safetensors"
RUNS, EVALS = Path("results/smoke/runs"), Path("results/smoke/evals")
Damage = Callable[[Path], None]


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def flip_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def remove(path: Path) -> None:
    path.unlink()


def cell() -> PlannedCell:
    return plan(Cell("smoke", "scenes_camvid", METHOD, 0))


def published() -> Outcome:
    found = outcome(Path("results"))
    return {name: content for name, content in found.items() if METHOD in Path(name).parts}


def attempt() -> tuple[int | None, str]:
    """Train, evaluate and publish in a process of its own: its exit status and what it printed."""
    output = Path("output.txt")
    output.unlink(missing_ok=True)
    process = start_victim(Path.cwd(), "smoke", "scenes_camvid", 0, [METHOD])
    process.join()
    return process.exitcode, output.read_text()


def refused(message: str) -> None:
    status, printed = attempt()
    errors = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in printed
    assert (status, len(errors)) == (2, 1), printed
    assert message in errors[0]


@pytest.fixture
def expected(project: Path) -> Outcome:
    """What the finished project holds, and must hold again; its publication is undone."""
    del project
    found = published()
    for folder in (RUNS, EVALS):
        shutil.rmtree(folder)
    return found


@pytest.fixture
def paused(expected: Outcome) -> Outcome:
    """The same with the training stopped after two steps, with a checkpoint after each."""
    shutil.rmtree(cell().scratch)
    stop = StopRequest()
    stop.requested = True
    for _ in range(2):
        with pytest.raises(Stopped):
            work("smoke", "scenes_camvid", 0, [METHOD], stop)
    assert len(checkpoints()) == 2
    return expected


def checkpoints() -> list[Path]:
    return sorted(cell().scratch.glob("checkpoint-*.pt"))


def ends_well(expected: Outcome) -> str:
    status, printed = attempt()
    assert status == 0, printed
    assert differences(published(), expected) == []
    leftovers = [path for part in (".scratch", "results") for path in Path(part).rglob(".*.tmp")]
    assert leftovers == []
    return printed


@pytest.mark.parametrize(
    ("count", "damage"), [(1, truncate), (1, flip_bit), (1, remove), (2, empty), (2, flip_bit)]
)
def test_damaged_checkpoints_are_passed_over(count: int, damage: Damage, paused: Outcome) -> None:
    for path in checkpoints()[-count:]:
        damage(path)
    printed = ends_well(paused)
    assert ("continuing from step 1" in printed) == (count == 1)
    assert printed.count("damaged, going back") == (0 if damage is remove else count)


def test_leftovers_of_a_kill_are_cleared(paused: Outcome) -> None:
    (cell().scratch / ".checkpoint-00000002.pt.1.tmp").write_bytes(b"half")
    cell().cell.run_dir.mkdir(parents=True)
    (cell().cell.run_dir / ".run.json.1.tmp").write_bytes(b"half")
    assert "continuing from step 2" in ends_well(paused)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("weights.safetensors", flip_bit),
        ("log.jsonl", truncate),
        ("summary.json", flip_bit),
        ("seal.json", flip_bit),
        ("seal.json", remove),
    ],
)
def test_damaged_results_are_made_anew(name: str, damage: Damage, expected: Outcome) -> None:
    damage(cell().scratch / name)
    ends_well(expected)


def test_damage_does_not_become_a_result_by_stopping(expected: Outcome) -> None:
    flip_bit(cell().scratch / "weights.safetensors")
    stop = StopRequest()
    stop.requested = True
    with pytest.raises(Stopped):
        work("smoke", "scenes_camvid", 0, [METHOD], stop)
    assert not cell().trained
    ends_well(expected)


@pytest.mark.parametrize(
    ("name", "damage"),
    [("areas.npz", flip_bit), ("scores.json", truncate), ("pictures/*.png", remove)],
)
def test_damaged_evaluations_are_made_anew(name: str, damage: Damage, expected: Outcome) -> None:
    planned = plan_evaluation(cell().cell, cell().scratch / WEIGHTS)
    assert planned.done
    damage(next(planned.scratch.glob(name)))
    assert not planned.done
    ends_well(expected)


@pytest.mark.parametrize("place", [".scratch", "cell", "results/smoke/runs", "results/smoke/evals"])
@pytest.mark.usefixtures("expected")
def test_a_file_in_place_of_a_folder(place: str) -> None:
    path = cell().scratch if place == "cell" else Path(place)
    shutil.rmtree(path, ignore_errors=True)
    path.write_text("in the way")
    refused(str(path))


@contextmanager
def immutable(path: Path) -> Iterator[None]:
    """A folder in which nobody may write, root included."""
    root = os.geteuid() == 0
    program, forbid, allow = ("chattr", "+i", "-i") if root else ("chmod", "a-w", "u+w")
    if subprocess.run([program, forbid, str(path)], capture_output=True).returncode:
        pytest.skip("chattr +i is not permitted here")
    try:
        yield
    finally:
        subprocess.run([program, allow, str(path)], check=True)


@pytest.mark.parametrize("place", ["scratch", "output", "evaluation"])
def test_a_folder_that_may_not_be_written(place: str, paused: Outcome) -> None:
    evaluation = EVALS / "scenes_camvid" / METHOD  # a folder is made anew in it
    folder = {"scratch": cell().scratch, "output": cell().cell.run_dir, "evaluation": evaluation}[
        place
    ]
    folder.mkdir(parents=True, exist_ok=True)
    with immutable(folder):
        refused(str(folder))
    ends_well(paused)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """`folder` on a file system of its own; what it held is moved there and back."""
    aside = folder.with_name("aside")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, aside)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        yield
        shutil.rmtree(aside)
        shutil.copytree(folder, aside)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    shutil.rmtree(folder)
    aside.rename(folder)


@pytest.mark.parametrize("room", [0, 200])
def test_a_full_disk_under_the_training(room: int, paused: Outcome) -> None:
    folder = cell().scratch
    if room == 0:
        shutil.rmtree(folder)
    held = sum(path.stat().st_size // 4096 + 1 for path in folder.glob("*")) if room else 0
    with small_disk(folder, 4 * held + max(room, 4)):
        refused("No space left on device")
        if room:
            assert checkpoints()  # the last good state survived
    ends_well(paused)


@pytest.mark.parametrize("place", [RUNS, EVALS])
def test_a_full_disk_under_the_results(place: Path, expected: Outcome) -> None:
    with small_disk(place, kilobytes=4):
        refused("No space left on device")
    ends_well(expected)


@pytest.mark.parametrize(
    ("name", "damage"),
    [(WEIGHTS, flip_bit), (WEIGHTS, remove), ("run.json", truncate), ("run.json", remove)],
)
@pytest.mark.usefixtures("expected")
def test_a_damaged_teacher_teaches_nobody(name: str, damage: Damage) -> None:
    path = Path("results/smoke/teachers/scenes_camvid") / name
    damage(path)
    refused(str(path))
