"""report.html: one file with everything in it, to be read anywhere without a network."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from segdistill.report.matrix import Finished, Matrix
from segdistill.report.names import dataset_title, is_synthetic
from segdistill.report.pictures import Picture
from segdistill.report.plots.style import NARROWEST, Plot
from segdistill.report.tables.measures import runs_key
from segdistill.report.tables.numbers import percent
from segdistill.report.tables.table import Table

SHORT = 12  # leading digits of a hash that are printed


@dataclass(frozen=True)
class Section:
    """Everything about one dataset."""

    dataset: str
    tables: Sequence[Table]  # the headline first
    plots: Sequence[Plot]
    pictures: Sequence[Picture]
    problems: Sequence[str]  # what could not be shown and why


def render(
    matrix: Matrix,
    sections: Sequence[Section],
    tables: Sequence[Table | None],
    plots: Sequence[Plot | None],
) -> str:
    """The page as HTML; every string is escaped, every image embedded.

    `tables` and `plots` are those over all datasets.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"embed": _embed, "unbroken": _unbroken, "hint": _hint}
    environment.filters |= {"percent": percent, "short": _short}
    runs: dict[str, list[Finished]] = {}
    for result in matrix.finished():
        runs.setdefault(runs_key(result.run.dataset, result.run.method), []).append(result)
    return environment.get_template("page.html").render(
        style=(Path(__file__).parent / "page.css").read_text(encoding="utf-8"),
        experiment=matrix.experiment.name,
        narrowest=NARROWEST,
        sections=sections,
        titles={section.dataset: dataset_title(matrix, section.dataset) for section in sections},
        synthetic=[d for d in matrix.experiment.datasets if is_synthetic(matrix, d)],
        tables=filter(None, tables),
        plots=filter(None, plots),
        unfinished=matrix.unfinished(),
        total=len(matrix.cells),
        command=matrix.command,
        runs=runs,
        anchors={key: f"run-{index}" for index, key in enumerate(runs)},
    )


def _hint(result: Finished) -> str:
    """What hovering over an entry shows of a run behind it."""
    run = result.run
    return (
        f"seed {run.seed}: mIoU {percent(result.scores.miou or 0.0)} %, commit "
        f"{_short(run.git_commit)}, data {_short(run.manifest_sha256)}, "
        f"weights {_short(run.weights_sha256)}"
    )


def _short(digest: str | None) -> str:
    return (digest or "none")[:SHORT]


def _embed(image: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def _unbroken(text: str) -> str:
    """Where a narrow screen breaks an entry, it is between a gain and its interval."""
    for kept in (" ± ", ", ", " of "):
        text = text.replace(kept, kept.replace(" ", "\u00a0"))
    return text
