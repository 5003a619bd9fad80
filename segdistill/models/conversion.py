"""Networks and backbones of other code bases under this suite's names, checked tensor by tensor."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from segdistill.errors import SuiteError

# Blocks of torchvision's features.1 .. features.17 that make up mmsegmentation's layer1 .. layer7.
MOBILENET_BLOCKS = (1, 2, 3, 4, 3, 3, 1)
MOBILENET_LAST = 18  # torchvision's last 1x1 convolution, which segmentation networks do without
COUNTER = "num_batches_tracked"  # of batch norms; old files lack it, and nothing depends on it
V1C = (
    "torchvision's ResNet begins with one 7x7 convolution, the ResNets here are ResNet-V1c with a "
    "stem of three 3x3 ones; take the weights that OpenMMLab calls resnetNN_v1c "
    "(`segdistill weights resnet101_v1c`)"
)


class Converted(NamedTuple):
    """Tensors under this suite's names."""

    tensors: dict[str, Tensor]  # "backbone." and "head." names, or a backbone's own
    segmentor: bool  # whether there is a decoder; else it is a backbone alone
    origin: str  # whose names the file had
    dropped: tuple[str, ...]  # names that a segmentation network has no use for


def convert(found: Mapping[str, Tensor], source: Path) -> Converted:
    """`found` under this suite's names, by what its own names tell of its origin.

    Raises SuiteError if the origin is none that is known, or a network that fits none here.
    """
    if any(name.startswith("decode_head.") for name in found):
        return _segmentor(found, "mmsegmentation")
    if any(name.startswith("head.conv_seg.") for name in found):
        return _segmentor(found, "this suite")
    if "features.0.0.weight" in found:
        names = _mobilenet_names(found)
        return _renamed(found, names, "torchvision's MobileNetV2")
    inner = {name.removeprefix("backbone."): tensor for name, tensor in found.items()}
    if "stem.0.weight" in inner:
        return _renamed(inner, _kept(inner, ("fc.", "head.")), "OpenMMLab's ResNet-V1c")
    if "conv1.conv.weight" in inner:
        return _renamed(inner, _kept(inner, ("conv2.", "head.")), "OpenMMLab's MobileNetV2")
    if {"conv1.weight", "bn1.weight", "layer1.0.conv1.weight"} <= set(inner):
        raise SuiteError(f"{source}: {V1C}")
    raise SuiteError(
        f"{source}: neither a network of mmsegmentation nor a backbone of OpenMMLab or torchvision "
        f"(it begins with tensor {next(iter(found))!r})"
    )


def fit(
    converted: Mapping[str, Tensor], wanted: Mapping[str, Tensor], source: Path
) -> dict[str, Tensor]:
    """`converted` in the order and types of `wanted`; every name and every shape must agree.

    Counters that old files lack are 0. Raises SuiteError naming the first tensor at fault.
    """
    missing = [n for n in wanted if n not in converted and not n.endswith(COUNTER)]
    surplus = [n for n in converted if n not in wanted]
    if missing or surplus:
        what = f"lacks {missing[0]!r}" if missing else f"has {surplus[0]!r}, which is unknown"
        raise SuiteError(
            f"{source}: {what} ({len(missing)} missing, {len(surplus)} unknown); it is another "
            "network than the experiment's"
        )
    fitted = {}
    for name, target in wanted.items():
        tensor = converted.get(name, torch.zeros_like(target))
        if tensor.shape != target.shape:
            raise SuiteError(
                f"{source}: {name} is {_shape(tensor)}, the experiment's network needs "
                f"{_shape(target)}"
            )
        fitted[name] = tensor.to(target.dtype).contiguous()
    return fitted


def _segmentor(found: Mapping[str, Tensor], origin: str) -> Converted:
    """The auxiliary head helps training alone and is left out."""
    auxiliary = tuple(n for n in found if n.startswith(("auxiliary_head.", "auxiliary.")))
    tensors = {
        f"head.{name.removeprefix('decode_head.')}" if name.startswith("decode_head.") else name: t
        for name, t in found.items()
        if name not in auxiliary
    }
    return Converted(tensors, True, origin, auxiliary)


def _renamed(found: Mapping[str, Tensor], names: Mapping[str, str], origin: str) -> Converted:
    dropped = tuple(name for name in found if name not in names)
    return Converted({new: found[old] for old, new in names.items()}, False, origin, dropped)


def _kept(names: Iterable[str], unused: tuple[str, ...]) -> dict[str, str]:
    return {name: name for name in names if not name.startswith(unused)}


def _mobilenet_names(names: Iterable[str]) -> dict[str, str]:
    """torchvision's name -> mmsegmentation's.

    A block's modules are convolution and batch norm in turn, whatever numbers torchvision has
    given them over the years.
    """
    places = [(la, b) for la, blocks in enumerate(MOBILENET_BLOCKS, 1) for b in range(blocks)]
    renamed: dict[str, str] = {}
    modules: dict[int, list[str]] = {}
    for name in names:
        family, _, rest = name.partition(".")
        number, _, _ = rest.partition(".")
        if family != "features" or not number.isdigit() or int(number) >= MOBILENET_LAST:
            continue
        module, _, value = name.rpartition(".")
        block = modules.setdefault(int(number), [])
        if module not in block:
            block.append(module)
        pair, norm = divmod(block.index(module), 2)
        layer, place = places[int(number) - 1]
        home = "conv1" if number == "0" else f"layer{layer}.{place}.conv.{pair}"
        renamed[name] = f"{home}.{'bn' if norm else 'conv'}.{value}"
    return renamed


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"
