"""One dataset's methods side by side: spread over seeds, gain over the student, verdicts."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from segdistill.evaluation.iou import Floats
from segdistill.report.claims import Claim
from segdistill.report.tables.matrix import STUDENT, Finished
from segdistill.report.tables.numbers import MISSING, interval, points
from segdistill.report.tables.table import Mark
from segdistill.statistics import Gain

CROSSED = "seeds and images"  # what an interval must be over to rank or to judge


@dataclass(frozen=True)
class Judged:
    """A published gain and what ours says about it."""

    claim: Claim
    same: bool  # same networks and split as ours; without that there is no verdict
    verdict: str


@dataclass(frozen=True)
class Row:
    """One method on one dataset."""

    method: str
    results: Mapping[int, Finished]  # by seed
    gain: Gain | None  # None: the student itself, or nothing to pair
    mark: Mark
    published: tuple[Judged, ...]
    draws: Floats | None  # (resamples,) of the mean gain by the crossed bootstrap

    @property
    def verdicts(self) -> list[Judged]:
        """The published gains of the same networks and split."""
        return [judged for judged in self.published if judged.same]

    @property
    def mious(self) -> list[float]:
        """mIoU by seed."""
        return [result.scores.miou or 0.0 for result in self.results.values()]

    @property
    def mean(self) -> float | None:
        """Mean mIoU over the seeds."""
        return mean(self.mious)

    @property
    def std(self) -> float | None:
        """Sample standard deviation of mIoU over the seeds; None for fewer than two."""
        return deviation(self.mious)


@dataclass(frozen=True)
class Comparison:
    """One dataset: its teacher and a row for every method of the grid."""

    dataset: str
    teacher: Finished | None
    rows: tuple[Row, ...]
    confidence: float  # of every interval, 0..1
    warnings: tuple[str, ...]

    @property
    def student(self) -> Row | None:
        """The row every gain is measured from."""
        return next((row for row in self.rows if row.method == STUDENT), None)

    @property
    def gains(self) -> list[tuple[Row, Gain]]:
        """The rows that have a gain."""
        return [(row, row.gain) for row in self.rows if row.gain]


def mean(values: list[float]) -> float | None:
    """Arithmetic mean; None of nothing."""
    return statistics.fmean(values) if values else None


def deviation(values: list[float]) -> float | None:
    """Sample standard deviation; None for fewer than two values."""
    return statistics.stdev(values) if len(values) > 1 else None


def gain_text(gain: Gain | None) -> str:
    """A gain with its interval in percentage points."""
    if gain is None:
        return MISSING
    if gain.interval is None:
        return f"{points(gain.mean)} [no interval]"
    text = f"{points(gain.mean)} {interval(gain.interval.low, gain.interval.high)}"
    return text if gain.interval.over == CROSSED else f"{text} ({gain.interval.over} only)"
