"""Killed trainings end with the bits of undisturbed ones.

More of them: `KILL_RUNS=60 KILL_SIGNAL=TERM KILL_SEED=1 pytest -s tests/faults/test_kills.py`.
"""

import os
import signal
from pathlib import Path

import pytest
from killing import KillTest, kill_test
from outcome import differences, outcome

METHODS = ("student", "skd", "cirkd", "pcd")
COLUMNS = ("method", "runs", "kills", "torn", "resumed", "lost", "corrupt")
RUNS = int(os.environ.get("KILL_RUNS", len(METHODS)))
SIGNAL = signal.Signals[f"SIG{os.environ.get('KILL_SIGNAL', 'KILL')}"]
SEED = int(os.environ.get("KILL_SEED", "1"))  # of the moments


def test_killed_trainings_lose_and_change_nothing(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    test, tallies = KillTest(tmp_path, SIGNAL, kills=2), []
    for tally in kill_test(test, drawn, METHODS, RUNS, SEED):
        print(*(f"{name} {getattr(tally, name)}" for name in COLUMNS), flush=True)
        tallies.append(tally)
    assert [tally.messages for tally in tallies] == [[] for _ in METHODS]
    assert sum(tally.runs for tally in tallies) == RUNS
    assert sum(tally.lost + tally.corrupt for tally in tallies) == 0
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
