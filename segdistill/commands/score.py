"""`segdistill score`: score label maps that anyone made."""

import argparse
from pathlib import Path

HELP = "score label maps, given as one npz file, against the labels of a split"
SHORT = ("miou", "iou", "pixel_accuracy", "absent_classes")


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--dataset", required=True, help="name of a dataset, such as camvid")
    parser.add_argument("--root", required=True, type=Path, help="folder of the dataset")
    parser.add_argument("--split", required=True, help="train, val, test, fit or tune")
    parser.add_argument(
        "--predictions",
        required=True,
        type=Path,
        help="npz with names (I,) and predictions (I, H, W) of train ids, or one array an image",
    )
    parser.add_argument(
        "--all", action="store_true", help="also boundary, trimap, object and per-image metrics"
    )


def run(args: argparse.Namespace) -> int:
    """Print the scores as JSON; fractions, null where undefined."""
    import json

    from segdistill.data.splits import open_split
    from segdistill.evaluation.predictions import score_predictions

    split = open_split(args.dataset, args.root, args.split)
    values = score_predictions(args.predictions, split)
    print(json.dumps(values if args.all else {key: values[key] for key in SHORT}, indent=1))
    return 0
