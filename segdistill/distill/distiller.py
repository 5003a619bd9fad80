"""The contract between a distillation method and whatever trains with it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn


class View(NamedTuple):
    """What a method sees of one network at one training step.

    Example:
        >>> import torch
        >>> view = View(torch.zeros(2, 19, 64, 128), {"head.embedding": torch.zeros(2, 6, 64, 128)})
        >>> view.logits.shape[1], view.taps["head.embedding"].shape[1]
        (19, 6)
    """

    logits: Tensor  # N K h w, before up-sampling
    taps: Mapping[str, Tensor]  # the feature maps the method asked for, N C h w each
    image: Tensor | None = None  # N 3 H W, normalised; for conditional discriminators


class NetSpec(NamedTuple):
    """What a method may know of a network when it builds its adapters.

    Example:
        >>> NetSpec(classes=19, channels={"head.embedding": 512}).channels["head.embedding"]
        512
    """

    classes: int
    channels: Mapping[str, int]  # width of every tap of the network
    classifier: Tensor | None = None  # K C, the linear classifier on head.embedding, detached


class Adversary(NamedTuple):
    """A discriminator and the optimiser of its own that trains it (SKD, IFVD).

    Example:
        >>> Adversary(nn.Conv2d(19, 1, 1), "adam", learning_rate=4e-4, decay="poly").optimizer
        'adam'
    """

    module: nn.Module
    optimizer: str  # "adam" or "sgd"
    learning_rate: float
    decay: str  # "poly" or "constant"


class Distiller(nn.Module, ABC):
    """A distillation method: extra loss terms for a student that watches a frozen teacher.

    Parameters made in `__init__` (adapters) train with the student and never ship with it.
    Randomness comes from torch's global generator alone; the trainer seeds it every step. Every
    process of a distributed training is given the whole batch and the same random draws, so a
    method needs no exchange between processes and remembers the same on each.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> class Mean(Distiller):
        ...     name, paper = "mean", "an example"
        ...
        ...     def losses(self, student, teacher, labels):
        ...         return {"mean": (student.logits.mean() - teacher.logits.mean()) ** 2}
        >>> list(Mean(Mean.Config(), *specs()).losses(*batch()))
        ['mean']
    """

    name: ClassVar[str]  # as `load` finds it: the file's name
    paper: ClassVar[str]  # the citation under every table
    reconstructed: ClassVar[bool] = False  # the paper is not open: the formula is our reading
    needs_teacher: ClassVar[bool] = True  # False: the trainer may skip the teacher's forward
    student_taps: tuple[str, ...] = ()
    teacher_taps: tuple[str, ...] = ()
    progress: float = 0.0  # the share of the training that is done; the trainer sets it every step

    @dataclass(frozen=True)
    class Config:
        """The method's hyper-parameters; a subclass adds fields with their defaults."""

    def __init__(self, config: Any, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__()
        self.config = config
        self.student_spec = student
        self.teacher_spec = teacher

    @abstractmethod
    def losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """Weighted scalar terms, all of which are added to the cross entropy and logged.

        Called outside autocast: maps may be of half precision, and a method chooses by itself
        what it computes in float32.

        Args:
            student: The student's maps, through which gradients flow.
            teacher: The teacher's maps, without gradient; perhaps of another size.
            labels: N H W int64, 255 = ignored.

        Returns:
            The terms by name. A term of weight 0 is absent.
        """

    def adversary(self) -> Adversary | None:
        """The discriminator, whose parameters do not train with the student; None without one."""
        return None

    def adversary_losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """The discriminator's own loss terms, on detached logits, after the student's step."""
        del student, teacher, labels
        return {}

    def counters(self) -> Mapping[str, float]:
        """Numbers to log that are no part of the loss."""
        return {}

    def trainable_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters that train with the student: all but the discriminator's."""
        adversary = self.adversary()
        theirs = set(adversary.module.parameters()) if adversary is not None else set()
        return (parameter for parameter in self.parameters() if parameter not in theirs)
