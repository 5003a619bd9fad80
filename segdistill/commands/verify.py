"""`segdistill verify RUN`: check a published run against its record."""

import argparse
from pathlib import Path

HELP = "check every hash of a published run and evaluate it again, area by area"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = f"{HELP}. Exit status: 0 all as recorded, 1 not, 2 cannot be checked."
    parser.add_argument("folder", type=Path, metavar="RUN", help="folder of a run.json in results/")


def run(args: argparse.Namespace) -> int:
    """Print a line a check; 0 if all is as recorded, 1 if not."""
    from segdistill.check.verify import verify_run

    faults = 0
    for check in verify_run(args.folder):
        print(f"{check.what}: {check.fault or 'as recorded'}", flush=True)
        faults += check.fault is not None
    return 1 if faults else 0
