"""Makes `import torchvision` work on a CPU build of torch; import this module first.

The published torchvision wheel is a CUDA build. Without CUDA its extension does not load, and
the first import fails because two operators are undeclared. Their schemas are all it needs.
"""

import importlib.util
from pathlib import Path
from typing import Any

import torch

SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def declare_operators() -> Any:
    """Load torchvision's extension, or declare the operators it would have brought."""
    spec = importlib.util.find_spec("torchvision")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for extension in Path(place).glob("_C*.so"):
            try:
                torch.ops.load_library(str(extension))  # type: ignore[no-untyped-call]
            except OSError:
                continue
            return None
    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for operator in ("nms", "qnms"):
        library.define(operator + SCHEMA)
    return library


OPERATORS = declare_operators()  # the declarations live as long as this object
