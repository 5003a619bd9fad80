"""log.jsonl, one JSON object a line: what a training logged at a step."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

from segdistill.errors import SuiteError
from segdistill.malformed import MALFORMED

Row = tuple[int, dict[str, float]]  # step, values by name


def read_rows(path: Path) -> Iterator[Row]:
    """The lines of a training log; a value that is null there is NaN.

    Raises SuiteError naming the line if it is unreadable.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SuiteError(f"{path}: cannot read the log ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise SuiteError(f"{path}: not a text file, so no training log") from error
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            step = int(row.pop("step"))
            values = {k: math.nan if v is None else float(v) for k, v in row.items()}
        except MALFORMED as error:
            raise SuiteError(f"{path}:{number}: not a line of a training log") from error
        yield step, values
