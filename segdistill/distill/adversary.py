"""The adversarial term that SKD and IFVD share: does a logit map look like the teacher's?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segdistill.distill.discriminator import Discriminator
from segdistill.distill.distiller import Adversary, Distiller, NetSpec, View
from segdistill.distill.divergences import to_float32
from segdistill.distill.features import logit_kl
from segdistill.distill.regions import Ignore, on_grid, valid_mask


@dataclass(frozen=True)
class AdversarialConfig(Distiller.Config):
    """Options of the pixel-wise and the holistic term; see `Holistic`.

    Example:
        >>> AdversarialConfig(adversary="hinge").discriminator_lr
        0.0004
    """

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

    With `conditional` the discriminator also sees the image. Under ignore="mask" it sees 0 at
    ignored positions, and an image without a valid position counts nowhere.
    Source: Liu et al., CVPR 2019, section 3.2.

    Args:
        config: `adversary` is "wgan-gp" (Gulrajani et al., NeurIPS 2017) or "hinge" (Lim & Ye
            2017).
        classes: Channels of the logits.

    Raises:
        ValueError: `adversary` is neither.

    Example:
        >>> from segdistill.distill.example import batch
        >>> term = Holistic(AdversarialConfig(), classes=5)
        >>> list(term.adversary_losses(*batch()))
        ['discriminator', 'gradient_penalty']
    """

    def __init__(self, config: AdversarialConfig, classes: int) -> None:
        super().__init__()
        if config.adversary not in ("wgan-gp", "hinge"):
            raise ValueError(f"adversary must be 'wgan-gp' or 'hinge', got {config.adversary!r}")
        self.config = config
        self.discriminator = Discriminator(classes, image_channels=3 if config.conditional else 0)

    def adversary(self) -> Adversary:
        """The discriminator with its optimiser, in the terms of the contract."""
        return Adversary(self.discriminator, "adam", self.config.discriminator_lr, "poly")

    def loss(self, student: View, labels: Tensor) -> Tensor:
        """- mean D(student), unweighted; no gradient is collected in the discriminator."""
        size, ignore = student.logits.shape[-2:], self.config.ignore
        valid, image = valid_mask(labels, size, ignore), self._image(student, labels)
        with frozen(self.discriminator):
            return -_mean(self._judge(student.logits, image, valid), valid)

    def adversary_losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`discriminator` and, for "wgan-gp", `gradient_penalty`, weighted, on detached logits.

        wgan-gp: mean D(student) - mean D(teacher) + gradient_penalty x mean (|grad D| - 1)^2;
        hinge: mean max(0, 1 + D(student)) + mean max(0, 1 - D(teacher)).
        """
        config, image = self.config, self._image(student, labels)
        fake = to_float32(student.logits.detach())
        real, valid = on_grid(
            to_float32(teacher.logits.detach()), labels, fake.shape[-2:], config.ignore
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
        return on_grid(to_float32(view.image), labels, view.logits.shape[-2:], self.config.ignore)[
            0
        ]

    def _judge(self, logits: Tensor, image: Tensor | None, valid: Tensor | None) -> Tensor:
        """D's mean score of each image: N."""
        seen = [to_float32(logits)]
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
    """A method that has the pixel-wise and the holistic term of SKD beside its own.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> class Shared(AdversarialDistiller):
        ...     name, paper = "shared", "an example"
        ...     losses = AdversarialDistiller.shared_terms
        >>> method = Shared(AdversarialConfig(), *specs())
        >>> list(method.losses(*batch())), method.adversary().optimizer
        (['pixel', 'holistic'], 'adam')
    """

    config: AdversarialConfig

    def __init__(self, config: AdversarialConfig, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        self.holistic = Holistic(config, student.classes) if config.holistic_weight else None

    def shared_terms(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`pixel` as KD with T = 1, and `holistic` from the discriminator, both weighted."""
        config, terms = self.config, {}
        if config.pixel_weight:
            divergence = logit_kl(student, teacher, labels, 1.0, config.ignore)
            terms["pixel"] = config.pixel_weight * divergence
        if self.holistic is not None:
            terms["holistic"] = config.holistic_weight * self.holistic.loss(student, labels)
        return terms

    def adversary(self) -> Adversary | None:
        """The discriminator, unless its term has weight 0."""
        return self.holistic.adversary() if self.holistic is not None else None

    def adversary_losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """The discriminator's terms."""
        if self.holistic is None:
            return {}
        return self.holistic.adversary_losses(student, teacher, labels)
