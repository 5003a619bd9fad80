"""Sign flips against enumeration, summaries across datasets, verdicts, paired gains."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from segdistill.statistics import (
    Interval,
    Verdict,
    interquartile_mean,
    judge,
    max_t_p_values,
    measure_gains,
    probability_of_improvement,
    sign_flip_p_value,
)
from segdistill.statistics.simulation import WORLDS, draw_arms


@pytest.mark.parametrize(("seeds", "smallest"), [(1, 0.5), (3, 0.125), (5, 1 / 32), (8, 1 / 256)])
def test_gains_that_are_all_positive_reach_the_smallest_p(seeds: int, smallest: float) -> None:
    gains = np.random.default_rng(0).uniform(0.01, 0.02, seeds)
    assert sign_flip_p_value(gains) == smallest
    assert sign_flip_p_value(-gains) == 1.0
    assert sign_flip_p_value(np.full(seeds, 0.1)) == smallest


def test_no_gain_at_all_is_no_evidence() -> None:
    assert sign_flip_p_value(np.zeros(5)) == 1.0


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-20, 20), min_size=1, max_size=7))
def test_p_counts_the_sign_patterns_that_reach_the_mean(numbers: list[int]) -> None:
    reached = [
        sum(sign * number for sign, number in zip(signs, numbers, strict=True)) >= sum(numbers)
        for signs in product((1, -1), repeat=len(numbers))
    ]
    p = sign_flip_p_value(np.array(numbers, float))
    assert p == pytest.approx(np.mean(reached), abs=1e-15)


def plain_max_t(gains: np.ndarray) -> list[float]:
    """Step-down max-T with Student's t, by loops."""

    def t(sample: np.ndarray) -> float:
        return float(sample.mean() / (sample.std(ddof=1) / np.sqrt(len(sample))))

    observed = [t(row) for row in gains]
    order = sorted(range(len(gains)), key=lambda m: -observed[m])
    adjusted = [0.0] * len(gains)
    worst = 0.0
    for rank, method in enumerate(order):
        reached = 0
        patterns = list(product((1, -1), repeat=gains.shape[1]))
        for signs in patterns:
            largest = max(t(gains[other] * signs) for other in order[rank:])
            reached += largest >= observed[method] - 1e-9
        worst = max(worst, reached / len(patterns))
        adjusted[method] = worst
    return adjusted


def test_joint_flips_equal_a_plain_step_down() -> None:
    rng = np.random.default_rng(5)
    for _ in range(5):
        gains = rng.normal(0.7, 1, (4, 5)) + rng.normal(0, 1, 5)
        assert max_t_p_values(gains).tolist() == pytest.approx(plain_max_t(gains))


def test_adjusting_never_lowers_p_and_keeps_the_floor_for_the_clearest() -> None:
    gains = np.random.default_rng(1).normal(0.5, 0.5, (6, 5))
    gains[2] = 0.3, 0.31, 0.32, 0.3, 0.31
    adjusted = max_t_p_values(gains)
    assert all(adjusted >= [sign_flip_p_value(row) for row in gains])
    assert adjusted[2] == 1 / 32
    assert max_t_p_values(np.tile(gains[2], (5, 1))).tolist() == [1 / 32] * 5


def test_false_alarms_over_five_methods_stay_below_the_level() -> None:
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(2000):
        gains = rng.normal(0, 1, (5, 6)) + rng.normal(0, 1, 6)
        alarms += max_t_p_values(gains).min() <= 0.05
    assert alarms / 2000 <= 0.06


def test_many_seeds_use_drawn_patterns() -> None:
    gains = np.random.default_rng(0).normal(0.5, 1, 20)
    p = sign_flip_p_value(gains)
    assert p == pytest.approx(stats.ttest_1samp(gains, 0, alternative="greater").pvalue, abs=0.01)
    assert p == sign_flip_p_value(gains)
    assert sign_flip_p_value(np.full(20, 0.1)) == 2**-16


