"""Score one trained network, a student's or the teacher's, or publish what is already scored."""

import argparse

from segdistill.leaving import leave_with
from segdistill.pipeline.cells import TEACHER
from segdistill.pipeline.evaluations import plan_evaluation
from segdistill.pipeline.publish import publish_evaluation
from segdistill.pipeline.stage import begin_stage
from segdistill.training.instructions import cap_instructions


def main() -> int:
    """Leave results/PROFILE/evals/DATASET/METHOD/seedS/ complete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", help="name of a file in experiments/profiles/")
    parser.add_argument("dataset")
    parser.add_argument("method", help=f"key of a block under methods:, or {TEACHER!r}")
    parser.add_argument("seed", type=int, nargs="?", default=0, help="default: %(default)s")
    args = parser.parse_args()
    begin_stage()
    cap_instructions()
    plan = plan_evaluation(args.profile, args.dataset, args.method, args.seed)
    if not plan.done:
        from segdistill.pipeline.worker import evaluate_cell  # needs torch

        evaluate_cell(args.profile, args.dataset, args.method, args.seed)
    publish_evaluation(plan)
    return 0


if __name__ == "__main__":
    leave_with(main)
