"""Everything compare writes for a profile: tables, plots, pictures, summary and page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segdistill.records import write_bytes, write_json
from segdistill.report.ablation import ablations
from segdistill.report.claims import read_claims
from segdistill.report.comparison import Comparison
from segdistill.report.files import Files, fill, picture_files, plot_files, table_files
from segdistill.report.gains import compare_methods
from segdistill.report.headline import headline_table
from segdistill.report.metrics import metric_files
from segdistill.report.page import Section, render
from segdistill.report.pictures import pictures
from segdistill.report.plots.ablation_plots import ablation_plot
from segdistill.report.plots.boundary_plots import boundary_plot
from segdistill.report.plots.class_plots import class_plot
from segdistill.report.plots.cost_plots import cost_plot
from segdistill.report.plots.curve_plots import curve_plots
from segdistill.report.plots.gain_plots import gain_plot
from segdistill.report.plots.style import Plot
from segdistill.report.summary import summarise
from segdistill.report.tables.ablation_table import ablation_table
from segdistill.report.tables.across_table import across_table
from segdistill.report.tables.claim_table import claim_table
from segdistill.report.tables.cost_table import cost_table
from segdistill.report.tables.focus_table import focus_table
from segdistill.report.tables.formats import plain, values_csv
from segdistill.report.tables.matrix import Matrix, collect
from segdistill.report.tables.metric_tables import boundary_table, class_table, object_table
from segdistill.report.tables.table import Table, Value
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
        """Exit status: 0 if every cell of the grid is finished, else 2."""
        return INCOMPLETE if self.matrix.unfinished() else 0

    def text(self) -> str:
        """The headline tables, and what is missing, for a terminal."""
        unfinished = self.matrix.unfinished()
        total = len(self.matrix.cells) + len(self.matrix.teachers)
        lines = [plain(table) for table in self.headlines]
        lines += [f"{cell.state}: {cell.dataset} {cell.label} {cell.reason}".rstrip()
                  for cell in unfinished]  # fmt: skip
        lines += [f"warning: {problem}" for problem in self.problems]
        lines.append(f"{total - len(unfinished)} of {total} cells finished")
        return "\n".join([*lines, f"written to {self.folder / 'report.html'}"])


def build_report(profile: str | None, results: Path) -> Report:
    """Write the report of `profile` (None: that of params.yaml) into results/PROFILE.

    Works on whatever cells there are. Raises SuiteError only for mistakes outside the cells:
    params.yaml, the profile, the claims, or a folder that cannot be written.
    """
    params = read_experiment(profile)
    folder = results / params.profile
    matrix = collect(params.profile, params, folder)
    claims = read_claims(CLAIMS)
    comparisons = [
        compare_methods(matrix, dataset, claims, params.statistics) for dataset in params.datasets
    ]
    sections = [_section(matrix, comparison) for comparison in comparisons]
    overall = [
        across_table(matrix, comparisons),
        gain_plot(matrix, comparisons),
        cost_plot(matrix, comparisons),
    ]
    across = [item for item in overall if item]
    problems = tuple(problem for section in sections for problem in section.problems)
    _write(folder, sections, across)
    fill(folder / "metrics", metric_files(comparisons))
    write_json(folder / "summary.json", summarise(matrix, comparisons, problems))
    write_bytes(folder / "report.html", render(matrix, sections, across).encode())
    return Report(matrix, folder, tuple(s.headline for s in sections), problems)


def dataset_tables(matrix: Matrix, comparison: Comparison) -> list[Table]:
    """All tables of one dataset, the headline first."""
    claims = claim_table(matrix, comparison)
    return [
        headline_table(matrix, comparison),
        focus_table(matrix, comparison),
        class_table(matrix, comparison),
        boundary_table(matrix, comparison),
        object_table(matrix, comparison),
        cost_table(matrix, comparison),
        *(ablation_table(matrix, comparison, one) for one in ablations(comparison)),
        *([claims] if claims else []),
    ]


def _write(folder: Path, sections: Sequence[Section], across: Sequence[Table | Plot]) -> None:
    tables = [table for section in sections for table in (section.headline, *section.tables)]
    tables += [item for item in across if isinstance(item, Table)]
    plots = [item for item in across if isinstance(item, Plot)]
    plots += [plot for section in sections for plot in section.plots]
    shown = [picture for section in sections for picture in section.pictures]
    fill(folder / "tables", _merged(table_files(table) for table in tables))
    fill(folder / "plots", _merged(plot_files(plot) for plot in plots) | _pooled(sections))
    # Without its images, a dataset's pictures cannot be drawn again: those of before stay.
    undrawn = tuple(f"{section.dataset}_" for section in sections if not section.pictures)
    fill(folder / "pictures", _merged(picture_files(picture) for picture in shown), undrawn)


def _merged(parts: Iterable[Files]) -> Files:
    return {name: content for part in parts for name, content in part.items()}


def _pooled(sections: Sequence[Section]) -> Files:
    """The numbers behind the datasets' plots of one kind as one file, for `dvc plots`."""
    values: dict[str, list[Mapping[str, Value]]] = {}
    for section in sections:
        for plot in section.plots:
            kind = plot.name.removesuffix(f"_{section.dataset}")
            values.setdefault(kind, []).extend(plot.values)
    return {f"{kind}.csv": values_csv(rows).encode() for kind, rows in values.items()}


def _section(matrix: Matrix, comparison: Comparison) -> Section:
    curves, unreadable = curve_plots(matrix, comparison.dataset)
    shown, problems = pictures(matrix, comparison.dataset)
    plots = [class_plot(matrix, comparison), boundary_plot(matrix, comparison)]
    plots += [ablation_plot(matrix, ablation) for ablation in ablations(comparison)]
    headline, *others = dataset_tables(matrix, comparison)
    return Section(
        dataset=comparison.dataset,
        headline=headline,
        tables=others,
        plots=[plot for plot in (*plots, *curves) if plot],
        pictures=shown,
        problems=[*comparison.warnings, *unreadable, *problems],
    )
