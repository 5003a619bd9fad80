"""What PCD (reconstructed from the abstract) allocates; its time is a benchmark's to watch."""

from typing import Any

import pytest
import torch
from pcd_cases import make, step
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.measure import memory_of

CLASSES = 19
SIZE = (32, 64)
OPTIONS: list[dict[str, Any]] = [
    {},
    {"ignore": "keep"},
    {"divergence": "mse"},
    {"score": "fisher"},
    {"score": "none", "matching": "nearest"},
    {"keep": 0.25},
]


def case(images: int, own: int, width: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    labels = torch.randint(CLASSES, (images, *SIZE))
    labels[:, :3] = 255
    student = torch.randn(images, own, *SIZE).to(dtype).requires_grad_()
    return student, torch.randn(images, width, *SIZE).to(dtype), labels


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("images", [1, 4])
@pytest.mark.parametrize("widths", [(64, 64), (64, 128), (128, 64)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_peak_memory_is_at_most_twice_the_two_feature_maps(
    options: dict[str, Any], images: int, widths: tuple[int, int], dtype: torch.dtype
) -> None:
    inputs = case(images, *widths, dtype)
    method = make(*widths, CLASSES, **options)
    step(method, *inputs)
    inputs[0].grad = None
    features = 4 * (inputs[0].numel() + inputs[1].numel())
    peak = memory_of(lambda: step(method, *inputs).backward()).peak
    assert 0 < peak <= 2 * features


class Largest(TorchDispatchMode):
    """Remembers the largest tensor that any operation returned."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(value, Tensor):
                self.elements = max(self.elements, value.numel())
        return result


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_no_tensor_is_larger_than_the_features(options: dict[str, Any]) -> None:
    inputs = case(2, 32, 48, torch.float32)
    with Largest() as largest:
        step(make(32, 48, CLASSES, **options), *inputs).backward()
    assert largest.elements == max(maps.numel() for maps in inputs)
