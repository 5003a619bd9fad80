"""Every table of a report compiled by a TeX engine; skipped where there is none."""

import shutil
import subprocess
from pathlib import Path

import pytest
from results_tree import make_tree

from segdistill.report.compare import report_tables
from segdistill.report.comparison import compare_methods
from segdistill.report.files import table_files
from segdistill.report.matrix import collect
from segdistill.report.tables.table import Entry, Table

ENGINE = next(filter(None, map(shutil.which, ("pdflatex", "tectonic"))), None)
PREAMBLE = r"""\documentclass{article}
\usepackage[a4paper,margin=1.5cm]{geometry}
\usepackage{booktabs,graphicx,textcomp}
\usepackage[T1]{fontenc}
\begin{document}
"""
NASTY = r"""\ { } $ & # % _ ~ ^ < > ± − × ≤ ≥ → – · " | [x] é ß ø \def\x{"""

pytestmark = pytest.mark.skipif(ENGINE is None, reason="no TeX engine is installed")


def compile_tables(folder: Path, names: list[str]) -> str:
    """The engine's log of one document with all tables; fails where it does."""
    inputs = "\n\\clearpage\n".join(rf"\input{{{name}}}" for name in names)
    (folder / "all.tex").write_text(f"{PREAMBLE}{inputs}\n\\end{{document}}\n")
    options = ["-interaction=nonstopmode", "-halt-on-error"] if "pdflatex" in str(ENGINE) else []
    done = subprocess.run(
        [str(ENGINE), *options, "all.tex"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "all.pdf").stat().st_size > 1000
    return done.stdout


def test_every_table_of_a_report_compiles(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, methods=("student", "kd", "pcd"), seeds=(0, 1))
    paper = "Müller & Søn, 100 % of $x_i$ # {~^} <https://example.org/a_b>"
    tree.change(tree.run("camvid", "kd", 0) / "run.json", paper=paper)
    (tree.run("camvid", "pcd", 1) / "run.json").unlink()
    matrix = collect(tree.experiment(), tree.folder)
    comparisons = [compare_methods(matrix, dataset, []) for dataset in tree.datasets]
    names = []
    for name, content in report_tables(matrix, comparisons).items():
        if name.endswith(".tex"):
            (tmp_path / name).write_bytes(content)
            names.append(name)
    assert len(names) == 2 * 6 + 1
    compile_tables(tmp_path, names)


def test_whatever_a_record_holds_compiles(tmp_path: Path) -> None:
    row = (Entry(NASTY), Entry(NASTY, "best"), Entry("", "second"))
    table = Table("nasty", NASTY, (NASTY, "[1]", "*"), (row, row[::-1]), (), (NASTY,), (NASTY,))
    (tmp_path / "nasty.tex").write_bytes(table_files([table])["nasty.tex"])
    compile_tables(tmp_path, ["nasty.tex"])
