"""Train one student, or a dataset's teacher, or publish what is already trained."""

import argparse

from segdistill.following import follow_dvc
from segdistill.leaving import leave_with
from segdistill.pipeline.cells import plan
from segdistill.pipeline.publish import ensure_trained, publish_run
from segdistill.settings.cell import TEACHER, Cell


def main() -> int:
    """Leave the cell's folder below results/EXPERIMENT/ complete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", help="an experiment's name")
    parser.add_argument("dataset")
    parser.add_argument("method", help=f"a key under options:, or {TEACHER!r}")
    parser.add_argument("seed", type=int, nargs="?", default=0, help="default: %(default)s")
    args = parser.parse_args()
    follow_dvc()
    planned = plan(Cell(args.experiment, args.dataset, args.method, args.seed))
    ensure_trained(planned)
    publish_run(planned)
    return 0


if __name__ == "__main__":
    leave_with(main)
