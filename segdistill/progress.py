"""Progress of long work with an estimate of what is left: a bar on a terminal, else lines."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

LINE_SECONDS = 10.0


class Progress(Protocol):
    """Told how far the work is."""

    def __call__(self, done: int, detail: str = "") -> None:
        """`done` of the total are finished; `detail` is shown beside it."""


@contextmanager
def progress(label: str, total: int, shown: bool = True) -> Iterator[Progress]:
    """A progress display for `total` units of work called `label`, on standard error."""
    if not shown:
        yield _nothing
    elif sys.stderr.isatty():
        with _bar(label, total) as update:
            yield update
    else:
        yield _lines(label, total)


@contextmanager
def _bar(label: str, total: int) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total, detail="")

        def update(done: int, detail: str = "") -> None:
            bar.update(task, completed=done, detail=detail)

        yield update


def _nothing(done: int, detail: str = "") -> None:
    del done, detail


def _lines(label: str, total: int) -> Progress:
    begin = last = time.monotonic()
    first: int | None = None

    def update(done: int, detail: str = "") -> None:
        nonlocal last, first
        if first is None:
            first = done  # work done before a restart says nothing about the speed
        now = time.monotonic()
        if now - last < LINE_SECONDS and done < total:
            return
        last = now
        fresh = done - first
        left = f"{(now - begin) / fresh * (total - done):.0f} s left" if fresh else "starting"
        print(f"{label}: {done}/{total}, {left} {detail}".rstrip(), file=sys.stderr, flush=True)

    return update
