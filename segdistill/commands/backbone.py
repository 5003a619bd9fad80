"""`segdistill backbone NAME`: get an ImageNet backbone, checked by its sha256."""

import argparse
from pathlib import Path

from segdistill.models.pretrained import backbone_path

HELP = "get an ImageNet backbone from where it is published or a file, checked by its sha256"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("name", help="such as mobilenet_v2_imagenet or resnet101_v1c")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        help="a .pt or .pth file to convert, not to download",
    )
    parser.add_argument(
        "--to",
        type=Path,
        default=backbone_path("any").parent,
        help="folder to write into; BACKBONE_ROOT names another",
    )


def run(args: argparse.Namespace) -> int:
    """Fetch, convert, check and write."""
    from segdistill.models.fetch import fetch

    print(fetch(args.name, args.to, args.source))
    return 0
