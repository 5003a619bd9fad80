"""How the report prints numbers and writes tables."""

import csv
import io
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segdistill.report.tables.formats import latex, latex_text, markdown, plain, values_csv
from segdistill.report.tables.numbers import (
    Spread,
    count,
    gain_text,
    percent,
    points,
    probability,
    spread,
)
from segdistill.report.tables.table import Column, Entry, Table, make_table
from segdistill.statistics import Gain, Interval
from segdistill.statistics.crossed import Spread as Over

TABLE = Table(
    name="headline_a_b",
    title="a_b (50 % synthetic)",
    header=("method", "mIoU, %"),
    rows=(
        (Entry("kd_1 & <b>"), Entry("72.31 ± 0.10", "best")),
        (Entry("pcd|x"), Entry("70.00", "second")),
        (Entry("cwd"), Entry("missing", "missing")),
    ),
    values=({"method": "kd_1", "mean": 0.1 + 0.2}, {"method": "cwd", "mean": None, "n": 3}),
    notes=("Müller → 100 % of [x]~^\\{}$#é",),
)


def test_fractions_are_printed_as_percent() -> None:
    assert percent(0.72314) == "72.31"
    assert spread(Spread(0.72314, 0.00104, 5, 5)) == "72.31 ± 0.10"
    assert spread(Spread(0.72314, None, 1, 1)) == "72.31"
    assert spread(Spread(0.72314, 0.00104, 3, 5)) == "72.31 ± 0.10 (n = 3)"


def test_gains_are_always_signed_and_zero_has_no_sign() -> None:
    assert points(0.0123) == "+1.23"
    assert points(-0.0123) == "−1.23"
    assert points(-0.00001) == "0.00"


@pytest.mark.parametrize(
    ("over", "text"),
    [
        ("seeds and images", "+0.98 [−0.10, +2.06]"),
        ("images", "+0.98 [−0.10, +2.06] (images only)"),
        (None, "+0.98 [no interval]"),
    ],
)
def test_a_gain_says_what_its_interval_is_over(over: Over | None, text: str) -> None:
    interval = Interval(-0.001, 0.0206, 0.95, 0.01, 4.0, over) if over else None
    assert gain_text(Gain((0,), (0.0098,), 0.0098, interval, 0.5, None)) == text


def test_small_p_values_are_not_printed_as_zero() -> None:
    assert probability(0.03125) == "0.031"
    assert probability(0.00009) == "< 0.001"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (1234, "1.23 k"), (999_999, "1 M"), (3.14e9, "3.14 G")],
)
def test_counts_have_three_digits_and_a_prefix(value: float, text: str) -> None:
    assert count(value) == text


def test_markdown_escapes_what_would_break_the_table() -> None:
    text = markdown(TABLE)
    assert r"kd\_1 &amp; &lt;b>" in text
    assert r"pcd\|x" in text
    assert "**72.31 ± 0.10**" in text
    assert "<ins>70.00</ins>" in text
    assert {line.count(" | ") for line in text.splitlines() if line.startswith("|")} == {1}


def test_plain_text_is_aligned() -> None:
    lines = plain(TABLE).splitlines()[1:]
    assert len({len(line) for line in lines}) == 1
    assert lines[1].endswith("** 72.31 ± 0.10")


def test_csv_keeps_every_digit() -> None:
    rows = list(csv.reader(io.StringIO(values_csv(TABLE.values).decode())))
    assert rows[0] == ["method", "mean", "n"]
    assert float(rows[1][1]) == 0.1 + 0.2
    assert rows[2] == ["cwd", "", "3"]


def test_latex_escapes_every_special_sign() -> None:
    text = latex(TABLE)
    assert r"kd\_1 \& \textless{}b\textgreater{}" in text
    assert r"\textbf{72.31 $\pm$ 0.10}" in text
    assert r"\underline{70.00}" in text
    note = r"Müller $\to$ 100 \% of {[}x{]}\textasciitilde{}\textasciicircum{}"
    assert note + r"\textbackslash{}\{\}\$\#é" in text


@given(st.text())
def test_latex_text_leaves_no_active_sign(text: str) -> None:
    escaped = latex_text(text)
    for sign in "%&#_":
        assert all(part.endswith("\\") for part in escaped.split(sign)[:-1])
    assert "~" not in escaped
    assert "^" not in escaped
    assert "\n" not in escaped


def test_latex_compiles(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex on this machine")
    signs = " ".join(chr(code) for code in range(0x20, 0x250))
    wide = replace(TABLE, header=tuple("abcdefg"), rows=((Entry("x_%"),) * 7,), notes=(signs,))
    packages = r"\usepackage{booktabs,graphicx,textcomp}\usepackage[T1]{fontenc}"
    body = rf"\begin{{document}}{latex(TABLE)}{latex(wide)}\end{{document}}"
    source = rf"\documentclass{{article}}{packages}{body}"
    (tmp_path / "table.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)


def test_a_column_is_defined_once_for_all_formats() -> None:
    found = {"kd": Spread(0.5, 0.25, 2, 2), "cwd": None, "pcd": Spread(0.75, None, 1, 2)}
    columns: list[Column[str]] = [
        Column("method", "method", str, str.upper),
        Column("miou", "mIoU, %", found.get, spread, runs=lambda method: f"runs of {method}"),
        Column("doubled", "", lambda method: one.mean * 2 if (one := found[method]) else None),
    ]
    table = make_table(
        "t", "title", list(found), columns, ["a note"], [],
        lambda method: "" if found[method] else "failed",
    )  # fmt: skip
    assert table.header == ("method", "mIoU, %")
    assert table.rows == (
        (Entry("KD"), Entry("50.00 ± 25.00", runs="runs of kd")),
        (Entry("CWD"), Entry("failed", "failed")),
        (Entry("PCD"), Entry("75.00 (n = 1)", runs="runs of pcd")),
    )
    assert values_csv(table.values).decode().splitlines() == [
        "method,miou_mean,miou_std,miou_n,doubled",
        "kd,0.5,0.25,2,1.0",
        "cwd,,,,",
        "pcd,0.75,,1,1.5",
    ]
    assert "| CWD | *failed* |" in markdown(table)
    assert r"CWD & failed \\" in latex(table)
