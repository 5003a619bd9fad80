"""The contract between a distillation method and the harness that trains with it."""

import importlib
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

ENTRY_POINTS = "segdistill.methods"


class View(NamedTuple):
    """What a method sees of one network at one training step."""

    logits: Tensor  # N K h w, before up-sampling
    taps: Mapping[str, Tensor]  # the feature maps the method asked for, N C h w each
    image: Tensor | None = None  # N 3 H W, normalised; for conditional discriminators


class NetSpec(NamedTuple):
    """What a method may know of a network when it builds its adapters."""

    classes: int
    channels: Mapping[str, int]  # width of every tap of the network
    classifier: Tensor | None = None  # K C, the linear classifier on head.embedding, detached


class Adversary(NamedTuple):
    """A second player with an optimiser of its own (SKD, IFVD)."""

    module: nn.Module
    optimizer: str  # "adam" or "sgd"
    learning_rate: float
    decay: str  # "poly" or "constant"


class Distiller(nn.Module, ABC):
    """A distillation method: extra loss terms for a student that watches a frozen teacher.

    Parameters made in `__init__` (adapters) train with the student and never ship with it.
    Randomness comes from torch's global generator alone; the harness seeds it every step. Every
    process of a distributed training is given the whole batch and the same random draws, so a
    method needs no exchange between processes and remembers the same on each.
    """

    name: ClassVar[str]  # as `load` finds it: the file's name
    paper: ClassVar[str]  # the citation under every table
    reconstructed: ClassVar[bool] = False  # the paper is not open: the formula is our reading
    needs_teacher: ClassVar[bool] = True  # False: the harness may skip the teacher's forward
    student_taps: tuple[str, ...] = ()
    teacher_taps: tuple[str, ...] = ()

    @dataclass(frozen=True)
    class Config:
        """The method's hyper-parameters; a subclass adds fields with their defaults."""

    def __init__(self, config: Any, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__()
        self.config = config
        self.student_spec = student
        self.teacher_spec = teacher

    @abstractmethod
    def losses(
        self, student: View, teacher: View, labels: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """Weighted scalar terms, all of which are added to the cross entropy and logged.

        `labels` is N H W int64 with 255 = ignore; `progress` runs from 0 to 1 over the
        training. A term of weight 0 is absent. Called outside autocast: maps may be of half
        precision, and a method chooses by itself what it computes in float32.
        """

    def adversary(self) -> Adversary | None:
        """The second player, whose parameters are not the student's to train."""
        return None

    def adversary_losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """The second player's own loss terms, on detached logits, after the student's step."""
        del student, teacher, labels
        return {}

    def counters(self) -> Mapping[str, float]:
        """Numbers to log that are no part of the loss."""
        return {}

    def trainable_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters that train with the student: all but the second player's."""
        player = self.adversary()
        theirs = set(player.module.parameters()) if player is not None else set()
        return (parameter for parameter in self.parameters() if parameter not in theirs)


class UnknownMethodError(LookupError):
    """No method of that name exists; the message lists the nearest names."""


def method_names() -> list[str]:
    """Names of the methods that ship with the suite or are installed beside it, sorted."""
    folder = importlib.util.find_spec("baselines")
    places = folder.submodule_search_locations if folder else None
    names = {path.stem for place in places or [] for path in Path(place).glob("[!_]*.py")}
    return sorted({*names, "pcd", *(point.name for point in entry_points(group=ENTRY_POINTS))})


def load(name: str) -> type[Distiller]:
    """The method class called `name`: `baselines.NAME`, package NAME, entry point, `module:Class`.

    Raises UnknownMethodError if there is none.
    """
    if ":" in name:
        module_name, _, class_name = name.partition(":")
        return _checked(getattr(_import(module_name, name), class_name, None), name)
    for module_name in (f"baselines.{name}", name):
        if name.isidentifier() and _exists(module_name):
            return _checked(_only_method(importlib.import_module(module_name), name), name)
    for point in entry_points(group=ENTRY_POINTS, name=name):
        return _checked(point.load(), name)
    raise UnknownMethodError(_message(name))


def _exists(module_name: str) -> bool:
    try:
        return importlib.util.find_spec(module_name) is not None
    except ModuleNotFoundError:
        return False


def _import(module_name: str, name: str) -> Any:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise UnknownMethodError(f"method {name!r}: {error}") from error


def _only_method(module: Any, name: str) -> Any:
    classes = [value for value in vars(module).values() if isinstance(value, type)]
    methods = [found for found in classes if issubclass(found, Distiller)]
    found = [method for method in methods if getattr(method, "name", None) == name]
    return found[0] if len(found) == 1 else None


def _checked(value: Any, name: str) -> type[Distiller]:
    if isinstance(value, type) and issubclass(value, Distiller):
        return value
    raise UnknownMethodError(_message(name))


def _message(name: str) -> str:
    known = method_names()
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
    return f"unknown method {name!r}{hint}"
