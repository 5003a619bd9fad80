"""Measuring: what is refused, what a kept truth changes, and the file of areas."""

from pathlib import Path

import numpy as np
import pytest
from metric_cases import CLASSES, draw_maps, measured

from segdistill.errors import SuiteError
from segdistill.evaluation.areas import Areas, Measure

PAIRS = [draw_maps(seed) for seed in range(3)]


def assert_equal(ours: Areas, theirs: Areas) -> None:
    np.testing.assert_array_equal(ours.names, theirs.names)
    np.testing.assert_array_equal(ours.objects, theirs.objects)
    for group in ("pixels", "boundary", "trimap"):
        for part in ("intersection", "prediction", "label"):
            first, second = (getattr(getattr(areas, group), part) for areas in (ours, theirs))
            np.testing.assert_array_equal(first, second)


def test_areas_survive_the_disk(tmp_path: Path) -> None:
    areas, _ = measured(PAIRS)
    areas.save(tmp_path / "areas.npz")
    assert_equal(Areas.load(tmp_path / "areas.npz"), areas)


def test_equal_areas_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("first.npz", "second.npz"):
        measured(PAIRS)[0].save(tmp_path / name)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


def test_kept_truths_change_no_count_even_when_the_label_changed() -> None:
    truths: dict[str, object] = {}
    for pairs in (PAIRS, PAIRS, PAIRS[::-1]):  # the third gives every name another label
        measure = Measure(CLASSES, truths)  # type: ignore[arg-type]
        for index, (prediction, label) in enumerate(pairs):
            measure.add(f"image{index}", prediction, label)
        assert_equal(measure.finish(), measured(pairs)[0])
    assert sorted(truths) == ["image0", "image1", "image2"]


@pytest.mark.parametrize(
    ("prediction", "label", "message"),
    [
        (np.zeros((3, 4), np.uint8), np.zeros((4, 3), np.uint8), r"\(3, 4\) but label \(4, 3\)"),
        (np.zeros((3, 4), np.int64), np.zeros((3, 4), np.uint8), "must be uint8, not int64"),
        (np.full((3, 4), 4, np.uint8), np.zeros((3, 4), np.uint8), "predicted class 4"),
        (np.zeros((3, 4), np.uint8), np.full((3, 4), 254, np.uint8), "beyond class 3"),
    ],
)
def test_wrong_maps_are_refused(prediction: np.ndarray, label: np.ndarray, message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        Measure(CLASSES).add("a", prediction, label)


def test_a_repeated_name_and_an_empty_split_are_refused() -> None:
    measure = Measure(CLASSES)
    with pytest.raises(SuiteError, match="no image was measured"):
        measure.finish()
    measure.add("a", *PAIRS[0])
    with pytest.raises(SuiteError, match="a: measured twice"):
        measure.add("a", *PAIRS[1])


def rewritten(path: Path, **changes: np.ndarray | None) -> Path:
    """A saved file with some of its arrays replaced, or left out where None."""
    measured(PAIRS)[0].save(path)
    with np.load(path, allow_pickle=False) as archive:
        arrays = {**dict(archive), **changes}
    np.savez_compressed(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"intersection": None}, "not areas of this suite"),
        ({"radii": np.array([1, 2, 3, 4, 5])}, "bands of another version"),
        ({"names": np.array(["a", "a", "b"])}, "image names are repeated"),
        ({"names": np.array(["a", "b"])}, "wrong shape or type"),
        ({"label": np.zeros((3, 4))}, "wrong shape or type"),
        ({"trimap_label": np.zeros((4, 3, 4), np.int64)}, "wrong shape or type"),
        ({"intersection": np.full((3, 4), 999)}, "contradict one another"),
        ({"intersection": np.full((3, 4), -1)}, "contradict one another"),
        ({"objects": np.zeros((2, 6), np.int64)}, "objects of wrong shape"),
        ({"objects": np.array([[0, 9, 0, 1, 1, 1, 1]])}, "objects that contradict"),
    ],
)
def test_files_that_make_no_sense_are_refused(
    tmp_path: Path, changes: dict[str, np.ndarray | None], message: str
) -> None:
    path = rewritten(tmp_path / "areas.npz", **changes)
    with pytest.raises(SuiteError, match=message) as caught:
        Areas.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut off"])
def test_broken_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "areas.npz"
    path.write_bytes(content)
    with pytest.raises(SuiteError, match="evaluate again"):
        Areas.load(path)


def test_a_bare_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "areas.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(SuiteError, match="not areas of this suite"):
        Areas.load(path)


def test_objects_in_a_pickle_are_never_run(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "areas.npz", names=np.array([print, "b", "c"], dtype=object))
    with pytest.raises(SuiteError, match="allow_pickle"):
        Areas.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"absent\.npz"):
        Areas.load(tmp_path / "absent.npz")
