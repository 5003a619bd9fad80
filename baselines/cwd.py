"""CWD: match where in the image each channel responds."""

from dataclasses import dataclass

from torch import Tensor, nn

from segdistill.distill import Distiller, NetSpec, View
from segdistill.distill.divergences import position_kl, widen
from segdistill.distill.regions import Ignore, on_grid


class CWD(Distiller):
    """Channel-wise distillation of the logits or of one feature map."""

    name = "cwd"
    paper = (
        "C. Shu, Y. Liu, J. Gao, Z. Yan, C. Shen, Channel-wise Knowledge Distillation "
        "for Dense Prediction, ICCV 2021"
    )

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """`on` is "logits" or a tap such as "head.embedding" (published weight there: 50)."""

        weight: float = 3.0
        temperature: float = 4.0
        on: str = "logits"
        ignore: Ignore = "keep"

    config: Config

    def __init__(self, config: Config, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        self.adapter: nn.Module = nn.Identity()
        if config.on == "logits" or config.weight == 0:
            return
        self.student_taps = self.teacher_taps = (config.on,)
        narrow, wide = student.channels[config.on], teacher.channels[config.on]
        if narrow != wide:
            self.adapter = nn.Conv2d(narrow, wide, kernel_size=1, bias=False)

    def losses(
        self, student: View, teacher: View, labels: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """`channel`: T^2 / (N C_t) sum over n, c of KL(phi(t_nc) || phi(s_nc)) over positions."""
        del progress
        config = self.config
        if config.weight == 0:
            return {}
        own = widen(self._map(student))
        other, valid = on_grid(self._map(teacher), labels, own.shape[-2:], config.ignore)
        if valid is not None:  # or the adapter's gradient would see what stands there
            own = own.masked_fill(~valid[:, None], 0.0)
        divergence = position_kl(self.adapter(own), other, config.temperature, valid)
        return {"channel": config.weight * divergence.mean()}

    def _map(self, view: View) -> Tensor:
        return view.logits if self.config.on == "logits" else view.taps[self.config.on]
