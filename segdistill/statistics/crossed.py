"""The interval of a mean over seeds and images that are crossed: every seed met every image."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from segdistill.evaluation.iou import Floats

Spread = Literal["seeds and images", "seeds", "images"]


@dataclass(frozen=True)
class Interval:
    """A confidence interval `low` to `high` of a mean, in the unit of the mean."""

    low: float
    high: float
    confidence: float  # 0..1
    standard_error: float
    df: float  # degrees of freedom of Student's t
    over: Spread  # what it generalises to; only "seeds and images" may carry a claim

    def holds(self, value: float) -> bool:
        """Whether `value` lies within, ends included."""
        return self.low <= value <= self.high


def crossed_interval(values: Floats, confidence: float = 0.95) -> Interval | None:
    """Interval of the mean of `values` (S, I) over new seeds and new images.

    mean +- t_df sqrt(A + B - E): A = variance of the seed means / S, B = variance of the image
    means / I, E = residual variance / (S I), with Satterthwaite's degrees of freedom. A and B
    both contain E. The sum is never taken below A or B, which estimate no more than it.
    With one seed or one image only the other spreads, which `over` says; None with one of each.
    """
    seeds, images = values.shape
    if seeds < 2 and images < 2:
        return None
    if seeds < 2:
        return _student(values.mean(axis=0), confidence, "images")
    if images < 2:
        return _student(values.mean(axis=1), confidence, "seeds")
    mean, by_seed, by_image = values.mean(), values.mean(axis=1), values.mean(axis=0)
    residual = values - by_seed[:, None] - by_image + mean
    freedom = np.array([seeds - 1, images - 1, (seeds - 1) * (images - 1)])
    squares = ((by_seed - mean) ** 2).sum(), ((by_image - mean) ** 2).sum(), (residual**2).sum()
    parts = np.array(squares) / freedom / np.array([seeds, images, seeds * images])
    a, b, e = parts
    variance = max(a + b - e, a, b)
    df = variance**2 / (parts**2 / freedom).sum() if variance > 0 else float(seeds - 1)
    return _interval(float(mean), math.sqrt(variance), float(df), confidence, "seeds and images")


def _student(values: Floats, confidence: float, over: Spread) -> Interval:
    """Student's interval of the mean of independent `values`."""
    error = values.std(ddof=1) / math.sqrt(len(values))
    return _interval(float(values.mean()), float(error), len(values) - 1.0, confidence, over)


def _interval(mean: float, error: float, df: float, confidence: float, over: Spread) -> Interval:
    reach = error * float(stats.t.ppf((1 + confidence) / 2, df))
    return Interval(mean - reach, mean + reach, confidence, error, df, over)
