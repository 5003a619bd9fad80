"""Train a dataset's teacher, or publish what is already trained."""

import argparse

from segdistill.leaving import leave_with
from segdistill.pipeline.cells import plan_teacher
from segdistill.pipeline.publish import ensure_trained, publish_run
from segdistill.pipeline.stage import begin_stage


def main() -> int:
    """Leave results/PROFILE/teachers/DATASET/ complete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", help="name of a file in experiments/profiles/")
    parser.add_argument("dataset")
    args = parser.parse_args()
    begin_stage()
    cell = plan_teacher(args.profile, args.dataset)
    ensure_trained(cell)
    publish_run(cell)
    return 0


if __name__ == "__main__":
    leave_with(main)
