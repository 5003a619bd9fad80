"""The crossed bootstrap: seeds and images resampled apart, jointly for all methods."""

from collections.abc import Sequence

import numpy as np

from segdistill.evaluation.iou import Floats
from segdistill.statistics.arms import Arm

CHUNK = 500  # resamples at once, which bounds the memory


def crossed_bootstrap(
    methods: Sequence[Arm], baseline: Arm, resamples: int = 10_000, seed: int = 0
) -> Floats:
    """Draws of every method's mean gain in mIoU over `baseline`, (resamples, M).

    Each resample draws images once for all seeds and arms, and seeds once for all arms (Owen's
    pigeonhole bootstrap, 2007). Multinomial weights times areas is one matrix product. Its
    variance counts the residual three times, so its intervals are wider than the formula's
    where the residual dominates. A class that a resample does not meet keeps its full value, so
    that every resample has the same classes. All arms must have the same seeds and images.
    Raises ValueError otherwise.
    """
    arms = (baseline, *methods)
    if any((arm.seeds, arm.names) != (baseline.seeds, baseline.names) for arm in arms):
        raise ValueError("the crossed bootstrap needs the same seeds and images in every arm")
    rng = np.random.default_rng(seed)
    seeds, images = len(baseline.seeds), len(baseline.names)
    areas = [_table(arms, name, baseline) for name in ("intersection", "union")]
    draws = []
    for start in range(0, resamples, CHUNK):
        count = min(CHUNK, resamples - start)
        weights = rng.multinomial(images, np.full(images, 1 / images), size=count)
        ious = _ious(weights.astype(np.float64), *areas).reshape(count, len(arms), seeds, -1)
        chosen = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=count) / seeds
        means = np.einsum("rask,rs->ra", ious, chosen) / ious.shape[-1]
        draws.append(means[:, 1:] - means[:, :1])
    return np.concatenate(draws)


def percentile_interval(draws: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """The middle `confidence` of `draws` (resamples,): its low and high end."""
    low, high = np.quantile(draws, ((1 - confidence) / 2, (1 + confidence) / 2))
    return float(low), float(high)


def _table(arms: Sequence[Arm], name: str, baseline: Arm) -> Floats:
    """Areas of all arms as (I, arms * S * K) of the classes present."""
    stacked = np.stack([getattr(arm, name)[:, :, baseline.present] for arm in arms])
    return np.moveaxis(stacked, 2, 0).reshape(len(baseline.names), -1).astype(np.float64)


def _ious(weights: Floats, intersection: Floats, union: Floats) -> Floats:
    """IoU per column of resamples with image `weights` (resamples, I)."""
    part, whole = weights @ intersection, weights @ union
    full = intersection.sum(axis=0) / union.sum(axis=0)
    ious = np.broadcast_to(full, part.shape).copy()
    np.divide(part, whole, out=ious, where=whole > 0)
    return ious
