"""`python -m harness bench`: what losses, distilled steps, loader and cohorts cost here, and
what the steps cost on a GPU.
"""

import argparse
from pathlib import Path

HELP = "measure losses, distilled steps (also on a GPU), the loader or cohorts; keep the tables"
RESULTS = Path("results/bench")


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--losses", action="store_true", help="only the losses")
    what.add_argument("--steps", action="store_true", help="only the distilled steps")
    what.add_argument("--loader", action="store_true", help="only the loader")
    what.add_argument(
        "--cohort",
        action="store_true",
        help="only the profile's methods trained together and one by one, on its first dataset",
    )
    what.add_argument(
        "--gpu", action="store_true", help="only the distilled steps on this machine's GPU"
    )
    maps = parser.add_mutually_exclusive_group()
    maps.add_argument(
        "--large", action="store_true", help="the losses at widths 512/2048 instead of 128/256"
    )
    maps.add_argument(
        "--whole",
        action="store_true",
        help="the losses that are usually measured on a smaller map, on 64x128: 10 GB, minutes",
    )
    parser.add_argument(
        "--profile", help="profile of steps, cohort or GPU; without it the active one"
    )
    parser.add_argument(
        "--every",
        action="store_true",
        help="the steps also of the methods that the profile does not list, with their defaults",
    )
    parser.add_argument(
        "--repeats", type=int, default=5, help="the best of so many, not of cohorts"
    )
    parser.add_argument(
        "--crop",
        nargs="+",
        type=_crop,
        metavar="HxW",
        help="crops, with --gpu; without it the profile's",
    )
    parser.add_argument(
        "--precision",
        nargs="+",
        choices=("fp32", "bf16"),
        default=["fp32", "bf16"],
        help="precisions of teacher and student, with --gpu",
    )
    parser.add_argument(
        "--determinism",
        nargs="+",
        choices=("exact", "seeded", "fast"),
        help="levels, with --gpu; without it the profile's",
    )


def _crop(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise argparse.ArgumentTypeError(f"'{text}' is no crop; write HEIGHTxWIDTH, as 512x1024")
    return int(height), int(width)


def run(args: argparse.Namespace) -> int:
    """Print the tables and write them to results/bench/ as Markdown and JSON."""
    from harness.bench.cases import Maps
    from harness.bench.session import (
        COHORT_STEPS,
        bench_cohort,
        bench_gpu,
        bench_loader,
        bench_losses,
        bench_steps,
    )

    if args.gpu:
        bench_gpu(RESULTS, args.profile, args.crop, args.precision, args.determinism,
                  args.repeats, args.every)  # fmt: skip
        return 0
    if args.cohort:
        bench_cohort(RESULTS, args.profile, COHORT_STEPS)
        return 0
    if not args.steps and not args.loader:
        maps: Maps = "large" if args.large else "whole" if args.whole else "usual"
        bench_losses(RESULTS, maps, args.repeats)
    if not args.losses and not args.loader:
        bench_steps(RESULTS, args.profile, args.repeats, args.every)
    if not args.losses and not args.steps:
        bench_loader(RESULTS, args.repeats)
    return 0
