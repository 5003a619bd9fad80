"""The contract of a distillation method, and the few formulas that several methods share."""

from segdistill.distill.distiller import (
    Adversary,
    Distiller,
    NetSpec,
    UnknownMethodError,
    View,
    load,
    method_names,
)

__all__ = [
    "Adversary",
    "Distiller",
    "NetSpec",
    "UnknownMethodError",
    "View",
    "load",
    "method_names",
]
