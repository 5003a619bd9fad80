"""Other code bases' tensors under this suite's names: the network is the same function."""

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from segdistill.models import vision  # noqa: F401  mmseg and torchvision need it
from segdistill.models.checkpoints import read_checkpoint
from segdistill.models.conversion import convert, fit
from segdistill.models.segmentor import build
from segdistill.settings.schema import Network

with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
    warnings.simplefilter("ignore")
    from mmseg.models.backbones import MobileNetV2, ResNetV1c
    from mmseg.models.decode_heads import (
        ASPPHead,
        DepthwiseSeparableASPPHead,
        FCNHead,
        PSPHead,
    )
    from mmseg.models.segmentors import EncoderDecoder
    from torchvision.models import mobilenet_v2

SOURCE = Path("zoo.pth")
NORM = {"type": "BN"}
ATROUS = {"dilations": (1, 12, 24, 36)}
HEADS: dict[str, dict[str, Any]] = {
    "pspnet": {"type": PSPHead, "pool_scales": (1, 2, 3, 6)},
    "deeplabv3": {"type": ASPPHead, **ATROUS},
    "deeplabv3plus": {
        "type": DepthwiseSeparableASPPHead, "c1_in_channels": 64, "c1_channels": 48, **ATROUS,
    },
}  # fmt: skip


def unsettle(net: nn.Module) -> None:
    """Batch norms that do something."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
            nn.init.uniform_(module.weight, 0.5, 1.5)


def segmentor(decoder: str) -> nn.Module:
    """A decoder on ResNet-18 at output stride 8, as mmsegmentation's zoo configures them."""
    shared: dict[str, Any] = {
        "in_channels": 512, "in_index": 3, "channels": 16, "num_classes": 5,
        "norm_cfg": NORM, "loss_decode": {"type": "mmseg.CrossEntropyLoss"},
    }  # fmt: skip
    auxiliary = shared | {"type": FCNHead, "in_channels": 256, "in_index": 2, "num_convs": 1}
    net: nn.Module = EncoderDecoder(
        backbone={
            "type": ResNetV1c, "depth": 18, "dilations": (1, 1, 2, 4), "strides": (1, 2, 1, 1),
            "contract_dilation": True, "norm_cfg": NORM,
        },
        decode_head=shared | HEADS[decoder],
        auxiliary_head=auxiliary | {"concat_input": False},
        test_cfg={"mode": "whole"},
    )  # fmt: skip
    unsettle(net)
    return net.eval()


@pytest.mark.parametrize("decoder", HEADS)
def test_a_zoo_checkpoint_becomes_the_same_function(decoder: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs, path = segmentor(decoder), tmp_path / "zoo.pth"
    meta = {"PALETTE": np.zeros((2, 3), np.uint8), "loss": np.float64(1.5), "config": "model = 1"}
    state = {f"module.{name}": tensor for name, tensor in theirs.state_dict().items()}
    torch.save({"meta": meta, "state_dict": state}, path)
    converted = convert(read_checkpoint(path), path)
    assert converted.segmentor
    assert converted.origin == "mmsegmentation"
    assert all(name.startswith("auxiliary_head.") for name in converted.dropped)
    recipe = {"decoder": decoder, "backbone": "resnet", "depth": 18, "head_width": 16}
    ours = build(Network.model_validate(recipe), 5)
    ours.auxiliary = None
    ours.load_state_dict(fit(converted.tensors, ours.state_dict(), path))
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = theirs.decode_head(theirs.backbone(image))  # type: ignore[operator]
        torch.testing.assert_close(ours.eval()(image).logits, expected, rtol=1e-4, atol=1e-5)


def _old_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """As torchvision before 0.5 named a block's modules, activations counted."""
    renamed = {}
    for name, tensor in state.items():
        parts = name.split(".")
        if "conv" in parts and parts[1] != "1":
            place = parts[3] if parts[3] in "23" and not parts[4].isdigit() else None
            old = {"2": "6", "3": "7"}[place] if place else str(3 * int(parts[3]) + int(parts[4]))
            parts[3:-1] = [old]
        renamed[".".join(parts)] = tensor
    return renamed


@pytest.mark.parametrize("old", [False, True])
def test_torchvisions_mobilenet_becomes_the_same_function(old: bool) -> None:
    torch.manual_seed(0)
    theirs = mobilenet_v2(weights=None)
    unsettle(theirs)
    state = _old_names(theirs.state_dict()) if old else theirs.state_dict()
    converted = convert(state, SOURCE)
    assert not converted.segmentor
    assert {name.split(".")[0] for name in converted.dropped} == {"classifier", "features"}
    assert {n for n in converted.dropped if n.startswith("features.18.")} == {
        n for n in state if n.startswith("features.18.")
    }
    ours = MobileNetV2(norm_cfg=NORM)  # strides of the classifier
    ours.load_state_dict(fit(converted.tensors, ours.state_dict(), SOURCE))
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        expected = theirs.eval().features[:18](image)
        ours.eval()
        torch.testing.assert_close(ours(image)[-1], expected, rtol=1e-4, atol=1e-5)


def test_openmmlabs_backbones_lose_their_classifier_and_may_lack_counters() -> None:
    wanted = ResNetV1c(depth=18).state_dict()
    found = {n: t for n, t in wanted.items() if not n.endswith("num_batches_tracked")}
    found |= {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    converted = convert(found, SOURCE)
    assert converted.dropped == ("fc.weight", "fc.bias")
    fitted = fit(converted.tensors, wanted, SOURCE)
    assert list(fitted) == list(wanted)
    assert torch.equal(fitted["stem.0.weight"], wanted["stem.0.weight"])
    mobile = {f"backbone.{name}": t for name, t in MobileNetV2().state_dict().items()}
    found = mobile | {"backbone.conv2.conv.weight": torch.zeros(1280, 320, 1, 1)}
    converted = convert(found | {"head.fc.bias": torch.zeros(1000)}, SOURCE)
    assert converted.dropped == ("conv2.conv.weight", "head.fc.bias")
    assert set(fit(converted.tensors, MobileNetV2().state_dict(), SOURCE)) == {
        name.removeprefix("backbone.") for name in mobile
    }


def test_half_precision_is_widened() -> None:
    state = {
        name: tensor.half() for name, tensor in mobilenet_v2(weights=None).state_dict().items()
    }
    fitted = fit(convert(state, SOURCE).tensors, MobileNetV2().state_dict(), SOURCE)
    assert {t.dtype for t in fitted.values()} == {torch.float32, torch.int64}
