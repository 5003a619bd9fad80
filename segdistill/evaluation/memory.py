"""The memory that a forward pass needs for its feature maps."""

import copy
import weakref
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all tensors that operations make, as long as any of them is held.

    Views and results in place share the storage of another tensor and count once.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held = 0
        self.peak = 0
        self._storages: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run the operation and count what it made."""
        made = func(*args, **(kwargs or {}))
        given = {_key(leaf) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        for leaf in tree_leaves(made):
            if isinstance(leaf, Tensor) and _key(leaf) not in given:
                self._count(leaf.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._storages:
            return

        def release(_: object) -> None:
            del self._storages[key]
            self.held -= size

        self._storages[key] = weakref.ref(storage, release)
        self.held += size
        self.peak = max(self.peak, self.held)


@torch.no_grad()
def peak_memory(net: nn.Module, image: Tensor) -> int:
    """The most bytes of tensors held at a time in one forward pass of `image` (N 3 H W).

    Neither the weights nor the image count, nor what a library needs inside an operation.
    Computed on a copy without storage (device "meta"), so it is the same on every machine.
    """
    shadow, shape = copy.deepcopy(net).to("meta").eval(), image.to("meta")
    live = LiveBytes()
    with live:
        shadow(shape)
    return live.peak


def _key(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
