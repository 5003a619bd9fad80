"""The rivals of the benchmark compute what our losses compute, or beating them means nothing."""

import pytest
import torch

from harness.bench.cases import CASES, Case
from harness.bench.inputs import TAP, Inputs, make_inputs
from harness.bench.losses import literal_step, our_step

WIDTHS, SIZE = (16, 32), (32, 32)


def inputs_for(case: Case) -> Inputs:
    widths = WIDTHS[:1] * 2 if case.equal else WIDTHS
    return make_inputs(2, 5, widths, SIZE, torch.float64)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_literal_formula_has_our_value_and_gradient(case: Case) -> None:
    found = []
    for make_step in (our_step, literal_step):
        inputs = inputs_for(case)
        value = make_step(case, inputs)()
        maps = inputs.student.logits, inputs.student.taps[TAP]
        found.append([value, *(leaf.grad for leaf in maps if leaf.grad is not None)])
    assert len(found[0]) > 1
    assert found[0][0] != 0
    for ours, literal in zip(*found, strict=True):
        size = literal.abs().max().item()
        torch.testing.assert_close(ours, literal, rtol=1e-6, atol=1e-7 * size)


MOVING = ("cirkd, memory", "skd, holistic")  # queues fill, the spectral norm is iterated


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name not in MOVING], ids=lambda case: case.name
)
def test_a_second_call_gives_the_same_value(case: Case) -> None:
    step = our_step(case, inputs_for(case))
    torch.testing.assert_close(step(), step())
