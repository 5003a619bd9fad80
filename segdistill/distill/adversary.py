"""The second player that SKD and IFVD share: does a logit map look like the teacher's?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segdistill.distill.discriminator import Discriminator
from segdistill.distill.distiller import Adversary, Distiller, NetSpec, View
from segdistill.distill.divergences import pixel_kl, widen
from segdistill.distill.regions import Ignore, counted, on_grid


@dataclass(frozen=True)
class AdversarialConfig(Distiller.Config):
    """Options of the pixel-wise and the holistic term; see `Holistic`."""

    pixel_weight: float = 10.0
    holistic_weight: float = 0.1
    adversary: Literal["wgan-gp", "hinge"] = "wgan-gp"
    discriminator_weight: float = 0.1
    discriminator_lr: float = 4e-4
    gradient_penalty: float = 10.0
    conditional: bool = False
    ignore: Ignore = "keep"


class Holistic(nn.Module):
    """The holistic term: a discriminator, the student's loss against it, and its own losses.

    `adversary` chooses "wgan-gp" (Gulrajani et al., NeurIPS 2017) or "hinge" (Lim & Ye 2017);
    with `conditional` the discriminator also sees the image. Under ignore="mask" it sees 0 at
    ignored positions, and an image without a valid position counts nowhere.
    Source: Liu et al., CVPR 2019, section 3.2. Raises ValueError for an unknown `adversary`.
    """

    def __init__(self, config: AdversarialConfig, classes: int) -> None:
        super().__init__()
        if config.adversary not in ("wgan-gp", "hinge"):
            raise ValueError(f"adversary must be 'wgan-gp' or 'hinge', got {config.adversary!r}")
        self.config = config
        self.discriminator = Discriminator(classes, image_channels=3 if config.conditional else 0)

    def player(self) -> Adversary:
        """The discriminator with its optimiser, in the terms of the contract."""
        return Adversary(self.discriminator, "adam", self.config.discriminator_lr, "poly")

    def loss(self, student: View, labels: Tensor) -> Tensor:
        """- mean D(student), unweighted; no gradient is collected in the discriminator."""
        size, ignore = student.logits.shape[-2:], self.config.ignore
        valid, image = counted(labels, size, ignore), self._image(student, labels)
        with frozen(self.discriminator):
            return -_mean(self._judge(student.logits, image, valid), valid)

    def adversary_losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`discriminator` and, for "wgan-gp", `gradient_penalty`, weighted, on detached logits.

        wgan-gp: mean D(student) - mean D(teacher) + gradient_penalty x mean (|grad D| - 1)^2;
        hinge: mean max(0, 1 + D(student)) + mean max(0, 1 - D(teacher)).
        """
        config, image = self.config, self._image(student, labels)
        fake = widen(student.logits.detach())
        real, valid = on_grid(
            widen(teacher.logits.detach()), labels, fake.shape[-2:], config.ignore
        )
        of_fake, of_real = self._judge(fake, image, valid), self._judge(real, image, valid)
        if config.adversary == "hinge":
            of_fake, of_real = F.relu(1 + of_fake), -F.relu(1 - of_real)
        loss = _mean(of_fake, valid) - _mean(of_real, valid)
        terms = {"discriminator": config.discriminator_weight * loss}
        if config.adversary == "wgan-gp" and config.gradient_penalty:
            weight = config.discriminator_weight * config.gradient_penalty
            terms["gradient_penalty"] = weight * self._penalty(fake, real, image, valid)
        return terms

    def _image(self, view: View, labels: Tensor) -> Tensor | None:
        """What a conditional discriminator sees beside the logits: N 3 h w on their grid."""
        if not self.config.conditional:
            return None
        if view.image is None:
            raise ValueError("conditional=True needs the image in the view, which has none")
        return on_grid(widen(view.image), labels, view.logits.shape[-2:], self.config.ignore)[0]

    def _judge(self, logits: Tensor, image: Tensor | None, valid: Tensor | None) -> Tensor:
        """D's mean score of each image: N."""
        seen = [widen(logits)]
        if image is not None:
            seen.append(image)
        if valid is not None:
            seen = [maps.masked_fill(~valid[:, None], 0.0) for maps in seen]
        scores: Tensor = self.discriminator(*seen)
        return scores.flatten(1).mean(dim=1)

    def _penalty(
        self, fake: Tensor, real: Tensor, image: Tensor | None, valid: Tensor | None
    ) -> Tensor:
        """Mean over images of (|gradient of D at a random mixture of the maps| - 1)^2."""
        share = torch.rand(len(fake), 1, 1, 1, dtype=fake.dtype, device=fake.device)
        mixture = (share * real + (1 - share) * fake).requires_grad_()
        score = self._judge(mixture, image, valid).sum()
        (gradient,) = torch.autograd.grad(score, mixture, create_graph=True)
        return _mean((gradient.flatten(1).norm(dim=1) - 1) ** 2, valid)


def _mean(of_images: Tensor, valid: Tensor | None) -> Tensor:
    if valid is None:
        return of_images.mean()
    present = valid.flatten(1).any(dim=1)
    return (of_images * present).sum() / present.sum().clamp(min=1)


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Let gradients pass through `module` without collecting any in its parameters."""
    before = [(parameter, parameter.requires_grad) for parameter in module.parameters()]
    module.requires_grad_(False)
    try:
        yield
    finally:
        for parameter, flag in before:
            parameter.requires_grad_(flag)


class AdversarialDistiller(Distiller):
    """A method that has the pixel-wise and the holistic term of SKD beside its own."""

    config: AdversarialConfig

    def __init__(self, config: AdversarialConfig, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        self.holistic = Holistic(config, student.classes) if config.holistic_weight else None

    def shared_terms(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`pixel` as KD with T = 1, and `holistic` from the discriminator, both weighted."""
        config, terms = self.config, {}
        size = student.logits.shape[-2:]
        if config.pixel_weight:
            logits, valid = on_grid(teacher.logits, labels, size, config.ignore)
            terms["pixel"] = config.pixel_weight * pixel_kl(student.logits, logits, 1.0, valid)
        if self.holistic is not None:
            terms["holistic"] = config.holistic_weight * self.holistic.loss(student, labels)
        return terms

    def adversary(self) -> Adversary | None:
        """The discriminator, unless its term has weight 0."""
        return self.holistic.player() if self.holistic is not None else None

    def adversary_losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """The discriminator's terms."""
        if self.holistic is None:
            return {}
        return self.holistic.adversary_losses(student, teacher, labels)
