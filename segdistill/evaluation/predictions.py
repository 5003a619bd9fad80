"""Scoring of label maps that anyone made, from one npz file."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from segdistill.data.splits import Split
from segdistill.errors import SuiteError
from segdistill.evaluation.areas import UNREADABLE, Measure
from segdistill.evaluation.iou import Bytes
from segdistill.evaluation.scores import scores

Archive = Mapping[str, npt.NDArray[Any]]


def score_predictions(path: Path, split: Split) -> dict[str, Any]:
    """All scores of the label maps in `path` against the labels of `split`.

    The npz holds either `names` (I,) and `predictions` (I, H, W), or one H W array an image
    under the image's name. Names may end in a file's suffix; values are train ids 0..K-1 of any
    integer type. Raises SuiteError for a name that is unknown, repeated or missing, and for a
    map of the wrong type, size or range.
    """
    measure = Measure(split.info.classes)
    with _opened(path) as archive:
        maps = _maps(path, archive)
        rows = _rows(path, list(maps), split.names)
        for index, name in enumerate(split.names):
            label = split.read(index).label
            prediction = maps[rows[name]]
            measure.add(name, _checked(path, name, prediction, label, split.info.classes), label)
    return scores(measure.finish(), measure.confusion, split.info.classes)


@contextmanager
def _opened(path: Path) -> Iterator[Archive]:
    """The arrays of an npz. Raises SuiteError if anything in it cannot be read."""
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise SuiteError(f"{path}: one bare array; save names and predictions as npz")
        with archive:
            yield archive
    except UNREADABLE as error:
        raise SuiteError(f"{path}: cannot be read as an npz of plain arrays ({error})") from error


def _maps(path: Path, archive: Archive) -> Archive:
    """Label maps by the name they carry, whichever of the two forms the file has."""
    if "predictions" not in archive:
        return archive
    if "names" not in archive:
        raise SuiteError(f"{path}: array `names` is missing beside `predictions`")
    names, predictions = archive["names"], archive["predictions"]
    if names.ndim != 1 or names.dtype.kind != "U" or predictions.ndim != 3:
        raise SuiteError(
            f"{path}: names {names.dtype} {names.shape} and predictions {predictions.shape}; "
            "expected text (I,) and integers (I, H, W)"
        )
    if len(names) != len(predictions):
        raise SuiteError(f"{path}: {len(names)} names but {len(predictions)} predictions")
    listed = names.tolist()
    if repeated := next((name for name in listed if listed.count(name) > 1), None):
        raise SuiteError(f"{path}: {repeated!r} is named more than once; names must differ")
    return dict(zip(listed, predictions, strict=True))


def _rows(path: Path, listed: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The file's own name for every image of the split."""
    known = set(names)
    rows: dict[str, str] = {}
    for given in listed:
        name = given if given in known else PurePosixPath(given).stem
        if name not in known:
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the first is {names[0]!r}"
            raise SuiteError(f"{path}: no image {given!r} in this split; {hint}")
        if name in rows:
            raise SuiteError(f"{path}: {given!r} and {rows[name]!r} are the same image")
        rows[name] = given
    if missing := [name for name in names if name not in rows]:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise SuiteError(f"{path}: {len(missing)} of {len(names)} images are missing: {shown}")
    return rows


def _checked(
    path: Path, name: str, prediction: npt.NDArray[Any], label: Bytes, classes: Sequence[str]
) -> Bytes:
    if prediction.dtype.kind not in "iu":
        raise SuiteError(f"{path}: {name} is {prediction.dtype}; label maps are integers")
    if prediction.shape != label.shape:
        raise SuiteError(f"{path}: {name} is {prediction.shape}, its label is {label.shape}")
    low, high = int(prediction.min()), int(prediction.max())
    if low < 0 or high >= len(classes):
        value = low if low < 0 else high
        raise SuiteError(f"{path}: {name} holds {value}; classes are 0..{len(classes) - 1}")
    return prediction.astype(np.uint8)
