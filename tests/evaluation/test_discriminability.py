"""Fisher's ratio against plain float64 loops and closed forms."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segdistill.evaluation.discriminability import ClassScatter


def scatter_of(images: list[tuple[np.ndarray, np.ndarray]], classes: int) -> ClassScatter:
    """`images` are features C h w and labels H W."""
    scatter = ClassScatter(classes)
    for features, label in images:
        scatter.add(torch.from_numpy(features)[None], label.astype(np.uint8))
    return scatter


def plain_ratio(features: np.ndarray, labels: np.ndarray) -> float:
    """B / W of rows (n, C) by the definition."""
    mean, between, within = features.mean(axis=0), 0.0, 0.0
    for index in np.unique(labels):
        rows = features[labels == index]
        between += len(rows) * ((rows.mean(axis=0) - mean) ** 2).sum()
        within += ((rows - rows.mean(axis=0)) ** 2).sum()
    return float(between / within)


@given(st.integers(0, 1000), st.floats(-100, 100), st.floats(0.01, 100))
def test_running_sums_give_the_ratio_of_all_pixels(seed: int, offset: float, scale: float) -> None:
    """Over several images, with ignored pixels, and free of offset and scale."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 3, (2, 4, 5))
    labels[draw.random(labels.shape) < 0.2] = 255
    labels[0, 0, :3] = (0, 1, 2)
    features = draw.normal(size=(2, 6, 4, 5)) + np.where(labels < 255, labels, 50)[:, None]
    scatter = scatter_of(list(zip(scale * features + offset, labels, strict=True)), 4)
    rows = features.transpose(0, 2, 3, 1)[labels < 255]
    assert scatter.ratio() == pytest.approx(plain_ratio(rows, labels[labels < 255]), rel=1e-6)


def test_two_classes_in_closed_form() -> None:
    """Means -1 and 1, each with deviation 0.5: B = 1, W = 0.25."""
    features = np.array([[[-1.5, -0.5, 0.5, 1.5]]])
    label = np.array([[0, 0, 1, 1]])
    assert scatter_of([(features, label)], 2).ratio() == pytest.approx(4.0, rel=1e-12)


def test_a_rotation_of_the_channels_changes_nothing() -> None:
    draw = np.random.default_rng(0)
    features, label = draw.normal(size=(3, 6, 6)), draw.integers(0, 3, (6, 6))
    rotation, _ = np.linalg.qr(draw.normal(size=(3, 3)))
    turned = np.einsum("dc,chw->dhw", rotation, features)
    ratios = [scatter_of([(maps, label)], 3).ratio() for maps in (features, turned)]
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-12)


def test_labels_come_to_the_grid_of_the_features() -> None:
    coarse = np.array([[0, 1], [255, 1]])
    features = np.array([[[-1.0, 0.5], [9.0, 1.5]], [[0.0, 0.0], [9.0, 0.0]]])
    fine = coarse.repeat(8, axis=0).repeat(8, axis=1)
    assert scatter_of([(features, fine)], 2).ratio() == scatter_of([(features, coarse)], 2).ratio()


def test_no_ratio_without_two_classes_or_without_scatter() -> None:
    features = np.random.default_rng(0).normal(size=(2, 3, 3))
    assert ClassScatter(2).ratio() is None
    assert scatter_of([(features, np.zeros((3, 3)))], 2).ratio() is None
    assert scatter_of([(features, np.full((3, 3), 255))], 2).ratio() is None
    label = np.array([[0, 0, 1]])
    assert scatter_of([(0.1 + label[None], label)], 2).ratio() is None  # every class one point
    features[0, 0, 0] = np.nan
    assert scatter_of([(features, np.eye(3))], 2).ratio() is None
