"""A training calls nothing that CUDA cannot repeat: seen on the CPU, operator by operator."""

import re
from typing import Any

import pytest
import torch
from harness_cases import CPU, TRAINING, frozen_teacher, run_config
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from segdistill.distill import method_names
from segdistill.training.determinism import set_determinism
from segdistill.training.student_trainer import StudentTrainer

# What `torch.use_deterministic_algorithms` says it refuses, and aten's names of it.
REFUSED: dict[str, tuple[str, ...]] = {
    "torch.nn.AvgPool3d": ("avg_pool3d_backward",),
    "torch.nn.AdaptiveAvgPool2d": ("_adaptive_avg_pool2d_backward",),
    "torch.nn.AdaptiveAvgPool3d": ("_adaptive_avg_pool3d_backward",),
    "torch.nn.AdaptiveMaxPool2d": ("adaptive_max_pool2d_backward",),
    "torch.nn.FractionalMaxPool2d": ("fractional_max_pool2d_backward",),
    "torch.nn.FractionalMaxPool3d": ("fractional_max_pool3d_backward",),
    "torch.nn.MaxUnpool1d": ("max_unpool2d",),
    "torch.nn.MaxUnpool2d": ("max_unpool2d",),
    "torch.nn.MaxUnpool3d": ("max_unpool3d",),
    "torch.nn.functional.interpolate": (),  # takes another form on CUDA, see below
    "torch.nn.ReflectionPad1d": ("reflection_pad1d_backward",),
    "torch.nn.ReflectionPad2d": ("reflection_pad2d_backward",),
    "torch.nn.ReflectionPad3d": ("reflection_pad3d_backward",),
    "torch.nn.NLLLoss": ("nll_loss2d_forward",),  # of maps; of rows it repeats
    "torch.nn.CTCLoss": ("_ctc_loss_backward",),
    "torch.nn.EmbeddingBag": ("_embedding_bag_dense_backward",),
    "torch.Tensor.put_": ("put", "put_"),
    "torch.histc": ("histc",),
    "torch.bincount": ("bincount",),  # with weights
    "torch.median": ("median",),  # with indices
    "torch.nn.functional.grid_sample": ("grid_sampler_2d_backward", "grid_sampler_3d_backward"),
    "torch.cumsum": ("cumsum", "cumsum_"),  # of floats; sums of integers have no order
    "torch.Tensor.scatter_reduce": ("scatter_reduce", "scatter_reduce_"),  # of products
    "torch.Tensor.resize_": (),  # of quantized tensors
}
NAMES = frozenset(name for names in REFUSED.values() for name in names)


class Watch(TorchDispatchMode):
    """Remembers aten's name of every operator, backward passes included."""

    def __init__(self) -> None:
        super().__init__()
        self.called: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        name = func.overloadpacket.__name__
        if not (name.startswith("cumsum") and not args[0].is_floating_point()):
            self.called.add(name)
        return func(*args, **(kwargs or {}))


def test_the_refusals_are_those_that_torch_documents() -> None:
    text = torch.use_deterministic_algorithms.__doc__ or ""
    refusals = text[text.index("normally-nondeterministic operations will throw") :]
    refusals = refusals[: refusals.index("In addition")]
    assert set(re.findall(r"\* :(?:class|func):`([\w.]+)`", refusals)) == set(REFUSED)


@pytest.mark.parametrize("name", method_names())
def test_no_method_calls_what_is_refused(name: str) -> None:
    """Its first two steps, with an adversary's where there is one."""
    config = run_config(name)
    teacher = frozen_teacher()
    trainer = StudentTrainer(config, 11, teacher.spec(), CPU)
    images, labels = torch.randn(2, 3, 64, 64), torch.randint(0, 11, (TRAINING.batch, 64, 64))
    with Watch() as watch:
        for _ in range(2):
            with torch.no_grad():
                output = teacher(images, sorted(trainer.teacher_taps()))
            trainer.training_step(images, labels, output)
    assert "convolution_backward" in watch.called
    assert watch.called & NAMES == set()


def test_a_refused_operator_would_be_seen() -> None:
    maps = torch.randn(1, 2, 8, 8, requires_grad=True)
    with Watch() as watch:
        nn.AdaptiveAvgPool2d(3)(maps).sum().backward()
        nn.functional.nll_loss(maps, torch.zeros(1, 8, 8, dtype=torch.long))
        torch.ones(3).cumsum(dim=0)
    refused = {"_adaptive_avg_pool2d_backward", "nll_loss2d_forward", "cumsum"}
    assert watch.called & NAMES == refused


def test_on_cuda_torch_resizes_in_another_form() -> None:
    """Of plain indexing, whose gradient repeats; tensors without memory stand for CUDA's."""
    set_determinism("exact", threads=1)
    found = {}
    for device in ("cpu", "cuda"):
        with FakeTensorMode(), Watch() as watch:
            maps = torch.empty(1, 2, 8, 8, device=device)
            nn.functional.interpolate(maps, size=(16, 16), mode="bilinear", align_corners=False)
        found[device] = watch.called
    assert "upsample_bilinear2d" in found["cpu"]
    assert not any(name.startswith("upsample") for name in found["cuda"])
