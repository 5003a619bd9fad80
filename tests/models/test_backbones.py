"""ImageNet backbones: converted to the published bits, or refused."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from segdistill.errors import SuiteError
from segdistill.models.fetch import BACKBONES, fetch
from segdistill.models.segmentor import build
from segdistill.records import file_hash
from segdistill.settings.schema import Network

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
    with pytest.raises(SuiteError, match="unknown backbone 'resnet18'; did you mean 'resnet18_v1"):
        fetch("resnet18", tmp_path, source)
    torch.save(dict(list(tensors.items())[:10]), source)
    with pytest.raises(
        SuiteError, match=r"weights.pt: lacks 'layer1.0.conv.0.bn.running_var' \(246"
    ):
        fetch("mobilenet_v2_imagenet", tmp_path, source)
    torch.save(
        {f"head.{name}": t for name, t in build(MOBILE, 3).head.state_dict().items()}, source
    )
    with pytest.raises(SuiteError, match="a whole network; `weights --as` takes those"):
        fetch("mobilenet_v2_imagenet", tmp_path, source)
    source.write_bytes(b"no archive")
    with pytest.raises(SuiteError, match="not a plain file of weights"):
        fetch("mobilenet_v2_imagenet", tmp_path, source)
    assert not list(tmp_path.glob("*.safetensors"))


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A ResNet-18-V1c on a server of this machine, named as its publisher would."""
    torch.manual_seed(0)
    folder = tmp_path / "server"
    folder.mkdir()
    recipe = BACKBONES["resnet18_v1c"].network
    state = build(recipe, 3).backbone.state_dict() | {"fc.weight": torch.zeros(1000, 512)}
    torch.save({"state_dict": state}, folder / "x.pth")
    path = folder / f"resnet18_v1c-{file_hash(folder / 'x.pth')[:8]}.pth"
    (folder / "x.pth").rename(path)
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/{path.name}"
        entry = replace(BACKBONES["resnet18_v1c"], url=address)
        monkeypatch.setitem(BACKBONES, "resnet18_v1c", entry)
        yield path
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line each."""

    def log_message(self, *_: object) -> None:
        pass


def test_a_published_backbone_is_downloaded_by_its_hash(published: Path, tmp_path: Path) -> None:
    path = fetch("resnet18_v1c", tmp_path)
    found = load_file(path)
    original = torch.load(published, weights_only=True)["state_dict"]
    assert set(found) == set(original) - {"fc.weight"}
    assert all(torch.equal(found[name], original[name]) for name in found)
    assert path.read_bytes() == fetch("resnet18_v1c", tmp_path / "again", published).read_bytes()


def test_another_file_under_the_published_name(published: Path, tmp_path: Path) -> None:
    published.write_bytes(published.read_bytes() + b"x")
    with pytest.raises(SuiteError, match=r"cannot be downloaded \(invalid hash value .*--from"):
        fetch("resnet18_v1c", tmp_path)
    with pytest.raises(
        SuiteError, match=r"not the published file of resnet18_v1c \(sha256 \w+\.\."
    ):
        fetch("resnet18_v1c", tmp_path, published)
    published.unlink()
    with pytest.raises(SuiteError, match=r"cannot be downloaded \(File not found\); .* --from"):
        fetch("resnet18_v1c", tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))


def test_malicious_weights_are_not_executed(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "mark"),)

    source = tmp_path / "weights.pt"
    torch.save({"features": Bomb()}, source)
    with pytest.raises(SuiteError, match=r"holds posix.mkdir, which is code and is not run"):
        fetch("mobilenet_v2_imagenet", tmp_path, source)
    assert not (tmp_path / "mark").exists()
