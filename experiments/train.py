"""Train one student with one method and seed, or publish what is already trained."""

import argparse

from segdistill.leaving import leave_with
from segdistill.pipeline.cells import plan_student
from segdistill.pipeline.publish import ensure_trained, publish_run
from segdistill.pipeline.stage import begin_stage


def main() -> int:
    """Leave results/PROFILE/runs/DATASET/METHOD/seedS/ complete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", help="name of a file in experiments/profiles/")
    parser.add_argument("dataset")
    parser.add_argument("method", help="key of a block under methods: in the profile")
    parser.add_argument("seed", type=int)
    args = parser.parse_args()
    begin_stage()
    cell = plan_student(args.profile, args.dataset, args.method, args.seed)
    ensure_trained(cell)
    publish_run(cell)
    return 0


if __name__ == "__main__":
    leave_with(main)
