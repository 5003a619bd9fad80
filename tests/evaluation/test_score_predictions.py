"""Scoring of foreign label maps: both forms of the file, and every way to get it wrong."""

from pathlib import Path

import numpy as np
import pytest
from data_files import write_dataset
from numpy.typing import NDArray

from segdistill.data.splits import Split, open_split
from segdistill.errors import SuiteError
from segdistill.evaluation.areas import Measure
from segdistill.evaluation.predictions import score_predictions
from segdistill.evaluation.scores import scores

Arrays = dict[str, NDArray[np.generic]]


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    return open_split("camvid", write_dataset("camvid", tmp_path_factory.mktemp("camvid")), "test")


@pytest.fixture
def good(split: Split) -> Arrays:
    shape = (len(split), *split.read(0).label.shape)
    predictions = np.random.default_rng(0).integers(0, 11, shape)
    return {"names": np.array(split.names), "predictions": predictions}


def save(folder: Path, arrays: Arrays) -> Path:
    path = folder / "predictions.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def test_scores_are_those_of_the_maps_whatever_their_order(
    tmp_path: Path, split: Split, good: Arrays
) -> None:
    measure = Measure(split.info.classes)
    for index, name in enumerate(split.names):
        prediction = good["predictions"][index].astype(np.uint8)
        measure.add(name, prediction, split.read(index).label)
    expected = scores(measure.finish(), measure.confusion, split.info.classes)
    turned = {key: values[::-1] for key, values in good.items()}
    assert score_predictions(save(tmp_path, turned), split) == expected
    by_file = {f"{name}.png": good["predictions"][i] for i, name in enumerate(split.names)}
    assert score_predictions(save(tmp_path, by_file), split) == expected


def renamed(good: Arrays, *names: str) -> Arrays:
    return {**good, "names": np.array(names)}


def filled(good: Arrays, value: float, kind: type) -> Arrays:
    return {**good, "predictions": np.full_like(good["predictions"], value, dtype=kind)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: renamed(a, "test_0", "test_1", "test_1"), "'test_1' is named more than once"),
        (lambda a: renamed(a, "test_0", "test_1", "test_7"), "no image 'test_7'.*did you mean"),
        (lambda a: renamed(a, "test_0", "test_1", "test_1.png"), "are the same image"),
        (lambda a: renamed(a, "test_0", "test_1"), "2 names but 3 predictions"),
        (
            lambda a: {key: array[:2] for key, array in a.items()},
            "1 of 3 images are missing: test_2",
        ),
        (lambda a: {"predictions": a["predictions"]}, "`names` is missing"),
        (lambda a: {**a, "predictions": a["predictions"][0]}, r"integers \(I, H, W\)"),
        (lambda a: {**a, "predictions": a["predictions"][:, 1:]}, "its label is"),
        (lambda a: filled(a, 0.0, np.float32), "is float32; label maps are integers"),
        (lambda a: filled(a, 11, np.uint8), "holds 11; classes are 0..10"),
        (lambda a: filled(a, -1, np.int16), "holds -1"),
        (lambda a: filled(a, 256, np.int64), "holds 256"),
        (lambda a: {**a, "names": np.array([print] * 3, dtype=object)}, "allow_pickle"),
    ],
)
def test_wrong_files_are_refused(
    tmp_path: Path, split: Split, good: Arrays, change, message: str
) -> None:
    path = save(tmp_path, change(good))
    with pytest.raises(SuiteError, match=message) as caught:
        score_predictions(path, split)
    assert str(path) in str(caught.value)


def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, split: Split) -> None:
    path = tmp_path / "predictions.npz"
    path.write_text("label maps")
    with pytest.raises(SuiteError, match="cannot be read as an npz"):
        score_predictions(path, split)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(SuiteError, match="one bare array"):
        score_predictions(path, split)
