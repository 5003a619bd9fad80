"""Process 1 of PCD (reconstructed from the abstract): class responses, score, kept channels."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from pcd.maps import inverse_std
from pcd.sums import ClassSums

Score = Literal["pairwise", "margin", "range", "fisher", "random", "none"]
FISHER_FLOOR = 1e-6


class Responses(NamedTuple):
    """How the teacher's channels respond to the k' classes that have pixels enough, float64."""

    pixels: Tensor  # k', n_k
    response: Tensor  # k' C, r
    mean: Tensor  # k' C, mean of Z over the class
    variance: Tensor  # k' C, biased variance of Z over the class


def class_responses(sums: ClassSums, min_pixels: int, classifier: Tensor | None) -> Responses:
    """Responses r of every class with at least `min_pixels` pixels, from the sums.

    r[k, c] is the mean of Z_c over class k, and with the teacher's `classifier` (K C, float64)
    that mean times the std of T_c times the classifier's weight over the rms of all weights.
    """
    count = sums.pixels.sum().clamp(min=1)
    offset = sums.total.sum(dim=0) / count  # mean of T - shift
    variance = sums.square.sum(dim=0) / count - offset.square()
    scale = inverse_std(variance, sums.shift + offset)

    enough = sums.pixels[:-1] >= min_pixels
    pixels = sums.pixels[:-1][enough]
    raw = sums.total[:-1][enough] / pixels[:, None]
    raw_square = sums.square[:-1][enough] / pixels[:, None]
    mean = (raw - offset) * scale
    within = (raw_square - raw.square()).clamp(min=0) * scale.square()
    response = mean
    if classifier is not None:
        weight = classifier / classifier.square().mean().sqrt()
        response = weight[enough] * torch.where(scale > 0, raw - offset, 0.0)
    return Responses(pixels, response, mean, within)


def discriminative_score(responses: Responses, score: Score) -> Tensor:
    """Score s (C, float64) of every teacher channel over the k' >= 2 classes of `responses`."""
    r = responses.response
    if score == "pairwise":
        return _pairwise(r)
    if score == "margin":
        largest = r.topk(2, dim=0).values
        return largest[0] - largest[1]
    if score == "range":
        return r.amax(dim=0) - r.amin(dim=0)
    if score == "fisher":
        return _fisher(responses)
    raise ValueError(f"score {score!r} is no function of the class responses")


def keep_best(scores: Tensor, count: int) -> Tensor:
    """Numbers of the `count` channels of highest score (C), best first, ties to the lower one."""
    return scores.sort(descending=True, stable=True).indices[:count]


def _pairwise(r: Tensor) -> Tensor:
    # In ascending order the i-th of k' responses is the larger one in i pairs and the smaller
    # one in the other k' - 1 - i, so the sum over pairs is one weighted sum.
    count = r.shape[0]
    weight = 2 * torch.arange(count, dtype=r.dtype, device=r.device) - (count - 1)
    return 2 / (count * (count - 1)) * (weight @ r.sort(dim=0).values)


def _fisher(responses: Responses) -> Tensor:
    pixels, r, mean, variance = responses
    share = (pixels / pixels.sum())[:, None]
    between = (share * (r - (share * r).sum(dim=0)).square()).sum(dim=0)
    # The pixels' mean square distance from r; under `classifier` r is not their mean.
    within = (share * (variance + (mean - r).square())).sum(dim=0)
    return between / (within + FISHER_FLOOR)
