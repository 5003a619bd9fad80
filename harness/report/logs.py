"""Training logs (log.jsonl), one JSON object a line, as arrays over steps."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import SuiteError

Series = tuple[NDArray[np.int64], NDArray[np.float64]]  # steps, values


def read_series(path: Path, key: str) -> Series:
    """Steps and values of `key`, leaving out lines without it; values that are no numbers are NaN.

    Raises SuiteError naming the line if the log is unreadable.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SuiteError(f"{path}: cannot read the log ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise SuiteError(f"{path}: not a text file, so no training log") from error
    pairs = [_pair(line, key, f"{path}:{number}") for number, line in enumerate(lines, start=1)]
    found = [pair for pair in pairs if pair is not None]
    steps = np.array([step for step, _ in found], dtype=np.int64)
    return steps, np.array([value for _, value in found], dtype=np.float64)


def stack(series: Sequence[Series]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The steps that all series have, and their values there: (steps,), (series, steps)."""
    common = sorted(set.intersection(*({int(step) for step in steps} for steps, _ in series)))
    by_step = [dict(zip(steps.tolist(), values.tolist(), strict=True)) for steps, values in series]
    values = np.array([[one[step] for step in common] for one in by_step], dtype=np.float64)
    return np.array(common, dtype=np.int64), values.reshape(len(series), len(common))


def running_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Centred mean over `width` (odd) neighbours along the last axis, fewer at both ends."""
    half = width // 2
    count = values.shape[-1]
    return np.stack(
        [values[..., max(0, i - half) : i + half + 1].mean(axis=-1) for i in range(count)], axis=-1
    )


def _pair(line: str, key: str, where: str) -> tuple[int, float] | None:
    try:
        entry = json.loads(line)
        if key not in entry:
            return None
        value = entry[key]
        return int(entry["step"]), math.nan if value is None else float(value)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise SuiteError(f"{where}: not a line of a training log") from error
