"""Draw or check a dataset and write data/DATASET/MANIFEST.json."""

import argparse
from pathlib import Path

from segdistill.data.catalogue import dataset_info
from segdistill.data.preparation import prepare
from segdistill.following import follow_dvc
from segdistill.leaving import leave_with
from segdistill.settings.loading import data_root


def main() -> int:
    """Prepare the dataset where it lies, or draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument(
        "--subset",
        choices=("true", "false"),
        default="false",
        help="whether a part of the release will do, which tables then say (default: %(default)s)",
    )
    args = parser.parse_args()
    follow_dvc()
    info = dataset_info(args.dataset)
    root = data_root(args.dataset, info.root_variable, info.synthetic)
    prepare(args.dataset, root, Path("data") / args.dataset, subset=args.subset == "true")
    return 0


if __name__ == "__main__":
    leave_with(main)
