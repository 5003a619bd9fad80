"""Where pretrained backbones lie. Starts without torch."""

import os
from pathlib import Path

from segdistill.errors import SuiteError

FOLDER = Path("data/backbones")


def backbone_path(name: str) -> Path:
    """Where backbone `name` lies: below FOLDER or the environment variable BACKBONE_ROOT."""
    return Path(os.environ.get("BACKBONE_ROOT", FOLDER)) / f"{name}.safetensors"


def existing_backbone(name: str) -> Path:
    """The file of backbone `name`. Raises SuiteError if it is not there."""
    path = backbone_path(name)
    if not path.is_file():
        raise SuiteError(f"{path}: no such backbone; get it with `segdistill weights {name}`")
    return path
