"""The files of a report: every one whole, and none left over from an earlier report."""

from collections.abc import Mapping
from pathlib import Path

from segdistill.errors import SuiteError
from segdistill.records import write_bytes
from segdistill.report.plots.style import Picture, Plot
from segdistill.report.tables.formats import latex, markdown, values_csv
from segdistill.report.tables.table import Table

Files = dict[str, bytes]  # by name


def table_files(table: Table) -> Files:
    """NAME.md, NAME.tex and, in full precision, NAME.csv."""
    return {
        f"{table.name}.md": markdown(table).encode(),
        f"{table.name}.tex": latex(table).encode(),
        f"{table.name}.csv": values_csv(table.values),
    }


def image_files(image: Plot | Picture) -> Files:
    """NAME.svg and NAME.png."""
    return {f"{image.name}.svg": image.svg, f"{image.name}.png": image.png}


def plot_files(plot: Plot) -> Files:
    """NAME.svg, NAME.png and the numbers as NAME.csv."""
    return {**image_files(plot), f"{plot.name}.csv": values_csv(plot.values)}


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
