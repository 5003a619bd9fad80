"""Training logs as arrays over steps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segdistill.pipeline.training_log import read_rows

Series = tuple[NDArray[np.int64], NDArray[np.float64]]  # steps, values


def read_series(path: Path, key: str) -> Series:
    """Steps and values of `key`, leaving out lines without it; a value that is null there is NaN.

    Raises SuiteError naming the line if the log is unreadable.
    """
    found = [(step, values[key]) for step, values in read_rows(path) if key in values]
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
