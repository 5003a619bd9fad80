"""The base of methods with one term on one map of both networks: a subclass is its formula."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from segdistill.distill.distiller import Distiller, NetSpec, View
from segdistill.distill.features import LOGITS, feature_pair, tap_width
from segdistill.distill.regions import Ignore


class FeatureDistiller(Distiller):
    """A method whose one term compares a feature map, or the logits, of both networks.

    It resizes the teacher's map to the student's grid, sets positions that do not count to 0,
    adapts the student's width to the teacher's, weighs what `loss` gives, and builds and computes
    nothing at weight 0. A subclass states `term` and `loss`.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> from segdistill.distill.features import position_mean
        >>> class Squares(FeatureDistiller):
        ...     name, paper, term = "squares", "an example", "feature"
        ...
        ...     def loss(self, student, teacher, valid):
        ...         return position_mean((student - teacher) ** 2, valid)
        >>> method = Squares(Squares.Config(weight=10.0, ignore="mask"), *specs())
        >>> method.student_taps, method.adapter.weight.shape[:2], list(method.losses(*batch()))
        (('head.embedding',), torch.Size([10, 6]), ['feature'])
    """

    term: ClassVar[str]  # the name under which the loss is logged
    adapter: nn.Module  # from the student's width to the teacher's

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """The weight, the map ("logits" or a tap), and what happens to ignored pixels."""

        weight: float = 1.0
        tap: str = "head.embedding"
        ignore: Ignore = "keep"

    config: Config

    def __init__(self, config: Config, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        self.adapter = nn.Identity()
        if config.weight == 0:
            return
        if config.tap != LOGITS:
            self.student_taps = self.teacher_taps = (config.tap,)
        self.build_modules(tap_width(student, config.tap), tap_width(teacher, config.tap))

    def build_modules(self, student_width: int, teacher_width: int) -> None:
        """Make what trains with the student: a bias-free 1x1 adapter if the widths differ.

        A method with other modules, or none, overrides this.
        """
        if student_width != teacher_width:
            self.adapter = nn.Conv2d(student_width, teacher_width, kernel_size=1, bias=False)

    @abstractmethod
    def loss(self, student: Tensor, teacher: Tensor, valid: Tensor | None) -> Tensor:
        """The unweighted loss, a scalar.

        Args:
            student: N C_t h w, or N C_s h w without an adapter; from maps that are 0 where
                `valid` is not.
            teacher: N C_t h w, 0 where `valid` is not.
            valid: The positions that count, N h w bool; None if all do. Sums and normalisers run
                over these alone.
        """

    def losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """The one term, weighted."""
        config = self.config
        if config.weight == 0:
            return {}
        pair = feature_pair(student, teacher, config.tap, labels, config.ignore)
        loss = self.loss(self.adapter(pair.student), pair.teacher, pair.valid)
        return {self.term: config.weight * loss}
