"""Training logs as series over steps."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from segdistill.pipeline.training_log import read_rows


def read_series(path: Path, key: str) -> "pd.Series[float]":
    """The values of `key` by step, leaving out lines without it; one that is null there is NaN.

    Raises SuiteError naming the line if the log is unreadable.
    """
    found = {step: values[key] for step, values in read_rows(path) if key in values}
    return pd.Series(found, dtype=float)


def stack(series: Sequence["pd.Series[float]"]) -> pd.DataFrame:
    """A column a series, a row for every step that all of them have."""
    return pd.concat(series, axis=1, join="inner", ignore_index=True).sort_index()
