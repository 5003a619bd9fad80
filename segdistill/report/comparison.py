"""One dataset's methods side by side: spread over seeds, gain over the student, verdicts, ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev

import pandas as pd

from segdistill.errors import SuiteError
from segdistill.evaluation.iou import Floats
from segdistill.report.claims import Claim
from segdistill.report.matrix import STUDENT, Finished, Matrix
from segdistill.report.pairing import pairing_warnings, published_pair
from segdistill.report.tables.numbers import Spread
from segdistill.report.tables.table import Mark
from segdistill.settings.schema import Statistics
from segdistill.statistics import Arm, Gain, arm_of, best_and_second, judge, measure_gains
from segdistill.statistics.arms import pair
from segdistill.statistics.bootstrap import crossed_bootstrap

OTHER_NETWORKS = "none: other networks or split"


@dataclass(frozen=True)
class Judged:
    """A published gain and what ours says about it."""

    claim: Claim
    same: bool  # same networks and split as ours; without that there is no verdict
    verdict: str


@dataclass(frozen=True)
class Row:
    """What one method is judged by beside its scores."""

    gain: Gain | None = None  # None: the student or teacher itself, or nothing to pair
    mark: Mark = ""
    published: tuple[Judged, ...] = ()
    draws: Floats | None = None  # (resamples,) of the mean gain by the crossed bootstrap

    @property
    def verdicts(self) -> list[Judged]:
        """The published gains of the same networks and split."""
        return [judged for judged in self.published if judged.same]


@dataclass(frozen=True)
class Comparison:
    """One dataset: the scores of its teacher and methods, and a row for every method."""

    matrix: Matrix
    dataset: str
    rows: Mapping[str, Row]  # by method of the experiment, in its order
    confidence: float  # of every interval, 0..1
    warnings: tuple[str, ...]

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The dataset's numbers: a row a (method, seed), a column a metric."""
        frame = self.matrix.frame
        frame = frame[frame["dataset"] == self.dataset]
        return frame.pivot(index=["method", "seed"], columns="metric", values="value")

    @property
    def methods(self) -> list[str]:
        """The teacher and the methods that have a finished seed, in table order."""
        return [method for method in self.matrix.methods if method in self.scores.index]

    @property
    def gains(self) -> dict[str, Gain]:
        """The gains of the methods that have one."""
        return {method: row.gain for method, row in self.rows.items() if row.gain}

    def values(self, method: str, metric: str) -> "pd.Series[float]":
        """The defined values of a metric by seed; none if nothing was measured."""
        frame = self.scores
        if method not in frame.index or metric not in frame:
            return pd.Series(dtype=float)
        return frame[metric].xs(method).dropna()

    def spread(self, method: str, metric: str) -> Spread | None:
        """Mean and deviation of a metric over the seeds; None if nothing was measured."""
        values = self.values(method, metric)
        if values.empty:
            return None
        std = stdev(values) if len(values) > 1 else None
        return Spread(fmean(values), std, len(values), len(self.scores.loc[method]))

    def mean(self, method: str, metric: str) -> float | None:
        """Mean of a metric over the seeds; None if nothing was measured."""
        found = self.spread(method, metric)
        return found.mean if found else None


def compare_methods(matrix: Matrix, dataset: str, claims: Sequence[Claim]) -> Comparison:
    """Every method of the experiment against the student of the same dataset.

    A method scored on other images than the student has no gain, and a warning says so.
    """
    settings = matrix.experiment.statistics
    found = {method: matrix.of(dataset, method) for method in matrix.experiment.methods}
    arms, warnings = _arms(dataset, found)
    others = {method: arm for method, arm in arms.items() if method != STUDENT}
    gains: dict[str, Gain] = {}
    if STUDENT in arms:
        gains = measure_gains(others, arms[STUDENT], settings.confidence)
    best, second = best_and_second(arms, settings.confidence)
    rows = {
        method: Row(
            gain=gains.get(method),
            mark="best" if method in best else "second" if method in second else "",
            published=_judge(method, dataset, results, gains.get(method), claims),
            draws=_draws(arms, method, settings) if method in gains else None,
        )
        for method, results in found.items()
    }
    warnings += pairing_warnings(matrix, dataset)
    return Comparison(matrix, dataset, rows, settings.confidence, tuple(warnings))


def _arms(
    dataset: str, found: Mapping[str, Mapping[int, Finished]]
) -> tuple[dict[str, Arm], list[str]]:
    """An arm for every method that was scored on the same images as the student."""
    arms: dict[str, Arm] = {}
    warnings: list[str] = []
    student_first = sorted(found, key=lambda method: method != STUDENT)
    for method in (method for method in student_first if found[method]):
        try:
            arm = arm_of({seed: result.areas for seed, result in found[method].items()})
            pair(arm, next(iter(arms.values()), arm))
            arms[method] = arm
        except SuiteError as error:
            warnings.append(f"{dataset}: {method} has no gain: {error}.")
    return arms, warnings


def _draws(arms: Mapping[str, Arm], method: str, settings: Statistics) -> Floats | None:
    """Bootstrap draws of the method's mean gain; None if it shares one seed with the student."""
    ours, student = pair(arms[method], arms[STUDENT])
    if len(ours.seeds) < 2:
        return None
    return crossed_bootstrap([ours], student, settings.resamples, settings.seed)[:, 0]


def _judge(
    method: str,
    dataset: str,
    results: Mapping[int, Finished],
    gain: Gain | None,
    claims: Sequence[Claim],
) -> tuple[Judged, ...]:
    """The published gains of the method on this dataset; a verdict only for the same set-up."""
    if gain is None:
        return ()
    first = next(iter(results.values()))
    ours = (*published_pair(first), first.scores.split, False)
    judged = []
    for claim in claims:
        if (claim.dataset, claim.method) == (dataset, method):
            same = (claim.teacher, claim.student, claim.split, first.subset) == ours
            verdict = judge(gain.interval, len(gain.seeds), claim.gain) if same else OTHER_NETWORKS
            judged.append(Judged(claim, same, str(verdict)))
    return tuple(judged)
