"""What `dvc repro` still has to do for a profile, as text."""

from collections.abc import Iterator, Mapping, Sequence

from harness.cells import TEACHER
from harness.forecast import Cost, Forecast, Key, alone, cost_of
from harness.states import MEANINGS, TO_TRAIN, CellState

UNKNOWN = "?"
MEBIBYTE = 1 << 20


def plan_lines(
    cells: Sequence[CellState], costs: Mapping[Key, Cost], left: Forecast, free: int
) -> Iterator[str]:
    """A line for every cell that is not done, then the sums; `free` bytes are left on the disk."""
    open_cells = [cell for cell in cells if cell.state != "done"]
    width = max((len(cell.name) for cell in open_cells), default=0)
    for cell in open_cells:
        estimate = _estimate(cell, costs) if cell.state in TO_TRAIN else "-"
        reason = f"  {cell.reason}" if cell.reason else ""
        yield f"{cell.state:8} {cell.name:{width}} {cell.steps:6} steps {estimate:>9}{reason}"
    for state, meaning in MEANINGS.items():
        if count := sum(cell.state == state for cell in cells):
            yield f"{count} {state}: {meaning}"
    waiting = sum(cell.state in TO_TRAIN for cell in cells)
    if not waiting:
        yield "nothing to train"
        return
    if left.seconds is None:
        yield f"{waiting} to train: time and disk unknown; measure them with --probe"
    else:
        yield (
            f"{waiting} to train: about {duration(left.seconds)} (scoring not counted), "
            f"{(left.bytes or 0) / MEBIBYTE:.0f} MiB of disk; {free / MEBIBYTE:.0f} MiB are free"
        )
    yield from _teacher_notes(cells)


def duration(seconds: float) -> str:
    """A time for people: seconds up to two minutes, minutes up to two hours, then hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _estimate(cell: CellState, costs: Mapping[Key, Cost]) -> str:
    cost = cost_of(cell, costs)
    return duration(alone(cell, cost)) if cost else UNKNOWN


def _teacher_notes(cells: Sequence[CellState]) -> Iterator[str]:
    """Students that are done now may not stay so."""
    for cell in cells:
        kept = sum(c.dataset == cell.dataset and c.state in ("done", "trained") for c in cells)
        if cell.method == TEACHER and cell.state in TO_TRAIN and kept:
            yield (
                f"{cell.name} is to be trained: if its weights change, the {kept} students of "
                f"{cell.dataset} that are ready are trained anew"
            )
