"""ImageNet backbones: converted to the published bits, or refused."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from harness.backbones import convert_mobilenet, fetch
from harness.errors import SuiteError
from harness.nets import build
from harness.recipe import Network

MOBILE = Network(decoder="pspnet", backbone="mobilenet_v2", head_width=8)


def test_the_shipped_backbone_converts_to_its_published_bits(shared: Path, tmp_path: Path) -> None:
    source = shared / "weights/mobilenet_v2_imagenet_features.pth"
    path = fetch("mobilenet_v2_imagenet", tmp_path, source)
    found, original = load_file(path), torch.load(source, weights_only=True)
    assert torch.equal(found["conv1.conv.weight"], original["features.0.0.weight"])
    assert torch.equal(found["layer7.0.conv.2.conv.weight"], original["features.17.conv.2.weight"])
    net = build(MOBILE, 3)
    assert set(found) == set(net.backbone.state_dict())


def test_another_networks_file_is_no_backbone(tmp_path: Path) -> None:
    source = tmp_path / "weights.pt"
    torch.manual_seed(0)
    tensors = build(MOBILE, 3).backbone.state_dict()
    torch.save(tensors, source)
    with pytest.raises(SuiteError, match="these are not the weights of mobilenet_v2_imagenet"):
        fetch("mobilenet_v2_imagenet", tmp_path, source)
    with pytest.raises(SuiteError, match="unknown backbone 'resnet'; known: mobilenet_v2_imagenet"):
        fetch("resnet", tmp_path, source)
    few = dict(list(tensors.items())[:10])
    with pytest.raises(SuiteError, match="10 tensors, a MobileNetV2 has"):
        convert_mobilenet(few, source)
    source.write_bytes(b"no archive")
    with pytest.raises(SuiteError, match="not a plain file of weights"):
        fetch("mobilenet_v2_imagenet", tmp_path, source)
    assert not list(tmp_path.glob("*.safetensors"))


def test_malicious_weights_are_not_executed(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "mark"),)

    source = tmp_path / "weights.pt"
    torch.save({"features": Bomb()}, source)
    with pytest.raises(SuiteError, match="not a plain file of weights"):
        fetch("mobilenet_v2_imagenet", tmp_path, source)
    assert not (tmp_path / "mark").exists()
