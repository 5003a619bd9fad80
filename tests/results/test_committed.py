"""Every number that is committed follows from committed per-image areas."""

import csv
import statistics
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from published_tree import faults

from segdistill.evaluation.areas import Areas
from segdistill.evaluation.iou import mean_iou

ROOT = Path(__file__).resolve().parents[2]


def committed() -> list[str]:
    """The folders of results/ of which git tracks a run."""
    command = ["git", "ls-files", "-z", "results"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    runs = (Path(name) for name in listed.split("\0") if name.endswith("/run.json"))
    return sorted({run.parts[1] for run in runs})


def mious(folder: Path, dataset: str, method: str) -> dict[str, float]:
    """mIoU by name of the seed's folder, "" for the teacher."""
    place = folder / "evals" / dataset / method
    return {
        str(path.parent.relative_to(place)).lstrip("."): float(
            mean_iou(Areas.load(path).pixels.total())
        )
        for path in sorted(place.rglob("areas.npz"))
    }


def test_there_are_committed_results() -> None:
    assert len(committed()) > 0


@pytest.mark.parametrize("name", committed())
def test_committed_results_are_as_recorded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    folder = Path("results", name)
    assert faults(folder) == []
    assert (folder / "summary.json").is_file()


@pytest.mark.parametrize("name", committed())
def test_headlines_follow_from_the_areas_alone(name: str) -> None:
    """mIoU and gain of every row, computed here without the report's code."""
    folder = ROOT / "results" / name
    paths = list((folder / "tables").glob("headline_*.csv"))
    assert paths
    tidy = pd.read_csv(folder / "tables" / "results.csv")
    for path in paths:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        values = {row["method"]: mious(folder, row["dataset"], row["method"]) for row in rows}
        for row in rows:
            check_row(row, values[row["method"]], values["student"])
            check_seeds(tidy, row["method"], values[row["method"]])


def check_seeds(tidy: pd.DataFrame, method: str, ours: dict[str, float]) -> None:
    found = tidy[(tidy["method"] == method) & (tidy["metric"] == "miou")]
    by_seed = {f"seed{row.seed}": row.value for row in found.itertuples()}
    expected = by_seed if method != "teacher" else {"": found["value"].item()}
    assert expected == pytest.approx(ours, abs=1e-9)


def check_row(row: dict[str, str], ours: dict[str, float], student: dict[str, float]) -> None:
    assert float(row["miou_mean"]) == pytest.approx(statistics.fmean(ours.values()), abs=1e-9)
    if row["gain_mean"]:
        gain = statistics.fmean(ours[seed] - student[seed] for seed in ours)
        assert float(row["gain_mean"]) == pytest.approx(gain, abs=1e-9)
    if row["miou_std"]:
        assert float(row["miou_std"]) == pytest.approx(statistics.stdev(ours.values()), abs=1e-9)
