"""The files of a report: every one whole, and none left over from an earlier report."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from segdistill.errors import SuiteError
from segdistill.records import write_bytes
from segdistill.report.plots.style import Plot
from segdistill.report.tables.formats import latex, markdown, values_csv
from segdistill.report.tables.table import Table, Value

Files = dict[str, bytes]  # by name


def table_files(tables: Iterable[Table]) -> Files:
    """NAME.md, NAME.tex and, in full precision, NAME.csv of every table."""
    files: Files = {}
    for table in tables:
        files[f"{table.name}.md"] = markdown(table).encode()
        files[f"{table.name}.tex"] = latex(table).encode()
        files[f"{table.name}.csv"] = values_csv(table.values)
    return files


def plot_files(plots: Iterable[Plot]) -> Files:
    """NAME.svg and NAME.png of every plot, and the numbers of all plots of a kind as KIND.csv."""
    files: Files = {}
    values: dict[str, list[Mapping[str, Value]]] = {}
    for plot in plots:
        files |= {f"{plot.name}.svg": plot.svg, f"{plot.name}.png": plot.png}
        values.setdefault(plot.kind, []).extend(plot.values)
    return files | {f"{kind}.csv": values_csv(rows) for kind, rows in values.items()}


def fill(folder: Path, files: Mapping[str, bytes], kept: tuple[str, ...] = ()) -> None:
    """Make `folder` hold `files`, each replaced whole, and what begins with one of `kept`.

    Raises SuiteError naming the path if the disk or the permissions refuse.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_bytes(folder / name, content)
        for path in folder.iterdir():
            if path.is_file() and path.name not in files and not path.name.startswith(kept):
                path.unlink()
    except OSError as error:
        raise SuiteError(f"{folder}: cannot write ({error.strerror})") from error
