"""Sign-flip tests: were there no gain, each seed's gain could as well have had the other sign."""

from itertools import product

import numpy as np

from segdistill.evaluation.iou import Floats

EXACT = 16  # up to so many seeds every pattern of signs is tried
DRAWS = 2**EXACT
TOLERANCE = 1e-12  # of statistics between -1 and 1; equal up to rounding counts as reached


def sign_flip_p_value(gains: Floats) -> float:
    """One-sided p of `gains` (S,) > 0: the share of sign patterns whose mean is as large.

    The pattern of no flip counts, so the smallest p is 1 / 2^S: 0.125 for 3 seeds, 0.031 for 5.
    """
    return float(max_t_p_values(gains[None])[0])


def max_t_p_values(gains: Floats) -> Floats:
    """One-sided p (M,) of every method's `gains` (M, S), adjusted for M methods at once.

    Westfall and Young's step-down max-T (1993, algorithm 2.8): the seeds' signs flip jointly
    for all methods, which keeps their dependence; each method, from the clearest down, is held
    against the largest statistic of itself and all less clear ones.
    """
    methods, seeds = gains.shape
    flipped = _scaled(gains) @ _signs(seeds).T  # (M, patterns)
    observed = flipped[:, 0]
    order = np.argsort(-observed, kind="stable")
    # Largest statistic of this and all less clear methods, per pattern.
    largest = np.maximum.accumulate(flipped[order][::-1], axis=0)[::-1]
    shares = (largest >= observed[order, None] - TOLERANCE).mean(axis=1)
    adjusted = np.empty(methods)
    adjusted[order] = np.maximum.accumulate(shares)
    return adjusted


def _scaled(gains: Floats) -> Floats:
    """Gains divided so that their sum is the cosine with (1, ..., 1), which t grows with.

    Unlike t it stays finite where all seeds gain the same.
    """
    norms = np.sqrt(gains.shape[1] * (gains**2).sum(axis=1, keepdims=True))
    scaled = np.zeros(gains.shape)
    np.divide(gains, norms, out=scaled, where=norms > 0)
    return scaled


def _signs(seeds: int) -> Floats:
    """All patterns of signs (2^S, S), or 65,536 drawn ones; the first is that of no flip."""
    if seeds <= EXACT:
        return np.array(list(product((1.0, -1.0), repeat=seeds))).reshape(-1, seeds)
    drawn: Floats = np.random.default_rng(seeds).choice((1.0, -1.0), size=(DRAWS, seeds))
    drawn[0] = 1.0
    return drawn
