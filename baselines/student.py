"""No distillation: the row from which every gain is measured."""

from dataclasses import dataclass

from torch import Tensor

from segdistill.distill import Distiller, View


class Student(Distiller):
    """Cross entropy alone.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(Student(Student.Config(), *specs()).losses(*batch()))
        []
    """

    name = "student"
    paper = "none: cross entropy alone"
    needs_teacher = False

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """Nothing to choose."""

    def losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """No term."""
        del student, teacher, labels
        return {}
