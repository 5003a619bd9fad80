"""report.html: one file with everything in it, to be read anywhere without a network."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from segdistill.report.headline import origin
from segdistill.report.names import dataset_title, is_synthetic
from segdistill.report.plots.style import NARROWEST, Picture, Plot
from segdistill.report.tables.matrix import TEACHER, Cell, Matrix
from segdistill.report.tables.numbers import percent
from segdistill.report.tables.table import Table

SHORT = 12  # leading digits of a hash that are printed


@dataclass(frozen=True)
class Section:
    """Everything about one dataset."""

    dataset: str
    headline: Table
    tables: Sequence[Table]
    plots: Sequence[Plot]
    pictures: Sequence[Picture]
    problems: Sequence[str]  # what could not be shown and why


@dataclass(frozen=True)
class RunLine:
    """Where one number comes from."""

    dataset: str
    method: str
    seed: int
    miou: str
    split: str
    steps: int
    determinism: str
    commit: str
    data: str
    teacher: str
    weights: str
    fingerprint: str

    @property
    def short(self) -> str:
        """One line for the hint that hovering shows."""
        return (
            f"seed {self.seed}: mIoU {self.miou} %, commit {self.commit}, data {self.data}, "
            f"weights {self.weights}"
        )


def render(matrix: Matrix, sections: Sequence[Section], across: Sequence[Table | Plot]) -> str:
    """The page as HTML; every string is escaped, every image embedded."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["embed"] = _embed
    environment.filters["unbroken"] = _unbroken
    runs = _run_lines(matrix)
    return environment.get_template("page.html").render(
        style=(Path(__file__).parent / "page.css").read_text(encoding="utf-8"),
        profile=matrix.profile,
        narrowest=NARROWEST,
        sections=sections,
        titles={section.dataset: dataset_title(matrix, section.dataset) for section in sections},
        synthetic=[d for d in matrix.grid.datasets if is_synthetic(matrix, d)],
        tables=[item for item in across if isinstance(item, Table)],
        plots=[item for item in across if isinstance(item, Plot)],
        unfinished=matrix.unfinished(),
        total=len(matrix.cells) + len(matrix.teachers),
        runs=runs,
        anchors={key: f"run-{index}" for index, key in enumerate(runs)},
    )


def _run_lines(matrix: Matrix) -> dict[str, list[RunLine]]:
    """The runs behind every origin of an entry."""
    lines: dict[str, list[RunLine]] = {}
    for cell in (*matrix.teachers, *matrix.cells):
        if cell.result:
            lines.setdefault(origin(cell.dataset, cell.method), []).append(_run_line(cell))
    return lines


def _run_line(cell: Cell) -> RunLine:
    assert cell.result is not None
    run, scores = cell.result.run, cell.result.scores
    return RunLine(
        dataset=cell.dataset,
        method=cell.method,
        seed=run.seed,
        miou=percent(scores.miou),
        split=scores.split,
        steps=run.steps,
        determinism=run.determinism,
        commit=(run.git_commit or "none")[:SHORT],
        data=run.manifest_sha256[:SHORT],
        teacher=(run.teacher_sha256 or ("itself" if cell.method == TEACHER else "none"))[:SHORT],
        weights=run.weights_sha256[:SHORT],
        fingerprint=run.fingerprint[:SHORT],
    )


def _embed(image: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def _unbroken(text: str) -> str:
    """Where a narrow screen breaks an entry, it is between a gain and its interval."""
    for kept in (" ± ", ", ", " of "):
        text = text.replace(kept, kept.replace(" ", "\u00a0"))
    return text
