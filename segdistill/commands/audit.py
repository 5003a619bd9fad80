"""`segdistill audit RUN`: train a published run again and compare the bits."""

import argparse
from pathlib import Path

HELP = "train a published run again in a temporary folder and compare weights and log"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = f"{HELP}. Exit status: 0 same bits, 1 other bits, 2 cannot be repeated."
    parser.add_argument("folder", type=Path, metavar="RUN", help="folder of a run.json in results/")


def run(args: argparse.Namespace) -> int:
    """Print what compares how; 0 if the bits are the same, 1 if not."""
    from segdistill.check.audit import audit_run

    audit = audit_run(args.folder)
    for note in audit.notes:
        print(note)
    if not audit.different:
        print("same bits: weights and log")
        return 0
    print(f"other bits: {', '.join(audit.different)}")
    print(f"miou {audit.published_miou} published, {audit.repeated_miou} here")
    if len(audit.seeds_miou) > 1:
        print(f"published seeds lie between {min(audit.seeds_miou)} and {max(audit.seeds_miou)}")
    return 1
