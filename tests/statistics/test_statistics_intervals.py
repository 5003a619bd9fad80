"""The crossed interval and bootstrap: closed forms, a plain reference, measured coverage."""

import math
import time

import numpy as np
import pytest
from scipy import stats

from segdistill.statistics import Arm, crossed_bootstrap, crossed_interval, percentile_interval
from segdistill.statistics.simulation import TRUE_GAIN, WORLDS, draw_arms


def plain_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean, half width and degrees of freedom by loops over the formula."""
    seeds, images = values.shape
    mean = sum(values.flat) / values.size
    by_seed = [sum(row) / images for row in values]
    by_image = [sum(column) / seeds for column in values.T]
    a = sum((x - mean) ** 2 for x in by_seed) / (seeds - 1) / seeds
    b = sum((x - mean) ** 2 for x in by_image) / (images - 1) / images
    residual = 0.0
    for s in range(seeds):
        for i in range(images):
            residual += (values[s, i] - by_seed[s] - by_image[i] + mean) ** 2
    e = residual / ((seeds - 1) * (images - 1)) / (seeds * images)
    total = max(a + b - e, a, b)
    freedom = a**2 / (seeds - 1) + b**2 / (images - 1) + e**2 / ((seeds - 1) * (images - 1))
    df = total**2 / freedom
    return mean, math.sqrt(total) * stats.t.ppf(0.975, df), df


@pytest.mark.parametrize("effects", [(1, 0.1, 0.1), (0.1, 5, 0.1), (1, 3, 3), (0, 0, 1)])
def test_the_interval_is_the_published_formula(effects: tuple[float, float, float]) -> None:
    rng = np.random.default_rng(1)
    by_seed, by_image, noise = effects
    values = rng.normal(0, by_seed, (5, 1)) + rng.normal(0, by_image, (1, 40))
    values = values + rng.normal(0, noise, (5, 40))
    mean, reach, df = plain_interval(values)
    interval = crossed_interval(values)
    assert interval is not None
    assert interval.over == "seeds and images"
    assert interval.df == pytest.approx(df)
    assert (interval.low, interval.high) == pytest.approx((mean - reach, mean + reach))


def test_effects_without_residual_add_their_variances() -> None:
    values = np.array([[0.0], [2.0]]) + np.array([[0.0, 3.0, 6.0]])
    interval = crossed_interval(values)
    assert interval is not None
    assert interval.standard_error == pytest.approx(math.sqrt(2 / 2 + 9 / 3))


def test_a_single_seed_or_image_leaves_the_other_and_says_so() -> None:
    sample = np.array([1.0, 2.0, 4.0, 5.0])
    low, high = stats.t.interval(0.95, 3, sample.mean(), stats.sem(sample))
    for values, over in ((sample[None], "images"), (sample[:, None], "seeds")):
        interval = crossed_interval(values)
        assert interval is not None
        assert interval.over == over
        assert (interval.low, interval.high) == pytest.approx((low, high))
    assert crossed_interval(np.array([[1.0]])) is None


def test_equal_gains_have_an_interval_of_no_width() -> None:
    interval = crossed_interval(np.full((5, 20), 0.25))
    assert interval is not None
    assert (interval.low, interval.high) == (0.25, 0.25)


def test_higher_confidence_is_wider() -> None:
    values = np.random.default_rng(0).normal(size=(5, 20))
    narrow, wide = crossed_interval(values, 0.8), crossed_interval(values, 0.99)
    assert narrow is not None
    assert wide is not None
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize("name", WORLDS)
def test_intervals_hold_the_true_gain_often_enough(name: str) -> None:
    rng = np.random.default_rng(2024)
    held = 0
    for _ in range(500):
        method, baseline = draw_arms(WORLDS[name], 5, 100, rng)
        interval = crossed_interval(method.influences() - baseline.influences(), 0.95)
        held += interval is not None and interval.holds(TRUE_GAIN)
    assert held / 500 >= 0.92


def test_bootstrap_draws_equal_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    arms = [*draw_arms(WORLDS["mixed"], 3, 8, rng)]
    draws = crossed_bootstrap(arms[:1], arms[1], resamples=20, seed=7)
    rng = np.random.default_rng(7)
    images = rng.multinomial(8, np.full(8, 1 / 8), size=20)
    seeds = rng.multinomial(3, np.full(3, 1 / 3), size=20)
    for draw, by_image, by_seed in zip(draws[:, 0], images, seeds, strict=True):
        means = []
        for arm in arms:
            total = 0.0
            for index, times in enumerate(by_seed):
                part = by_image @ arm.intersection[index]
                whole = by_image @ arm.union[index]
                full = arm.intersection[index].sum(axis=0) / arm.union[index].sum(axis=0)
                kept = [p / w if w else f for p, w, f in zip(part, whole, full, strict=True)]
                total += times * float(np.mean(kept))
            means.append(total / 3)
        assert draw == pytest.approx(means[0] - means[1], rel=1e-10)


def test_with_one_seed_the_bootstrap_is_scipys_over_images() -> None:
    """Both ends within the Monte Carlo error of two independent sets of draws."""
    method, baseline = draw_arms(WORLDS["image-dominated"], 1, 60, np.random.default_rng(5))

    def gain(images: np.ndarray, axis: int) -> np.ndarray:
        picked = np.moveaxis(images, axis, -1).astype(int)  # (resamples, I) image numbers
        means = []
        for arm in (method, baseline):
            part, whole = (area[0][picked].sum(axis=-2) for area in (arm.intersection, arm.union))
            full = arm.intersection[0].sum(axis=0) / arm.union[0].sum(axis=0)
            ious = np.divide(part, whole, out=np.broadcast_to(full, part.shape).copy(),
                             where=whole > 0)  # fmt: skip
            means.append(ious.mean(axis=-1))
        return np.asarray(means[0] - means[1])

    theirs = stats.bootstrap(
        (np.arange(60),), gain, n_resamples=4000, method="percentile", vectorized=True, rng=1
    )
    draws = crossed_bootstrap([method], baseline, resamples=4000, seed=2)[:, 0]
    assert draws.std() == pytest.approx(theirs.standard_error, rel=0.06)
    ends = np.array(theirs.confidence_interval)
    np.testing.assert_allclose(percentile_interval(draws), ends, atol=0.12 * draws.std())


def test_ten_thousand_resamples_of_a_large_table_take_seconds() -> None:
    """10 methods x 5 seeds x 500 images x 19 classes; processor time, so one core's."""
    rng = np.random.default_rng(0)
    names = tuple(str(index) for index in range(500))
    label = rng.integers(1, 1000, (500, 19))
    arms = []
    for _ in range(11):
        part = rng.integers(0, label + 1, (5, 500, 19))
        arms.append(Arm((0, 1, 2, 3, 4), names, part, label + part // 4, label))
    start = time.process_time()
    draws = crossed_bootstrap(arms[1:], arms[0], resamples=10_000)
    assert time.process_time() - start < 10
    assert draws.shape == (10_000, 10)


def test_bootstrap_is_joint_over_methods_and_zero_for_the_baseline_itself() -> None:
    method, baseline = draw_arms(WORLDS["mixed"], 5, 30, np.random.default_rng(0))
    draws = crossed_bootstrap([method, baseline, method], baseline, resamples=600)
    assert draws.shape == (600, 3)
    assert (draws[:, 1] == 0).all()
    np.testing.assert_array_equal(draws[:, 0], draws[:, 2])


def test_bootstrap_and_formula_agree_where_images_dominate() -> None:
    method, baseline = draw_arms(WORLDS["image-dominated"], 5, 400, np.random.default_rng(3))
    draws = crossed_bootstrap([method], baseline, resamples=4000)[:, 0]
    interval = crossed_interval(method.influences() - baseline.influences())
    assert interval is not None
    assert draws.std() == pytest.approx(interval.standard_error, rel=0.1)
    low, high = percentile_interval(draws)
    assert (high - low) == pytest.approx(interval.high - interval.low, rel=0.15)


def test_bootstrap_refuses_arms_that_do_not_match() -> None:
    rng = np.random.default_rng(0)
    method, _ = draw_arms(WORLDS["mixed"], 5, 30, rng)
    for seeds, images in ((4, 30), (5, 31)):
        with pytest.raises(ValueError, match="same seeds and images"):
            crossed_bootstrap([method], draw_arms(WORLDS["mixed"], seeds, images, rng)[1])
