"""Score one trained network, a student's or the teacher's, or publish what is already scored."""

import argparse

from segdistill.following import follow_dvc
from segdistill.leaving import leave_with
from segdistill.pipeline.evaluations import plan_evaluation
from segdistill.pipeline.publish import publish_evaluation
from segdistill.settings.cell import TEACHER, Cell
from segdistill.training.instructions import cap_instructions


def main() -> int:
    """Leave results/EXPERIMENT/evals/DATASET/METHOD/seedS/ complete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", help="an experiment's name")
    parser.add_argument("dataset")
    parser.add_argument("method", help=f"a key under options:, or {TEACHER!r}")
    parser.add_argument("seed", type=int, nargs="?", default=0, help="default: %(default)s")
    args = parser.parse_args()
    follow_dvc()
    cap_instructions()
    cell = Cell(args.experiment, args.dataset, args.method, args.seed)
    planned = plan_evaluation(cell)
    if not planned.done:
        from segdistill.pipeline.worker import evaluate_cell  # needs torch

        evaluate_cell(cell)
    publish_evaluation(planned)
    return 0


if __name__ == "__main__":
    leave_with(main)
