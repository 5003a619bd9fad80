"""The rivals of the benchmark compute what our losses compute, or beating them means nothing."""

import pytest
import torch

from benchmarks.cases import CASES, Case
from benchmarks.inputs import Inputs, make_inputs

WIDTHS, SIZE = (16, 32), (32, 32)


def inputs_for(case: Case) -> Inputs:
    widths = WIDTHS[:1] * 2 if case.equal else WIDTHS
    return make_inputs(2, 5, widths, SIZE, torch.float64)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_literal_formula_has_our_value_and_gradient(case: Case) -> None:
    ours, literal = case.our_step(inputs_for(case))(), case.literal_step(inputs_for(case))()
    assert ours[0] != 0
    gradients = [pair for pair in zip(ours, literal, strict=True) if pair[0] is not None]
    assert len(gradients) > 1
    for one, other in gradients:
        assert other is not None
        size = other.abs().max().item()
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7 * size)


MOVING = ("cirkd, memory", "skd, holistic")  # queues fill, the spectral norm is iterated


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name not in MOVING], ids=lambda case: case.name
)
def test_a_second_call_gives_the_same_value(case: Case) -> None:
    step = case.our_step(inputs_for(case))
    torch.testing.assert_close(step()[0], step()[0])
