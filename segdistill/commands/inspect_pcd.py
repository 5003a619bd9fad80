"""`segdistill inspect-pcd PROFILE DATASET`: what PCD keeps, prunes and matches."""

import argparse

HELP = "draw what PCD does: class responses, scores, stability over the training, channel maps"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("profile", help="a profile with finished runs of PCD")
    parser.add_argument("dataset", help="one of its datasets")
    parser.add_argument("--method", default="pcd", help="the key of the block")
    parser.add_argument("--seed", type=int, default=0, help="the student to look at")
    parser.add_argument("--steps", type=int, default=50, help="training batches to show")


def run(args: argparse.Namespace) -> int:
    """Write SVG, PNG and CSV of every plot into results/PROFILE/inspection/ and say where."""
    from segdistill.inspection.command import inspect_pcd

    for path in inspect_pcd(args.profile, args.dataset, args.method, args.seed, args.steps):
        print(path)
    return 0
