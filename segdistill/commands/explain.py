"""`segdistill explain RUN`: everything a finished run says about itself."""

import argparse
from pathlib import Path

HELP = "explain a run: settings, environment, losses, gradients, time, hashes, scores, predictions"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "name", metavar="RUN", help="a run's folder, or PROFILE/DATASET/METHOD/seedN"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write a page with loss curves; None = print text"
    )


def run(args: argparse.Namespace) -> int:
    """Print the explanation, or write it as a page."""
    from segdistill.explain import explain, text_lines

    told = explain(args.name)
    if args.html:
        from segdistill.explain.page import render
        from segdistill.records import write_bytes

        write_bytes(args.html, render(told).encode())
        print(args.html)
        return 0
    for line in text_lines(told):
        print(line)
    return 0
