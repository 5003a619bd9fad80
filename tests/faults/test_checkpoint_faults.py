"""Checkpoints that are no network, another network, or a trap: refused in a line."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from segdistill.errors import SuiteError
from segdistill.models import vision  # noqa: F401  torchvision needs it
from segdistill.models.checkpoints import read_checkpoint
from segdistill.models.conversion import convert, fit
from segdistill.models.segmentor import build
from segdistill.settings.schema import Network

SOURCE = Path("zoo.pth")
RECIPE = Network(decoder="pspnet", backbone="resnet", depth=18, width=8, head_width=8)


class Trap:
    """Makes a folder if it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.mark),)


class Ledger:
    """Harmless, yet code: loading it would import this module."""


@pytest.mark.parametrize("where", ["meta", "state_dict", "optimizer"])
def test_traps_are_not_run(where: str, tmp_path: Path) -> None:
    path, mark = tmp_path / "trap.pth", tmp_path / "mark"
    torch.save({"state_dict": {}, where: Trap(mark)}, path)
    with pytest.raises(SuiteError, match=r"trap.pth: holds posix.mkdir, which is code and is not"):
        read_checkpoint(path)
    assert not mark.exists()


def test_classes_of_others_are_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "zoo.pth"
    torch.save({"state_dict": {"x": torch.zeros(1)}, "message_hub": Ledger()}, path)
    with pytest.raises(SuiteError, match=r"holds \S*Ledger, .* save its tensors alone: torch.save"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "no mapping of names to tensors"),
        ([torch.zeros(1)], "no mapping of names to tensors"),
        ({"state_dict": {}}, "no mapping of names to tensors"),
        ({"state_dict": {"a": 1}}, "no mapping of names to tensors"),
        ({"state_dict": {3: torch.zeros(1)}}, "no mapping of names to tensors"),
        (torch.zeros(2), "no mapping of names to tensors"),
    ],
)
def test_files_without_a_network(content: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save(content, path)
    with pytest.raises(SuiteError, match=f"x.pth: holds {message}"):
        read_checkpoint(path)


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_files_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with pytest.raises(SuiteError, match=rf"{name}: .*(No such file|cannot read)"):
        read_checkpoint(path)
    path.write_bytes(b"no archive")
    with pytest.raises(SuiteError, match=rf"{name}: not a (plain file of weights|readable safe)"):
        read_checkpoint(path)


def test_torchvisions_resnet_has_another_stem() -> None:
    from torchvision.models import resnet18

    with pytest.raises(SuiteError, match=r"begins with one 7x7 .* resnetNN_v1c .*resnet101_v1c"):
        convert(resnet18().state_dict(), SOURCE)


def test_unknown_names() -> None:
    with pytest.raises(SuiteError, match=r"neither a network .* begins with tensor 'encoder.x'"):
        convert({"encoder.x": torch.zeros(1)}, SOURCE)


def _zoo() -> dict[str, Tensor]:
    torch.manual_seed(0)
    state = build(RECIPE, 5).state_dict()
    return {name.replace("head.", "decode_head.", 1): tensor for name, tensor in state.items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("backbone.stem.0.weight"), r"lacks 'backbone.stem.0.weight' \(1 missing"),
        (lambda s: s.update({"neck.x": torch.zeros(1)}), r"has 'neck.x', .* \(0 missing, 1 unk"),
        (
            lambda s: s.update({"decode_head.conv_seg.bias": torch.zeros(6)}),
            r"head.conv_seg.bias is 6, the experiment's network needs 5",
        ),
        (
            lambda s: s.update({"decode_head.bottleneck.conv.weight": torch.zeros(8, 8, 3, 3)}),
            r"head.bottleneck.conv.weight is 8x8x3x3, the experiment's network needs 8x96x3x3",
        ),
    ],
)
def test_every_tensor_must_fit(change: Any, message: str) -> None:
    state = _zoo()
    change(state)
    net = build(RECIPE, 5)
    net.auxiliary = None
    with pytest.raises(SuiteError, match=rf"zoo.pth: {message}"):
        fit(convert(state, SOURCE).tensors, net.state_dict(), SOURCE)
