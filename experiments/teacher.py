"""Train a dataset's teacher, or publish what is already trained."""

import argparse

from harness.cells import plan_teacher
from harness.following import follow_dvc
from harness.leaving import leave_with
from harness.publish import ensure_trained, publish_run
from harness.recorded import keep_stages


def main() -> int:
    """Leave results/PROFILE/teachers/DATASET/ complete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", help="name of a file in experiments/profiles/")
    parser.add_argument("dataset")
    args = parser.parse_args()
    follow_dvc()
    keep_stages()
    cell = plan_teacher(args.profile, args.dataset)
    ensure_trained(cell)
    publish_run(cell)
    return 0


if __name__ == "__main__":
    leave_with(main)
