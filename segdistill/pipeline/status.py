"""The matrix of a profile at a glance: a line a method and dataset, a mark a seed."""

from collections.abc import Iterator, Sequence

from segdistill.pipeline.states import MEANINGS, CellState, State

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
    for cell in states:
        rows.setdefault((cell.dataset, cell.method), []).append(cell.state)
    widths = [max(len(key[part]) for key in rows) for part in (0, 1)]
    for (dataset, method), found in rows.items():
        marks = " ".join(MARKS[state] for state in found)
        yield f"{dataset:{widths[0]}}  {method:{widths[1]}}  {marks}"
    yield ""
    for state, mark in MARKS.items():
        count = sum(cell.state == state for cell in states)
        if count:
            yield f"{mark} {count:4} {state}: {MEANINGS[state]}"
    for state in ("failed", "stale"):
        for reason in dict.fromkeys(cell.reason for cell in states if cell.state == state):
            yield f"  {state}: {reason}"
