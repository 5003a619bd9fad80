"""Drawn experiments whose true gain is known, to measure how often an interval holds it."""

from dataclasses import dataclass

import numpy as np

from segdistill.statistics.arms import Arm

TRUE_GAIN = 0.02
FREQUENCY = np.array([1.0, 1.0, 0.8, 0.5, 0.2, 0.1])  # share of the images that show a class
PIXELS = 200_000  # of an image's largest class, about
FALSE_ALARMS = 0.25  # wrongly predicted pixels of a class, per label pixel


@dataclass(frozen=True)
class World:
    """Standard deviations of the gain's effects, as shares of a class's pixels."""

    seed: float
    image: float
    noise: float  # of seed and image together


WORLDS = {
    "seed-dominated": World(seed=0.03, image=0.01, noise=0.01),
    "image-dominated": World(seed=0.001, image=0.05, noise=0.01),
    "mixed": World(seed=0.01, image=0.04, noise=0.04),
    "pure noise": World(seed=0.0, image=0.0, noise=0.05),
}


def draw_arms(world: World, seeds: int, images: int, rng: np.random.Generator) -> tuple[Arm, Arm]:
    """A method and a baseline on drawn labels; the method's expected gain is TRUE_GAIN.

    Class areas are log-normal, rare classes are on few images. IoU is the share of right pixels
    over 1 + FALSE_ALARMS, so effects that average 0 leave the expected gain exact.
    """
    shown = rng.random((images, len(FREQUENCY))) < FREQUENCY
    shown[rng.integers(images, size=len(FREQUENCY)), range(len(FREQUENCY))] = True
    label = np.round(shown * PIXELS * rng.lognormal(-1, 1, shown.shape)).astype(np.int64)
    union = np.broadcast_to(np.round((1 + FALSE_ALARMS) * label), (seeds, *label.shape))
    common = rng.normal(0.5, 0.05, (1, images, 1)) + rng.normal(0, 0.02, (seeds, 1, 1))
    gain = (
        (1 + FALSE_ALARMS) * TRUE_GAIN
        + rng.normal(0, world.seed, (seeds, 1, 1))
        + rng.normal(0, world.image, (1, images, 1))
        + rng.normal(0, world.noise, (seeds, images, 1))
    )
    names = tuple(str(index) for index in range(images))
    method, baseline = (
        Arm(
            tuple(range(seeds)),
            names,
            np.round(share * label).astype(np.int64),
            union.astype(np.int64),
            label,
        )
        for share in (common + gain, common + np.zeros_like(gain))
    )
    return method, baseline
