"""The contract of a distillation method, and the few formulas that several methods share."""

from segdistill.distill.distiller import Adversary, Distiller, NetSpec, View
from segdistill.distill.feature_distiller import FeatureDistiller
from segdistill.distill.loading import UnknownMethodError, load, method_names

__all__ = [
    "Adversary",
    "Distiller",
    "FeatureDistiller",
    "NetSpec",
    "UnknownMethodError",
    "View",
    "load",
    "method_names",
]
