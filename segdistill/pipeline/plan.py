"""What `dvc repro` still has to do for a profile, as text."""

from collections.abc import Iterator, Mapping, Sequence

from segdistill.pipeline.cells import TEACHER
from segdistill.pipeline.forecast import Cost, Forecast, Key, alone, cost_of
from segdistill.pipeline.states import MEANINGS, TO_TRAIN, CellState

UNKNOWN = "?"
MEBIBYTE = 1 << 20


def plan_lines(
    cells: Sequence[CellState], costs: Mapping[Key, Cost], left: Forecast, free: int
) -> Iterator[str]:
    """A line for all seeds of a method that are not done alike, then the sums.

    Steps and time are those of one seed; `free` bytes are left on the disk.
    """
    groups: dict[tuple[str, ...], list[CellState]] = {}
    for cell in cells:
        if cell.state != "done":
            key = (cell.dataset, cell.method, cell.state, cell.reason)
            groups.setdefault(key, []).append(cell)
    width = max((len(_name(group)) for group in groups.values()), default=0)
    for group in groups.values():
        cell = group[0]
        estimate = _estimate(cell, costs) if cell.state in TO_TRAIN else "-"
        times = f"{len(group)} x " if len(group) > 1 else ""
        effort = f"{times}{cell.steps:6} steps {estimate:>9}"
        reason = f"  {cell.reason}" if cell.reason else ""
        yield f"{cell.state:8} {_name(group):{width}} {effort:>26}{reason}"
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
    """A time for people: seconds to two minutes, minutes to two hours, hours to two days, days."""
    for unit, length, limit in (("s", 1, 120), ("min", 60, 7200)):
        if seconds < limit:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"


def _name(group: Sequence[CellState]) -> str:
    """One cell's name, or a method's with the seeds."""
    if len(group) == 1:
        return group[0].name
    seeds = ",".join(str(cell.seed) for cell in group)
    return f"{group[0].dataset}/{group[0].method}/seeds {seeds}"


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
