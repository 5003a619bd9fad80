import numpy as np
import pytest

from segdistill.data.catalogue import dataset_info, dataset_names
from segdistill.errors import SuiteError


def test_class_counts_are_those_of_the_published_tasks() -> None:
    counts = {name: len(dataset_info(name).classes) for name in dataset_names()}
    assert counts == {
        "cityscapes": 19, "voc": 21, "camvid": 11,
        "scenes_cityscapes": 19, "scenes_voc": 21, "scenes_camvid": 11,
    }  # fmt: skip


@pytest.mark.parametrize("name", dataset_names())
def test_palette_has_one_distinct_colour_a_class(name: str) -> None:
    info = dataset_info(name)
    assert len(info.palette) == len(set(info.palette)) == len(info.classes)
    assert len(set(info.classes)) == len(info.classes)


def test_voc_palette_follows_the_bit_pattern() -> None:
    palette = dataset_info("voc").palette
    assert palette[0] == (0, 0, 0)
    assert palette[1] == (128, 0, 0)
    assert palette[15] == (192, 128, 128)
    assert palette[20] == (0, 64, 128)


@pytest.mark.parametrize("name", ["cityscapes", "voc", "camvid"])
def test_drawn_twin_shares_classes_but_never_the_name(name: str) -> None:
    real, drawn = dataset_info(name), dataset_info(f"scenes_{name}")
    assert drawn.classes == real.classes
    assert drawn.palette == real.palette
    assert (drawn.synthetic, real.synthetic) == (True, False)
    assert drawn.root_variable is None
    assert real.root_variable == f"{name.upper()}_ROOT"
    assert "synthetic" in drawn.title


def test_only_sets_without_a_public_test_split_hold_out_part_of_train() -> None:
    derived = {name: dataset_info(name).derived_splits for name in dataset_names()}
    assert {name for name, splits in derived.items() if splits} == {"cityscapes", "voc"}
    assert set(np.concatenate([splits for splits in derived.values() if splits])) == {"fit", "tune"}


def test_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(SuiteError, match="did you mean 'camvid'"):
        dataset_info("camvd")
    with pytest.raises(SuiteError, match="known: camvid, cityscapes, voc"):
        dataset_info("imagenet")
