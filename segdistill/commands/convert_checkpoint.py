"""`segdistill convert-checkpoint FILE`: take in a network that others trained."""

import argparse
from pathlib import Path

HELP = "convert another's checkpoint for a profile: every tensor checked, and scored before use"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("source", type=Path, help=".pth, .pt or .safetensors file; no code is run")
    parser.add_argument("--to", required=True, type=Path, help="safetensors file to write")
    parser.add_argument("--profile", help="whose network it must be; without it the active one")
    parser.add_argument(
        "--role",
        choices=("teacher", "student"),
        default="teacher",
        help="which of the two networks",
    )
    parser.add_argument("--dataset", help="whose classes it knows; without it the grid's first")
    parser.add_argument("--split", help="to score on; without it the one that is reported")
    parser.add_argument("--floor", type=float, help="mIoU in percent; a network below is refused")
    parser.add_argument("--no-evaluate", action="store_true", help="write it without scoring it")


def run(args: argparse.Namespace) -> int:
    """Convert, check, score, write."""
    from segdistill.pipeline.acceptance import Request, accept
    from segdistill.settings.loading import read_params, read_profile

    profile = args.profile or read_params().profile
    request = Request(
        source=args.source,
        target=args.to,
        profile=profile,
        role=args.role,
        dataset=args.dataset or read_profile(profile).grid.datasets[0],
        split=args.split,
        floor=None if args.floor is None else args.floor / 100,
        score=not args.no_evaluate,
    )
    print("\n".join(accept(request)))
    return 0
