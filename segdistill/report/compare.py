"""Everything compare writes for an experiment: tables, plots, pictures, summary and page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from segdistill.records import write_bytes, write_json
from segdistill.report.claims import read_claims
from segdistill.report.collect import csv_of
from segdistill.report.comparison import Comparison, compare_methods
from segdistill.report.files import Files, fill, plot_files, table_files
from segdistill.report.matrix import Matrix, collect
from segdistill.report.page import Section, render
from segdistill.report.pictures import pictures
from segdistill.report.plots.curves import curve_plots
from segdistill.report.plots.gains import gain_plot, variant_plot
from segdistill.report.plots.measures import boundary_plot, class_plot, cost_plot
from segdistill.report.summary import metric_files, summarise
from segdistill.report.tables import headline, measures
from segdistill.report.tables.formats import plain
from segdistill.report.tables.table import Table
from segdistill.report.variants import variants_of
from segdistill.settings.loading import read_experiment

CLAIMS = Path("experiments/claims.csv")
INCOMPLETE = 2  # exit status


@dataclass(frozen=True)
class Report:
    """What was found and written."""

    matrix: Matrix
    folder: Path
    headlines: tuple[Table, ...]
    problems: tuple[str, ...]  # what could not be shown and why

    @property
    def status(self) -> int:
        """Exit status: 0 if every cell of the experiment is finished, else 2."""
        return INCOMPLETE if self.matrix.unfinished() else 0

    def text(self) -> str:
        """The headline tables, and what is missing, for a terminal."""
        unfinished = self.matrix.unfinished()
        total = len(self.matrix.cells)
        lines = [plain(table) for table in self.headlines]
        lines += [f"{one.state}: {one.cell.name} {one.reason}".rstrip() for one in unfinished]
        lines += [f"warning: {problem}" for problem in self.problems]
        lines.append(f"{total - len(unfinished)} of {total} cells finished")
        return "\n".join([*lines, f"written to {self.folder / 'report.html'}"])


def build_report(experiment: str | None, results: Path) -> Report:
    """Write the report of `experiment` (None: that of params.yaml) into results/EXPERIMENT.

    Works on whatever cells there are. Raises SuiteError only for mistakes outside the cells:
    params.yaml, the experiment, the claims, or a folder that cannot be written.
    """
    settings = read_experiment(experiment)
    folder = results / settings.name
    matrix = collect(settings, folder)
    claims = read_claims(CLAIMS)
    comparisons = [compare_methods(matrix, dataset, claims) for dataset in settings.datasets]
    sections = [_section(comparison) for comparison in comparisons]
    across = [headline.across_table(matrix, comparisons)]
    plots = [gain_plot(matrix, comparisons), cost_plot(matrix, comparisons)]
    problems = tuple(problem for section in sections for problem in section.problems)
    fill(folder / "tables", report_tables(matrix, comparisons))
    everything = [*plots, *(plot for section in sections for plot in section.plots)]
    fill(folder / "plots", plot_files(plot for plot in everything if plot))
    shown = {f"{p.name}.png": p.png for section in sections for p in section.pictures}
    # Without its images, a dataset's pictures cannot be drawn again: those of before stay.
    undrawn = tuple(f"{section.dataset}_" for section in sections if not section.pictures)
    fill(folder / "pictures", shown, undrawn)
    fill(folder / "metrics", metric_files(comparisons))
    write_json(folder / "summary.json", summarise(matrix, problems))
    write_bytes(folder / "report.html", render(matrix, sections, across, plots).encode())
    return Report(matrix, folder, tuple(section.tables[0] for section in sections), problems)


def report_tables(matrix: Matrix, comparisons: Sequence[Comparison]) -> Files:
    """The files of tables/: every number as results.csv, and the printed tables made of them."""
    across = headline.across_table(matrix, comparisons)
    tables = [table for one in comparisons for table in _dataset_tables(one)]
    tables += [across] if across else []
    return {"results.csv": csv_of(matrix.frame), **table_files(tables)}


def _dataset_tables(comparison: Comparison) -> list[Table]:
    """All tables of one dataset, the headline first."""
    claims = headline.claim_table(comparison)
    return [
        headline.headline_table(comparison),
        *measures.score_tables(comparison),
        measures.class_table(comparison),
        measures.cost_table(comparison),
        *(headline.variant_table(comparison, *one) for one in variants_of(comparison).items()),
        *([claims] if claims else []),
    ]


def _section(comparison: Comparison) -> Section:
    matrix, dataset = comparison.matrix, comparison.dataset
    curves, unreadable = curve_plots(matrix, dataset)
    shown, problems = pictures(matrix, dataset)
    plots = [class_plot(comparison), boundary_plot(comparison)]
    plots += [variant_plot(comparison, *one) for one in variants_of(comparison).items()]
    return Section(
        dataset=dataset,
        tables=_dataset_tables(comparison),
        plots=[plot for plot in (*plots, *curves) if plot],
        pictures=shown,
        problems=[*comparison.warnings, *unreadable, *problems],
    )