def test_interquartile_mean_drops_a_quarter_at_either_end() -> None:
    assert interquartile_mean([100, 10, 2, 3, 4, 5, 6, -50]) == 4.5
    assert interquartile_mean([7.0]) == 7.0
    assert interquartile_mean([1, 2, 9]) == 4.0  # a quarter of three, rounded down, is none


def test_probability_of_improvement_is_mann_whitney_per_dataset() -> None:
    ours, theirs = [[3.0, 1.0, 2.0], [5.0, 5.0]], [[2.0, 0.0], [5.0, 6.0, 4.0]]
    expected = [
        stats.mannwhitneyu(x, y).statistic / (len(x) * len(y))
        for x, y in zip(ours, theirs, strict=True)
    ]
    assert probability_of_improvement(ours, theirs) == pytest.approx(np.mean(expected))
    swapped = probability_of_improvement(theirs, ours)
    assert swapped == pytest.approx(1 - np.mean(expected))


@pytest.mark.parametrize(
    ("low", "high", "published", "verdict"),
    [
        (0.01, 0.03, None, Verdict.NO_CLAIM),
        (-0.01, 0.03, 0.02, Verdict.UNDECIDED),
        (0.0, 0.03, 0.03, Verdict.UNDECIDED),
        (0.01, 0.03, 0.03, Verdict.REPRODUCED),
        (0.01, 0.03, 0.01, Verdict.REPRODUCED),
        (0.02, 0.03, 0.01, Verdict.EXCEEDED),
        (0.01, 0.02, 0.05, Verdict.PARTLY),
        (-0.01, 0.02, 0.05, Verdict.NOT_REPRODUCED),
        (-0.03, -0.01, 0.02, Verdict.NOT_REPRODUCED),
        (0.0, 0.02, 0.05, Verdict.NOT_REPRODUCED),
        (-0.01, 0.02, -0.02, Verdict.EXCEEDED),
    ],
)
def test_the_first_rule_that_applies_decides(
    low: float, high: float, published: float | None, verdict: Verdict
) -> None:
    interval = Interval(low, high, 0.95, 0.01, 4.0, "seeds and images")
    assert judge(interval, 5, published) is verdict
    few = Verdict.NO_CLAIM if published is None else Verdict.NOT_ENOUGH
    assert judge(interval, 4, published) is few
    assert judge(None, 5, published) is few


def test_gains_are_paired_by_seed_and_flagged_when_seeds_are_few() -> None:
    rng = np.random.default_rng(0)
    method, baseline = draw_arms(WORLDS["mixed"], 5, 40, rng)
    gains = measure_gains(
        {
            "full": method,
            "three": method.select((1, 4, 2)),
            "one": method.select((3,)),
            "none": method.select(()),
        },
        baseline,
    )
    differences = method.mious() - baseline.mious()
    assert list(gains) == ["full", "three", "one"]
    assert gains["full"].per_seed == tuple(differences.tolist())
    assert gains["full"].mean == pytest.approx(differences.mean(), rel=1e-15)
    assert gains["full"].flag == ""
    assert gains["full"].adjusted_p == gains["full"].p == sign_flip_p_value(differences)
    assert gains["three"].seeds == (1, 2, 4)
    assert gains["three"].per_seed == tuple(differences[[1, 2, 4]].tolist())
    assert gains["three"].adjusted_p is None
    assert gains["three"].flag == gains["one"].flag == "not enough seeds for a claim"
    one = gains["one"].interval
    assert one is not None
    assert one.over == "images"
    assert gains["one"].p == (0.5 if differences[3] > 0 else 1.0)


def test_the_interval_of_a_gain_is_centred_on_it() -> None:
    method, baseline = draw_arms(WORLDS["mixed"], 5, 40, np.random.default_rng(1))
    gain = measure_gains({"method": method}, baseline, confidence=0.9)["method"]
    assert gain.interval is not None
    assert gain.interval.confidence == 0.9
    assert (gain.interval.low + gain.interval.high) / 2 == pytest.approx(gain.mean, rel=1e-12)
