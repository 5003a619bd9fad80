"""Summaries across datasets (Agarwal et al., NeurIPS 2021)."""

from collections.abc import Sequence

import numpy as np
from scipy import stats


def interquartile_mean(values: Sequence[float]) -> float:
    """Mean of the middle half of `values`, a quarter (rounded down) cut at either end."""
    return float(stats.trim_mean(np.asarray(values, np.float64), 0.25))


def probability_of_improvement(
    method: Sequence[Sequence[float]], baseline: Sequence[Sequence[float]]
) -> float:
    """Chance that a run of `method` beats a run of `baseline`, ties half, mean over datasets.

    One sequence of scores by seed a dataset, the datasets in the same order.
    """
    chances = []
    for ours, theirs in zip(method, baseline, strict=True):
        differences = np.subtract.outer(np.asarray(ours), np.asarray(theirs))
        chances.append((np.sign(differences).mean() + 1) / 2)
    return float(np.mean(chances))
