"""The plots' data: logs, zoomed windows, error maps, looks, and files that repeat bit for bit."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from segdistill.errors import SuiteError
from segdistill.report.files import fill
from segdistill.report.logs import read_series, stack
from segdistill.report.pictures import RIGHT, WRONG, crowded_window, error_map
from segdistill.report.plots.style import finish, looks, panels, styled


def test_a_log_is_read_by_key(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"step": 0, "loss": 2}\n{"step": 5, "other_loss": 0.1}\n{"step": 9, "loss": null}\n'
    )
    values = read_series(path, "loss")
    assert values.index.tolist() == [0, 9]
    assert values[0] == 2.0
    assert np.isnan(values[9])
    assert read_series(path, "other").empty


@pytest.mark.parametrize("line", ["{", '{"step": "x", "loss": 1}', '{"loss": 1}', "3", "\xff"])
def test_a_broken_log_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"step": 0, "loss": 2}\n' + line.encode("latin-1"))
    with pytest.raises(SuiteError, match=r"log\.jsonl"):
        read_series(path, "loss")


def test_series_are_stacked_over_their_common_steps() -> None:
    first = pd.Series({0: 1.0, 2: 2.0, 4: 3.0})
    second = pd.Series({6: 7.0, 4: 6.0, 2: 5.0})
    both = stack([first, second])
    assert both.index.tolist() == [2, 4]
    assert both.to_numpy().tolist() == [[2.0, 5.0], [3.0, 6.0]]


def test_the_window_holds_the_most_small_objects() -> None:
    label = np.zeros((80, 120), np.uint8)
    label[10:12, 10:12] = 1  # alone
    for column in (90, 96, 102):
        label[60:62, column : column + 2] = 2
    rows, columns = crowded_window(label)
    assert (rows.stop - rows.start, columns.stop - columns.start) == (20, 30)
    assert (label[rows, columns] == 2).sum() == 12


def test_the_window_stays_inside_and_needs_no_object() -> None:
    label = np.zeros((40, 40), np.uint8)
    assert crowded_window(label) == (slice(15, 25), slice(15, 25))
    label[0, 0] = 1
    assert crowded_window(label) == (slice(0, 10), slice(0, 10))


def test_ignored_pixels_are_no_errors() -> None:
    label = np.array([[0, 1, 255]], np.uint8)
    colours = error_map(np.array([[0, 0, 0]], np.uint8), label)
    assert colours.tolist() == [[list(RIGHT), list(WRONG), [255, 255, 255]]]


def test_every_method_looks_different() -> None:
    methods = ["student", *(f"method{i}" for i in range(16))]
    found = looks(methods)
    assert len(set(found.values())) == len(methods) + 1  # and the teacher
    assert all(to_rgb(look.colour) for look in found.values())


def test_equal_figures_give_equal_bytes() -> None:
    def draw() -> tuple[bytes, bytes]:
        with styled():
            figure, (axis,) = panels(1, 3, 2)
            axis.fill_between([0, 1], [0, 1], [1, 2])
            axis.set_title("a $ title_with signs")
            plot = finish(figure, "name", "title", [])
        return plot.svg, plot.png

    first, second = draw(), draw()
    assert first == second
    assert b"<dc:date>" not in first[0]
    assert b"Software" not in first[1]


def test_files_of_an_earlier_report_go(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    fill(folder, {"old.md": b"1", "kept.md": b"1"})
    fill(folder, {"kept.md": b"2"})
    assert [(p.name, p.read_bytes()) for p in folder.iterdir()] == [("kept.md", b"2")]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "tables").write_text("a file")
    with pytest.raises(SuiteError, match="tables"):
        fill(tmp_path / "tables", {})
