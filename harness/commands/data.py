"""`python -m harness data DATASET`: draw or check a dataset, or verify a prepared one."""

import argparse
from pathlib import Path

HELP = "draw or check a dataset, write its manifest, or verify it against the manifest"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("dataset", help="camvid, cityscapes, voc, or scenes_ before one of these")
    parser.add_argument(
        "--from",
        dest="root",
        type=Path,
        metavar="PLACE",
        help="the dataset's folder, or a zip or tar archive to unpack into DIR/files; "
        "None = its environment variable, such as CAMVID_ROOT",
    )
    parser.add_argument(
        "--destination",
        type=Path,
        metavar="DIR",
        help="where MANIFEST.json goes and scenes are drawn; None = data/DATASET",
    )
    parser.add_argument(
        "--subset", action="store_true", help="accept other counts than the official release's"
    )
    parser.add_argument(
        "--verify", action="store_true", help="check every file against the manifest, write nothing"
    )


def run(args: argparse.Namespace) -> int:
    """Prepare or verify the dataset; 0, or 2 if a file differs from the manifest."""
    import os

    from harness.data.catalogue import dataset_info
    from harness.data.manifest import prepare
    from harness.data.scenes import MANIFEST_NAME

    info = dataset_info(args.dataset)
    destination = args.destination or Path("data") / info.name
    named = os.environ.get(info.root_variable or "")
    # A folder that is named nowhere is refused with the places where to name it.
    root = args.root or (destination if info.synthetic else Path(named or f"{info.name} (unset)"))
    if root.is_file():
        root = _unpack(root, destination / "files", info.root_variable)
    if args.verify:
        return _verify(destination / MANIFEST_NAME, root)
    _describe(prepare(info.name, root, destination, args.subset))
    return 0


def _unpack(archive: Path, folder: Path, variable: str | None) -> Path:
    from harness.data.archive import unpack

    root = unpack(archive, folder)
    print(f"unpacked to {root}; set {variable} to it")
    return root


def _verify(path: Path, root: Path) -> int:
    from harness.data.manifest import read_manifest, verify

    faults = verify(path, root)
    for fault in faults:
        print(fault)
    count = len(read_manifest(path).files)
    print(f"{path}: {count - len(faults)} of {count} files are as prepared")
    return 2 if faults else 0


def _describe(path: Path) -> None:
    from harness.data.catalogue import dataset_info
    from harness.data.manifest import read_manifest

    manifest = read_manifest(path)
    print(path)
    if manifest.subset:
        print("a subset: the counts are not the official ones, and every table will say so")
    for group in manifest.duplicates:
        print(f"warning: the same image in several splits: {', '.join(group)}")
    splits, classes = manifest.splits, dataset_info(manifest.dataset).classes
    width = max(map(len, (*classes, "% of label pixels")))
    print(f"{'':{width}}", *(f"{split:>8}" for split in splits))
    print(f"{'images':{width}}", *(f"{record.count:8}" for record in splits.values()))
    print("% of label pixels")
    for name in classes:
        shares = (_share(record.pixels, name) for record in splits.values())
        print(f"{name:{width}}", *(f"{100 * share:8.2f}" for share in shares))


def _share(pixels: dict[str, int], name: str) -> float:
    return pixels[name] / max(1, sum(pixels.values()))
