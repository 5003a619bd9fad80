"""`segdistill data DATASET`: get, draw or check a dataset, or verify a prepared one."""

import argparse
from pathlib import Path

HELP = "get, draw or check a dataset, write its manifest, or verify it against the manifest"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("dataset", help="camvid, cityscapes, voc, or scenes_ before one of these")
    parser.add_argument(
        "--from",
        dest="sources",
        nargs="+",
        default=[],
        metavar="SOURCE",
        help="the dataset's folder, its official archives (put together in DIR/files), or "
        "`download`; none = its environment variable, such as CAMVID_ROOT, or DIR/files",
    )
    parser.add_argument(
        "--destination",
        type=Path,
        metavar="DIR",
        help="where MANIFEST.json goes, archives are unpacked and scenes are drawn; "
        "None = data/DATASET",
    )
    parser.add_argument(
        "--subset", action="store_true", help="accept other counts than the official release's"
    )
    parser.add_argument(
        "--verify", action="store_true", help="check every file against the manifest, write nothing"
    )


def run(args: argparse.Namespace) -> int:
    """Prepare or verify the dataset; 0, or 2 if a file differs from the manifest."""
    from segdistill.data.catalogue import dataset_info
    from segdistill.data.download import obtain
    from segdistill.errors import SuiteError
    from segdistill.settings.loading import EXPERIMENTS

    info = dataset_info(args.dataset)
    draws_here = info.synthetic and not args.sources and args.destination is None
    if draws_here and not EXPERIMENTS.is_dir():
        raise SuiteError(
            f"{EXPERIMENTS}: no such folder here; run this where the project is, or name "
            "--destination"
        )
    destination = args.destination or Path("data") / info.name
    if args.verify:
        return _verify(info.name, destination, args.sources)
    _describe(obtain(info, args.sources, destination, args.subset))
    return 0


def _verify(dataset: str, destination: Path, sources: list[str]) -> int:
    from segdistill.data.catalogue import dataset_info
    from segdistill.data.download import default_root
    from segdistill.data.manifest import read_manifest, verify
    from segdistill.data.scenes.dataset import MANIFEST_NAME
    from segdistill.errors import SuiteError

    if len(sources) > 1:
        raise SuiteError("--verify takes one folder with --from")
    root = Path(sources[0]) if sources else default_root(dataset_info(dataset), destination)
    path = destination / MANIFEST_NAME
    faults = verify(path, root)
    for fault in faults:
        print(fault)
    count = len(read_manifest(path).files)
    print(f"{path}: {count - len(faults)} of {count} files are as prepared")
    return 2 if faults else 0


def _describe(path: Path) -> None:
    from segdistill.data.catalogue import dataset_info
    from segdistill.data.manifest import read_manifest
    from segdistill.settings.cell import manifest_path
    from segdistill.settings.loading import INSTALLED

    manifest = read_manifest(path)
    print(path)
    files = path.parent / INSTALLED
    if files.is_dir():
        variable = dataset_info(manifest.dataset).root_variable
        if path == manifest_path(manifest.dataset):
            print(f"the stages read {files} unless {variable} names another folder")
        else:
            print(f"for the stages: export {variable}={files}")
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
