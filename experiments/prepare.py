"""Draw or check a dataset and write data/DATASET/MANIFEST.json."""

import argparse
from pathlib import Path

from segdistill.data.catalogue import dataset_info
from segdistill.data.preparation import prepare
from segdistill.leaving import leave_with
from segdistill.pipeline.stage import begin_stage
from segdistill.settings.loading import data_root, data_source, read_profile
from segdistill.settings.names import profile_name


def main() -> int:
    """Prepare the dataset as the profile describes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", help="name of a file in experiments/profiles/")
    parser.add_argument("dataset")
    args = parser.parse_args()
    begin_stage()
    source = data_source(read_profile(profile_name(args.profile)), args.dataset, args.profile)
    info = dataset_info(args.dataset)
    root = data_root(source, args.dataset, info.root_variable, info.synthetic)
    prepare(args.dataset, root, Path("data") / args.dataset, subset=source.subset)
    return 0


if __name__ == "__main__":
    leave_with(main)
