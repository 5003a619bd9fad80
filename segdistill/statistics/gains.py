"""The paired gain of a method over a baseline: same dataset, same seeds, same images."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from segdistill.statistics.arms import Arm, pair
from segdistill.statistics.crossed import Interval, crossed_interval
from segdistill.statistics.flips import max_t_p_values, sign_flip_p_value
from segdistill.statistics.verdict import MIN_SEEDS, NOT_ENOUGH_SEEDS


@dataclass(frozen=True)
class Gain:
    """Method minus baseline in mIoU (a fraction) over the seeds that both have."""

    seeds: tuple[int, ...]
    per_seed: tuple[float, ...]
    mean: float
    interval: Interval | None  # over images alone if there is one seed; `interval.over` says so
    p: float  # one-sided sign flip, gain > 0
    adjusted_p: float | None  # over all methods with every seed; None for the others

    @property
    def flag(self) -> str:
        """Why the gain cannot carry a claim, or an empty text."""
        return "" if len(self.seeds) >= MIN_SEEDS else NOT_ENOUGH_SEEDS


def measure_gains(
    methods: Mapping[str, Arm], baseline: Arm, confidence: float = 0.95
) -> dict[str, Gain]:
    """The gain of each method; one that shares no seed with the baseline is left out.

    Raises SuiteError if arms were scored on other images or labels.
    """
    pairs = {name: pair(arm, baseline) for name, arm in methods.items()}
    pairs = {name: arms for name, arms in pairs.items() if arms[0].seeds}
    per_seed = {name: arm.mious() - base.mious() for name, (arm, base) in pairs.items()}
    complete = [name for name, gains in per_seed.items() if len(gains) == len(baseline.seeds)]
    adjusted: dict[str, float] = {}
    if complete:
        p_values = max_t_p_values(np.stack([per_seed[name] for name in complete]))
        adjusted = dict(zip(complete, p_values.tolist(), strict=True))
    return {
        name: Gain(
            seeds=arm.seeds,
            per_seed=tuple(per_seed[name].tolist()),
            mean=float(per_seed[name].mean()),
            interval=crossed_interval(arm.influences() - base.influences(), confidence),
            p=sign_flip_p_value(per_seed[name]),
            adjusted_p=adjusted.get(name),
        )
        for name, (arm, base) in pairs.items()
    }
