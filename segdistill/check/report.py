"""All that a check finds, line by line."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from segdistill.check.cell import cell_faults
from segdistill.check.freshness import obstacle, staleness
from segdistill.check.pairing import pairing_faults
from segdistill.check.published import Published, Target, read
from segdistill.check.tables import table_faults
from segdistill.errors import SuiteError
from segdistill.records import file_hash
from segdistill.statistics import MIN_SEEDS


class Finding(NamedTuple):
    """One line of what was found."""

    text: str  # begins with the file or folder
    is_fault: bool = True  # else a note: worth knowing, and no difference


def check(target: Target, evaluate: bool = False, retrain: bool = False) -> Iterator[Finding]:
    """Hold the cells of `target` against the rules of docs/reproducing.md.

    Files are only read, none is executed or unpickled. With `evaluate` the weights that are there
    are scored again, with `retrain` every cell is trained again. Raises SuiteError if that cannot
    be done.
    """
    cells: list[Published] = []
    faults: list[str] = []
    for folder in target.folders:
        try:
            cells.append(read(folder))
        except SuiteError as error:
            faults.append(str(error))
    for cell in cells:
        faults += cell_faults(cell)
    if target.whole:
        for _, group in groupby(cells, key=lambda cell: cell.run.dataset):
            faults += pairing_faults(list(group))
        if not faults:  # tables are made from the cells, whose faults would show twice
            faults += _tables(target.root)
    for cell in cells:
        faults += staleness(cell) if obstacle(cell) is None else []
    yield from map(Finding, faults)
    yield from _repeated(cells, evaluate, retrain)
    yield from (Finding(f"{target.root}: {note}", is_fault=False) for note in _notes(cells, target))


def _tables(root: Path) -> list[str]:
    try:
        return [f"{root}/{fault}" for fault in table_faults(root)]
    except SuiteError as error:
        return [f"{root}: tables cannot be recomputed: {error}"]


def _repeated(cells: Sequence[Published], evaluate: bool, retrain: bool) -> Iterator[Finding]:
    if not evaluate and not retrain:
        return
    from segdistill.check.repeat import evaluate_again, train_again  # they need torch

    there = [cell for cell in cells if cell.weights.is_file()]
    if evaluate and not there:
        raise SuiteError("no weights here to evaluate; `dvc checkout` may bring them, or --retrain")
    for cell in there if evaluate else ():
        if file_hash(cell.weights) == cell.run.weights_sha256:  # else a fault already
            yield from map(Finding, evaluate_again(cell))
    for cell in cells if retrain else ():
        yield from map(Finding, train_again(cell))


def _notes(cells: Sequence[Published], target: Target) -> Iterator[str]:
    """What is no difference, and a reader should know."""
    reasons = Counter(why for cell in cells if (why := obstacle(cell)))
    for why, count in reasons.items():
        yield f"{count} of {len(cells)} cells not compared with this checkout: {why}"
    if absent := sum(not cell.weights.is_file() for cell in cells):
        yield f"{absent} of {len(cells)} cells without weights here"
    seeds = {cell.run.seed for cell in cells if not cell.is_teacher}
    if target.whole and len(seeds) < MIN_SEEDS:
        yield f"{len(seeds)} seeds; a claim needs {MIN_SEEDS}"
