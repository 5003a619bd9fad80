"""Compare an experiment's finished cells: tables, plots, pictures, summary.json, report.html."""

import argparse
from pathlib import Path

from segdistill.following import follow_dvc
from segdistill.leaving import leave_with


def main() -> int:
    """Write results/EXPERIMENT/ and print the headline tables; status 2 if a cell is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("experiment", nargs="?", help="its name; None is the default experiment")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of results")
    parser.add_argument(
        "--partial", action="store_true", help="exit with 0 even if cells are missing or failed"
    )
    args = parser.parse_args()
    follow_dvc()
    from segdistill.report.compare import build_report  # after the arguments: it loads matplotlib

    report = build_report(args.experiment, args.results)
    print(report.text())
    return 0 if args.partial else report.status


if __name__ == "__main__":
    leave_with(main)
