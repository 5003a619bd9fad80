"""A device that stands in for a GPU: it computes on the CPU and is as strict as CUDA.

Tensors there and tensors of the CPU do not meet in one operation, except to be copied and
except single numbers. To be installed once, in a process of its own: torch names one such
device, and treats it as the machine's accelerator from then on.
"""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "standin"
CROSSINGS = ("copy_", "_to_copy")
MADE_EMPTY = ("empty.memory_format", "empty_strided")  # every tensor made elsewhere begins so
READS = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_dim")


class Backend:
    """What torch asks of a device's module; it keeps the device's kernels alive."""

    def __init__(self, kernels: torch.library.Library) -> None:
        self.kernels = kernels

    def is_available(self) -> bool:
        return True

    def is_initialized(self) -> bool:
        return True

    def device_count(self) -> int:
        return 1

    def current_device(self) -> int:
        return 0

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        """Draws come from the CPU's generator, which torch seeds itself."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


class Remote(Tensor):
    """A tensor of the device; `inner` is the CPU's tensor that holds its values."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> "Remote":
        made: Remote = Tensor._make_wrapper_subclass(
            cls, inner.size(), strides=inner.stride(), storage_offset=inner.storage_offset(),
            dtype=inner.dtype, layout=inner.layout, device=f"{NAME}:0",
        )  # fmt: skip
        made.inner = inner
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.inner.__reduce_ex__(protocol)

    def tolist(self) -> Any:
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        kwargs = kwargs or {}
        if func.overloadpacket.__name__ not in CROSSINGS:
            _refuse_mixtures(func, args, kwargs)
        device = torch.device(kwargs.get("device") or NAME)
        stays = device.type == NAME
        own = {**kwargs, "device": "cpu" if stays else device} if "device" in kwargs else kwargs
        made = func(*_inner(args), **_inner(own))
        wrapped = tree_map_only(Tensor, Remote, made) if stays else made
        return return_and_correct_aliasing(func, args, kwargs, wrapped)


class Waits(TorchDispatchMode):
    """Counts what makes the host wait for the device: values that it reads there, shapes that
    follow from them, and values that it sends without `non_blocking`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        there = bool(args) and isinstance(args[0], Remote)
        goal = torch.device(kwargs["device"]).type if kwargs.get("device") else None
        fetched = name == "_to_copy" and there and goal not in (None, NAME)
        sent = name == "_to_copy" and not there and goal == NAME and not kwargs.get("non_blocking")
        chosen = name.startswith("index") and there and _has_mask(args[1])
        self.count += sent or fetched or chosen or (there and name in READS)
        return func(*args, **kwargs)


def install() -> None:
    """Make `torch.device(NAME)` usable in this process."""
    kernels = torch.library.Library("aten", "IMPL")
    _setup_privateuseone_for_python_backend(NAME, Backend(kernels))
    for operator in MADE_EMPTY:
        kernels.impl(operator, _made_by(operator), "PrivateUse1")
    kernels.impl("_copy_from", _copy, "PrivateUse1")


def _made_by(operator: str) -> Any:
    name, _, overload = operator.partition(".")
    make = getattr(getattr(torch.ops.aten, name), overload or "default")

    def kernel(*args: Any, device: Any = None, pin_memory: Any = None, **kwargs: Any) -> Tensor:
        del device, pin_memory
        return Remote(make(*args, **kwargs))

    return kernel


def _copy(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    del non_blocking
    _inner(target).copy_(_inner(source))
    return target


def _inner(values: Any) -> Any:
    return tree_map_only(Remote, lambda remote: remote.inner, values)


def _has_mask(indices: Any) -> bool:
    return any(getattr(leaf, "dtype", None) == torch.bool for leaf in tree_leaves(indices))


def _refuse_mixtures(func: Any, args: Any, kwargs: Any) -> None:
    for leaf in tree_leaves((args, kwargs)):
        if isinstance(leaf, Tensor) and not isinstance(leaf, Remote) and leaf.dim() > 0:
            raise RuntimeError(f"{func}: a tensor of the CPU among those of {NAME}")
