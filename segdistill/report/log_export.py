"""Training logs for other tools: one CSV file, or TensorBoard's event files."""

import csv
import math
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from segdistill.errors import SuiteError
from segdistill.pipeline.training_log import read_rows
from segdistill.records import read_run, write_bytes
from segdistill.settings.cell import RESULTS, Cell


def to_csv(folders: Sequence[Path], target: Path) -> None:
    """A line a run, step and quantity; a value that is no number is left empty."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("run", "step", "quantity", "value"))
    for folder in folders:
        name = _name(folder)
        for step, values in read_rows(folder / "log.jsonl"):
            for quantity, value in values.items():
                writer.writerow((name, step, quantity, value if math.isfinite(value) else ""))
    write_bytes(target, buffer.getvalue().encode())


def to_tensorboard(folders: Sequence[Path], target: Path) -> None:
    """Event files in a folder a run below `target`, in place of those there; a scalar a finite
    quantity.

    Raises SuiteError if TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise SuiteError(
            "tensorboard is not installed; pip install -e '.[tensorboard]', or give --log FILE.csv"
        ) from error
    for folder in folders:
        place = target / _name(folder)
        for old in place.glob("events.out.tfevents.*"):
            old.unlink()
        with SummaryWriter(str(place)) as writer:
            for step, values in read_rows(folder / "log.jsonl"):
                for quantity, value in values.items():
                    if math.isfinite(value):
                        writer.add_scalar(quantity, value, step)


def _name(folder: Path) -> str:
    run = read_run(folder / "run.json")
    place = Cell(run.experiment, run.dataset, run.method, run.seed).run_dir
    return str(place.relative_to(RESULTS))
