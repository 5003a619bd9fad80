"""`segdistill check [PATH ...]`: is what lies in results/ what it says it is?"""

import argparse
from pathlib import Path

HELP = "hold published results against their records, areas, tables and today's code"
DESCRIPTION = """\
Hold published results against their records. Without options files are only read: hashes, logs,
scores and tables recomputed from per-image areas, pairing of seeds, and whether recipe, code,
data and teacher are still those of the run. Every difference is a line that begins with the file.
Exit status: 0 all as recorded, 1 something differs, 2 it cannot be checked."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "paths",
        type=Path,
        nargs="*",
        metavar="PATH",
        help="a published run (the folder of a run.json) or a whole results/EXPERIMENT, your own "
        "or another's; without any, every folder of results/",
    )
    parser.add_argument(
        "--evaluate",
        action="store_true",
        help="score the weights that are here again, area by area (needs the data; minutes)",
    )
    parser.add_argument(
        "--retrain",
        action="store_true",
        help="train every run again in a temporary folder and compare the bits of weights and log "
        "(needs the data and the teacher; as long as training took)",
    )


def run(args: argparse.Namespace) -> int:
    """Print every difference, then notes; 0 if there is no difference, else 1."""
    from segdistill.check.published import find_targets
    from segdistill.check.report import check

    targets, faults = find_targets(args.paths), 0
    for target in targets:
        for finding in check(target, args.evaluate, args.retrain):
            print(finding.text if finding.is_fault else f"note: {finding.text}", flush=True)
            faults += finding.is_fault
    cells = sum(len(target.folders) for target in targets)
    print(f"cells checked: {cells}; {f'differences: {faults}' if faults else 'all as recorded'}")
    return 1 if faults else 0
