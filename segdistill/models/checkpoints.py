"""Reading other people's checkpoints without running anything that is in them."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy._core import multiarray
from torch import Tensor

from segdistill.errors import SuiteError
from segdistill.models.weights import read_tensors

# What metadata may hold beside plain Python: NumPy's arrays and numbers. They carry no code.
_NUMBERS = (np.float16, np.float32, np.float64, np.int32, np.int64, np.uint8, np.bool_)
_MAKERS: dict[str, Any] = {"_reconstruct": multiarray._reconstruct, "scalar": multiarray.scalar}
SAFE: list[Any] = [
    np.ndarray,
    np.dtype,
    *(type(np.dtype(number)) for number in _NUMBERS),
    *((make, f"numpy.{home}.multiarray.{name}") for name, make in _MAKERS.items()
      for home in ("core", "_core")),
]  # fmt: skip
WRAPPERS = ("state_dict", "model")  # keys under which trainers put the tensors
PREFIX = "module."  # of a network that was wrapped for several devices


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The tensors of a .pth, .pt or .safetensors file by name; whatever surrounds them is left.

    Raises SuiteError if it cannot be read, holds anything but data, or no tensors by name.
    """
    found: Any = read_tensors(path) if path.suffix == ".safetensors" else _load(path)
    for wrapper in WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = found[wrapper]
            break
    named = isinstance(found, dict) and all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in found.items()
    )
    if not named or not found:
        raise SuiteError(f"{path}: holds no mapping of names to tensors, so it is no network")
    return {name.removeprefix(PREFIX): tensor for name, tensor in found.items()}


def _load(path: Path) -> Any:
    try:
        with torch.serialization.safe_globals(SAFE):
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise SuiteError(f"{path}: cannot read ({error.strerror})") from error
    except Exception as error:
        raise SuiteError(f"{path}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """torch tells what it refused in the middle of a long text that advises to trust the file."""
    refused = re.search(r"GLOBAL (\S+)", str(error))
    if refused is None:
        return f"not a plain file of weights ({type(error).__name__})"
    return (
        f"holds {refused[1]}, which is code and is not run; where you trust the file, save its "
        "tensors alone: torch.save({'state_dict': checkpoint['state_dict']}, 'plain.pth')"
    )
