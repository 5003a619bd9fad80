"""Weights on disk as safetensors, with hashes; pretrained backbones, checked key by key."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from segdistill.errors import SuiteError
from segdistill.models.pretrained import existing_backbone
from segdistill.models.segmentor import SegmentationNet
from segdistill.records import write_bytes
from segdistill.settings.schema import Network


def save_weights(path: Path, net: nn.Module) -> str:
    """Write what inference needs (no auxiliary head), atomically; returns the file's sha256."""
    kept = _without_auxiliary(net.state_dict())
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in kept.items()})
    write_bytes(path, content)
    return hashlib.sha256(content).hexdigest()


def count_parameters(net: nn.Module) -> int:
    """Trainable values of the network that ships, which has no auxiliary head."""
    kept = _without_auxiliary(dict(net.named_parameters()))
    return sum(parameter.numel() for parameter in kept.values())


def load_weights(path: Path, net: nn.Module) -> None:
    """Fill `net` from a safetensors file; every key and shape must match.

    The auxiliary head, which inference never runs, keeps what it has.
    """
    found = read_tensors(path)
    wanted = _without_auxiliary(net.state_dict())
    _check(path, found, wanted)
    net.load_state_dict(found, strict=False)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file. Raises SuiteError if missing or damaged."""
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise SuiteError(f"{path}: not a readable safetensors file ({error})") from error


def load_pretrained(net: SegmentationNet, recipe: Network) -> None:
    """Fill the backbone with the recipe's pretrained weights, if it names any.

    Pretrained files hold the backbone's tensors under mmsegmentation's names, as
    `segdistill weights` writes them.
    """
    if recipe.pretrained is None:
        return
    path = existing_backbone(recipe.pretrained)
    found = read_tensors(path)
    _check(path, found, net.backbone.state_dict())
    net.backbone.load_state_dict(found)


def _without_auxiliary(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n: tensor for n, tensor in tensors.items() if not n.startswith("auxiliary.")}


def _check(path: Path, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    missing = sorted(set(wanted) - set(found))
    surplus = sorted(set(found) - set(wanted))
    if missing or surplus:
        name = (missing or surplus)[0]
        what = "lacks" if missing else "has an unknown"
        raise SuiteError(
            f"{path}: {what} tensor {name!r} ({len(missing)} missing, {len(surplus)} unknown); "
            "it belongs to another network"
        )
    for name, tensor in found.items():
        if tensor.shape != wanted[name].shape:
            raise SuiteError(
                f"{path}: {name} is {tuple(tensor.shape)}, the network of the recipe needs "
                f"{tuple(wanted[name].shape)}"
            )
