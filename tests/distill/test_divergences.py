"""Shared formulas: closed forms, properties, and what a careless form gets wrong."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from segdistill.distill.divergences import pixel_kl, position_kl, resize, safe_norm, to_float32


def maps(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def test_resize_keeps_a_map_of_the_right_size() -> None:
    own = maps(1, 2, 4, 5)
    assert resize(own, (4, 5)) is own
    expected = F.interpolate(own, size=(8, 3), mode="bilinear", align_corners=False)
    assert torch.equal(resize(own, (8, 3)), expected)


@pytest.mark.parametrize(
    ("given_type", "found"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_widening(given_type: torch.dtype, found: torch.dtype) -> None:
    assert to_float32(torch.ones(1, dtype=given_type)).dtype == found


def test_a_vanishing_vector_becomes_0_with_gradient_0() -> None:
    vectors = torch.tensor([[3.0, 4.0], [0.0, 0.0], [1e-9, 0.0]], requires_grad=True)
    units = vectors / safe_norm(vectors, dim=1)
    assert units.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0], [0, 0]]
    (gradient,) = torch.autograd.grad(units.sum(), vectors)
    assert gradient[1:].tolist() == [[0, 0], [0, 0]]
    assert gradient[0].tolist() == [pytest.approx(0.032), pytest.approx(-0.024)]


def test_pixel_kl_in_closed_form() -> None:
    """Two classes with probabilities 3/4, 1/4 against 1/2, 1/2."""
    teacher = torch.tensor([3.0, 1.0]).double().log().view(1, 2, 1, 1)
    expected = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    found = pixel_kl(torch.zeros(1, 2, 1, 1).double(), teacher, 1.0)
    assert found.item() == pytest.approx(expected, rel=1e-12)


@settings(deadline=None)
@given(st.floats(0.5, 8), st.integers(0, 1000))
def test_temperature_scales_the_logits_and_the_loss(temperature: float, seed: int) -> None:
    own, other = maps(2, 3, 2, 2, seed=seed), maps(2, 3, 2, 2, seed=seed + 1)
    for divergence in (pixel_kl, position_kl):
        expected = temperature**2 * divergence(own / temperature, other / temperature, 1.0)
        torch.testing.assert_close(divergence(own, other, temperature), expected)


@settings(deadline=None)
@given(st.integers(0, 1000), st.floats(-50, 50))
def test_kl_is_positive_and_ignores_an_offset(seed: int, offset: float) -> None:
    own, other = maps(2, 3, 2, 2, seed=seed), maps(2, 3, 2, 2, seed=seed + 1)
    for divergence in (pixel_kl, position_kl):
        found = divergence(own, other, 1.0)
        assert torch.all(found > 0)
        torch.testing.assert_close(divergence(own + offset, other, 1.0), found)


@pytest.mark.parametrize("divergence", [pixel_kl, position_kl])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("size", [1e3, 1e4, 1e30])
def test_large_activations_stay_finite(divergence, masked: bool, size: float) -> None:  # type: ignore[no-untyped-def]
    own = (size * maps(2, 3, 4, 4, dtype=torch.float32)).requires_grad_()
    other = size * maps(2, 3, 4, 4, seed=1, dtype=torch.float32)
    valid = maps(2, 4, 4) > 0 if masked else None
    loss = divergence(own, other, 0.5, valid).sum()
    (gradient,) = torch.autograd.grad(loss, own)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()


def test_half_precision_maps_give_the_float32_result() -> None:
    own, other = (maps(2, 19, 8, 8, seed=seed).bfloat16() for seed in (0, 1))
    for divergence in (pixel_kl, position_kl):
        assert torch.equal(divergence(own, other, 4.0), divergence(own.float(), other.float(), 4.0))


@pytest.mark.parametrize("divergence", [pixel_kl, position_kl])
def test_nothing_valid_costs_nothing(divergence) -> None:  # type: ignore[no-untyped-def]
    own = maps(2, 3, 4, 4).requires_grad_()
    loss = divergence(own, maps(2, 3, 4, 4, seed=1), 1.0, torch.zeros(2, 4, 4, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(loss.sum(), own)
    assert not loss.any()
    assert not gradient.any()


@pytest.mark.parametrize("divergence", [pixel_kl, position_kl])
def test_gradients(divergence) -> None:  # type: ignore[no-untyped-def]
    own, other, valid = maps(2, 3, 2, 3), maps(2, 3, 2, 3, seed=1), maps(2, 2, 3) > -0.5
    own.requires_grad_()
    for mask in (None, valid):
        assert torch.autograd.gradcheck(
            lambda leaf, mask=mask: divergence(leaf, other, 2.0, mask), own
        )


@pytest.mark.parametrize("divergence", [pixel_kl, position_kl])
def test_unequal_maps_are_refused(divergence) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="resize the teacher's or add an adapter"):
        divergence(maps(1, 1, 2, 2), maps(1, 3, 2, 2), 1.0)
