"""`segdistill show RUN`: what a finished run was, how it went, and what came of it."""

import argparse
from pathlib import Path

HELP = "show a run: options, environment, time, hashes, losses, scores; or export its log"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="a run's folder, or EXPERIMENT/DATASET/METHOD/seedN"
    )
    parser.add_argument(
        "--log",
        type=Path,
        metavar="FILE.csv|FOLDER",
        help="instead write the logs of all RUNs as one table, or for TensorBoard into a folder",
    )


def run(args: argparse.Namespace) -> int:
    """Print the runs, or write their logs."""
    from segdistill.report.log_export import to_csv, to_tensorboard
    from segdistill.report.run_text import find_run, run_lines

    folders = [find_run(name) for name in args.runs]
    if args.log is None:
        for folder in folders:
            print(*run_lines(folder), sep="\n")
    elif args.log.suffix == ".csv":
        to_csv(folders, args.log)
        print(args.log)
    else:
        to_tensorboard(folders, args.log)
        print(f"tensorboard --logdir {args.log}")
    return 0
