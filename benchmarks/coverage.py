"""How often the 95 % interval of a gain holds the true one: `python -m benchmarks.coverage`."""

import argparse

import numpy as np

from segdistill.statistics import crossed_bootstrap, crossed_interval, percentile_interval
from segdistill.statistics.simulation import TRUE_GAIN, WORLDS, World, draw_arms


def formula(world: World, seeds: int, images: int, rng: np.random.Generator) -> bool:
    method, baseline = draw_arms(world, seeds, images, rng)
    interval = crossed_interval(method.influences() - baseline.influences())
    return interval is not None and interval.holds(TRUE_GAIN)


def bootstrap(world: World, seeds: int, images: int, rng: np.random.Generator) -> bool:
    method, baseline = draw_arms(world, seeds, images, rng)
    low, high = percentile_interval(crossed_bootstrap([method], baseline, 500)[:, 0])
    return low <= TRUE_GAIN <= high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4000, help="experiments drawn a line")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, default=100)
    args = parser.parse_args()
    print(f"{args.seeds} seeds x {args.images} images, {args.trials} trials: share held")
    for name, world in WORLDS.items():
        rng = np.random.default_rng(0)
        shares = []
        for holds, trials in ((formula, args.trials), (bootstrap, args.trials // 10)):
            held = [holds(world, args.seeds, args.images, rng) for _ in range(trials)]
            shares.append(np.mean(held))
        print(f"{name:16} formula {shares[0]:.3f}   crossed bootstrap {shares[1]:.3f}")


if __name__ == "__main__":
    main()
