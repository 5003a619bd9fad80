"""What a step must do at least: operations, and bytes read and written, operator by operator."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from harness.bench.ceilings import Ceilings

OVERWRITES = ("copy_", "fill_", "zero_")  # what they write they do not read


class Work(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sums over all operators called within, gradients included.

    `operations`: of convolutions and matrix products, two a multiply-accumulate. `bytes`: every
    tensor that an operator takes is read once, every one that it makes or changes is written
    once; views cost nothing. `seconds`: each operator at the ceiling that binds it.
    """

    def __init__(self, ceilings: Ceilings) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ceilings = ceilings
        self.operations = 0
        self.bytes = 0
        self.seconds = 0.0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run the operator and count it."""
        kwargs = kwargs or {}
        made = func(*args, **kwargs)
        formula = flop_registry.get(_functional(func.overloadpacket))
        operations = int(formula(*args, **kwargs, out_val=made)) if formula else 0
        moved = _moved(func, args, kwargs, made)
        self.operations += operations
        self.bytes += moved
        computing = operations / self.ceilings.products[_precision(args)] if operations else 0.0
        self.seconds += max(computing, moved / self.ceilings.copy)
        return made


def _functional(packet: Any) -> Any:
    """The operator that `packet` is the in-place form of, if it is one; else `packet` itself."""
    name = packet.__name__
    in_place = name.endswith("_") and not name.endswith("__")
    return getattr(torch.ops.aten, name[:-1], packet) if in_place else packet


def _moved(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], made: Any) -> int:
    """Bytes that one call reads and writes, as the operator's schema says what it changes."""
    known = {spec.name: spec for spec in func._schema.arguments}
    values = dict(zip(known, args, strict=False)) | kwargs
    changed = [name for name in values if _is_written(known[name])]
    returned = func._schema.returns
    if not changed and any(spec.alias_info is not None for spec in returned):
        return 0  # a view
    overwrites = func.overloadpacket.__name__ in OVERWRITES
    unread = [name for name in changed if overwrites or known[name].is_out]
    outputs = made if len(returned) > 1 else (made,)
    fresh = [out for out, spec in zip(outputs, returned, strict=False) if spec.alias_info is None]
    read = [value for name, value in values.items() if name not in unread]
    return _bytes(read) + _bytes([values[name] for name in changed]) + _bytes(fresh)


def _is_written(argument: Any) -> bool:
    return argument.alias_info is not None and argument.alias_info.is_write


def _bytes(tree: Any) -> int:
    return sum(_held(leaf) for leaf in tree_leaves(tree) if isinstance(leaf, Tensor))


def _held(tensor: Tensor) -> int:
    """Bytes of the distinct numbers of `tensor`; an expanded one repeats some of them."""
    sides = zip(tensor.shape, tensor.stride(), strict=True)
    count = 1
    for length, step in sides:
        count *= min(length, 1) if step == 0 else length
    return count * tensor.element_size()


def _precision(args: tuple[Any, ...]) -> torch.dtype:
    dtype = next(leaf.dtype for leaf in tree_leaves(args) if isinstance(leaf, Tensor))
    return torch.bfloat16 if dtype == torch.bfloat16 else torch.float32
