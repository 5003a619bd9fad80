"""Killed trainings end with the bits of undisturbed ones."""

import signal
from pathlib import Path

import pytest

from segdistill.check.killing import KillTest, kill_test
from segdistill.check.outcome import differences, outcome

METHODS = ("student", "skd", "cirkd", "pcd")


def test_killed_trainings_lose_and_change_nothing(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    test = KillTest(tmp_path, "smoke", "scenes_camvid", signal.SIGKILL, kills=2)
    tallies = [*kill_test(test, drawn, METHODS, runs=len(METHODS), seed=1)]
    assert [tally.messages for tally in tallies] == [[] for _ in METHODS]
    assert all((tally.runs, tally.lost, tally.corrupt) == (1, 0, 0) for tally in tallies)
    assert sum(tally.kills for tally in tallies) > 0


def test_outcome_notices_every_kind_of_difference(tmp_path: Path) -> None:
    for name in ("one", "other"):
        run = tmp_path / name / "seed0"
        run.mkdir(parents=True)
        (run / "log.jsonl").write_text("{}")
        (run / "run.json").write_text(f'{{"seconds": {len(name)}, "steps": 1}}')
    one, other = tmp_path / "one", tmp_path / "other"
    assert differences(outcome(one), outcome(other)) == []  # times alone are no difference
    (other / "seed0/.log.jsonl.1.tmp").write_text("")
    (other / "seed0/log.jsonl").write_text("{} ")
    (other / "seed0/run.json").write_text('{"seconds": 1, "steps": 2}')
    (one / "seed0/weights.safetensors").write_text("")
    assert differences(outcome(one), outcome(other)) == [
        "seed0/.log.jsonl.1.tmp",
        "seed0/log.jsonl",
        "seed0/run.json",
        "seed0/weights.safetensors",
    ]
