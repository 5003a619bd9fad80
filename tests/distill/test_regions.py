"""Labels on a feature grid, masks and class means against loops."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from segdistill.distill.regions import (
    class_means,
    downsample_labels,
    on_grid,
    one_hot,
    valid_mask,
    valid_positions,
)


def random_labels(*shape: int, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 5, shape, generator=draw)
    labels[torch.rand(shape, generator=draw) < 0.3] = 255
    return labels


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_nearest_labels_are_torch_s(height: int, width: int, rows: int, columns: int) -> None:
    labels = random_labels(2, height, width)
    nearest = F.interpolate(labels[:, None].double(), size=(rows, columns), mode="nearest")
    found = downsample_labels(labels, (rows, columns))
    assert found.dtype == torch.int64
    assert torch.equal(found, nearest[:, 0].long())


def test_strided_labels_are_the_first_of_each_block() -> None:
    labels = random_labels(2, 24, 32)
    assert torch.equal(downsample_labels(labels, (3, 4)), labels[:, ::8, ::8])


def test_validity_is_the_nearest_label_s() -> None:
    labels = random_labels(2, 24, 32)
    assert torch.equal(valid_positions(labels, (6, 8)), labels[:, ::4, ::4] != 255)


def test_what_counts() -> None:
    labels = random_labels(1, 8, 8)
    mask = valid_mask(labels, (4, 4), "mask")
    assert valid_mask(labels, (4, 4), "keep") is None
    assert mask is not None
    assert torch.equal(mask, valid_positions(labels, (4, 4)))
    with pytest.raises(ValueError, match="'keep' or 'mask', got 'drop'"):
        valid_mask(labels, (4, 4), "drop")


@pytest.mark.parametrize("size", [(8, 12), (4, 6), (16, 24), (5, 7)], ids=str)
def test_without_ignored_pixels_a_map_is_resized_bilinearly(size: tuple[int, int]) -> None:
    maps, labels = torch.randn(2, 3, 8, 12, dtype=torch.float64), torch.zeros(2, 32, 48).long()
    plain = F.interpolate(maps, size=size, mode="bilinear", align_corners=False)
    kept, nothing = on_grid(maps, labels, size, "keep")
    masked, valid = on_grid(maps, labels, size, "mask")
    assert nothing is None
    assert valid is not None
    assert valid.all()
    torch.testing.assert_close(kept, plain, rtol=0, atol=0)
    torch.testing.assert_close(masked, plain)


def test_a_map_of_the_right_size_stays_as_it_is() -> None:
    maps, labels = torch.randn(2, 3, 8, 12, dtype=torch.bfloat16), random_labels(2, 32, 48)
    same, valid = on_grid(maps, labels, (8, 12), "mask")
    assert same is maps
    assert valid is not None
    assert torch.equal(valid, valid_positions(labels, (8, 12)))


def test_only_counted_neighbours_are_averaged() -> None:
    maps = torch.tensor([[[[1.0, 3.0, 100.0, 100.0]]]])
    labels = torch.tensor([[[0, 0, 0, 255, 255, 255, 255, 0]]])
    finer, valid = on_grid(maps, labels, (1, 8), "mask")
    assert valid is not None
    assert valid.tolist() == [[[True, True, True, False, False, False, False, False]]]
    assert finer[0, 0, 0, :3].tolist() == pytest.approx([1.0, 1.5, 2.5])
    coarser, valid = on_grid(maps, labels, (1, 2), "mask")
    assert valid is not None
    assert valid.tolist() == [[[True, False]]]
    assert coarser[0, 0, 0, 0].item() == pytest.approx(2.0)


def test_counted_neighbours_weigh_one_together() -> None:
    maps = torch.tensor([[[[1.0, 3.0, 100.0, 100.0]]]])
    labels = torch.tensor([[[0, 0, 0, 0, 255, 255, 255, 0]]])
    finer, valid = on_grid(maps, labels, (1, 8), "mask")
    assert valid is not None
    assert valid[0, 0, 3]  # three quarters of it lie at 3, the rest where nothing counts
    assert finer[0, 0, 0, 3].item() == pytest.approx(3.0)


def test_indicators() -> None:
    labels = random_labels(2, 6, 7)
    maps = one_hot(labels, 5, torch.float32)
    assert maps.shape == (2, 5, 6, 7)
    for k in range(5):
        assert torch.equal(maps[:, k], (labels == k).float())


def test_class_means_against_loops() -> None:
    labels = random_labels(2, 6, 7)
    labels[labels == 3] = 255
    features = torch.randn(2, 4, 6, 7, dtype=torch.float64)
    means = class_means(features, one_hot(labels, 5, torch.float64))
    for n in range(2):
        for k in (0, 1, 2, 4):
            expected = features[n, :, labels[n] == k].mean(dim=1)
            torch.testing.assert_close(means[n, :, k], expected, rtol=1e-9, atol=1e-12)
    assert not means[:, :, 3].any()


def test_class_means_gradient() -> None:
    indicator = one_hot(random_labels(2, 3, 3), 5, torch.float64)
    features = torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda maps: class_means(maps, indicator), features)
