"""No method builds a map of every class of a feature, or of all pairs of positions."""

from typing import Any

import pytest
import torch

from benchmarks.inputs import TAP, Inputs, make_inputs
from benchmarks.measure import memory_of
from segdistill.distill import View, load, method_names

LIMIT = 64 * 2**20  # bytes an image
CLASSES, SIZE = 19, (64, 128)
SMALL_QUEUES = {"pixel_queue": 200, "region_queue": 20}
# All pairs of positions of a 64 x 128 map are 256 MiB; all classes of a feature of 256, 152 MiB.
CASES: list[tuple[str, dict[str, Any]]] = [
    *((name, SMALL_QUEUES if name == "cirkd" else {}) for name in method_names()),
    ("cwd", {"tap": TAP}),
    ("skd", {"pair_pool": 1, "ignore": "mask"}),
    ("ifvd", {"ignore": "mask"}),
    ("pcd", {"score": "none", "matching": "nearest", "divergence": "mse"}),
]


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    """One image; the feature stands for both taps."""
    made = make_inputs(1, CLASSES, (128, 256), SIZE)
    student, teacher = (
        View(view.logits, {TAP: view.taps[TAP], "backbone.4": view.taps[TAP]})
        for view in (made.student, made.teacher)
    )
    return Inputs(student, teacher, made.labels)


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_no_tensor_is_larger_than_64_mebibytes_an_image(
    name: str, options: dict[str, Any], inputs: Inputs
) -> None:
    method_class = load(name)
    method = method_class(method_class.Config(**options), *inputs.specs()).train()

    def work() -> None:
        terms = method.losses(inputs.student, inputs.teacher, inputs.labels)
        if terms:
            torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        adversarial = method.adversary_losses(inputs.student, inputs.teacher, inputs.labels)
        if adversarial:
            torch.stack(list(adversarial.values())).sum().backward()  # type: ignore[no-untyped-call]

    memory = memory_of(work)
    assert memory.largest <= LIMIT
    assert bool(memory.largest) == (name != "student")


def test_the_measure_sees_a_map_of_all_pairs() -> None:
    rows = torch.randn(2**13, 2)
    assert memory_of(lambda: rows @ rows.T).largest == 4 * LIMIT
