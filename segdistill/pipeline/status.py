"""An experiment at a glance: a line a method and dataset, a mark a seed, and what is left to do."""

from collections.abc import Iterator, Sequence

from segdistill.pipeline.forecast import Forecast
from segdistill.pipeline.states import MEANINGS, TO_TRAIN, CellState, State

MEBIBYTE = 1 << 20
MARKS: dict[State, str] = {
    "done": "#",
    "trained": "+",
    "running": ">",
    "failed": "x",
    "started": "/",
    "stale": "!",
    "missing": ".",
}


def status_lines(states: Sequence[CellState]) -> Iterator[str]:
    """The matrix, then what its marks mean and how many cells have them."""
    rows: dict[tuple[str, str], list[State]] = {}
    for found in states:
        rows.setdefault((found.cell.dataset, found.cell.method), []).append(found.state)
    widths = [max(len(key[part]) for key in rows) for part in (0, 1)]
    for (dataset, method), seeds in rows.items():
        marks = " ".join(MARKS[state] for state in seeds)
        yield f"{dataset:{widths[0]}}  {method:{widths[1]}}  {marks}"
    yield ""
    for state, mark in MARKS.items():
        count = sum(found.state == state for found in states)
        if count:
            yield f"{mark} {count:4} {state}: {MEANINGS[state]}"
    for state in ("failed", "stale"):
        for reason in dict.fromkeys(found.reason for found in states if found.state == state):
            yield f"  {state}: {reason}"


def work_lines(states: Sequence[CellState], left: Forecast | None, free: int) -> Iterator[str]:
    """How long the cells that are to be trained will take; `free` bytes are left on the disk."""
    waiting = sum(found.state in TO_TRAIN for found in states)
    if not waiting:
        return
    if left is None:
        yield f"{waiting} to train: time and disk unknown; measure them with --probe"
    else:
        yield (
            f"{waiting} to train: about {duration(left.seconds)} (scoring not counted), "
            f"{left.bytes / MEBIBYTE:.0f} MiB of disk; {free / MEBIBYTE:.0f} MiB are free"
        )
    for cell in (found.cell for found in states if found.state in TO_TRAIN):
        ready = [s for s in states if s.state in ("done", "trained")]
        kept = sum(s.cell.dataset == cell.dataset for s in ready)
        if cell.is_teacher and kept:
            yield (
                f"{cell.name} is to be trained: if its weights change, the {kept} students of "
                f"{cell.dataset} that are ready are trained anew"
            )


def duration(seconds: float) -> str:
    """A time for people: seconds to two minutes, minutes to two hours, hours to two days, days."""
    for unit, length, limit in (("s", 1, 120), ("min", 60, 7200)):
        if seconds < limit:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"
