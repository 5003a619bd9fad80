"""`segdistill export-logs FOLDER`: hand training logs on to TensorBoard or DVCLive."""

import argparse
from pathlib import Path

HELP = "copy training logs for TensorBoard or DVCLive (optional packages)"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", type=Path, help="a run's folder, or results/PROFILE for all")
    parser.add_argument(
        "--to", choices=("tensorboard", "dvclive"), default="tensorboard", help="the viewer"
    )
    parser.add_argument(
        "--out", type=Path, help="folder to write to; None is logs/tensorboard or logs/dvclive"
    )


def run(args: argparse.Namespace) -> int:
    """Write the copies and print where they are."""
    from segdistill.pipeline.sinks import export_logs

    target = args.out or Path("logs") / args.to
    places = export_logs(args.folder, args.to, target)
    print(f"{len(places)} logs written below {target}")
    if args.to == "tensorboard":
        print(f"tensorboard --logdir {target}")
    return 0
