"""`segdistill submit-check FOLDER`: hold a results folder against the suite's rules."""

import argparse
from pathlib import Path

HELP = "check a folder results/PROFILE: schemas, scores from areas, pairing, provenance, tables"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", type=Path, help="a folder results/PROFILE, your own or another's")


def run(args: argparse.Namespace) -> int:
    """Print every violation, then remarks; 0 if there is no violation, else 2."""
    from segdistill.check.submission import check_submission

    verdict = check_submission(args.folder)
    for violation in verdict.violations:
        print(f"violation: {violation}")
    for remark in verdict.remarks:
        print(f"remark: {remark}")
    print(f"{args.folder}: {verdict.cells} cells, {len(verdict.violations)} violations")
    return 2 if verdict.violations else 0
