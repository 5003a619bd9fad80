"""The discriminator that SKD and IFVD share: does a logit map look like the teacher's?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from distill.distiller import Adversary, Distiller, View
from distill.divergences import resize, widen
from distill.regions import Ignore, counted

SMALLEST = 8
KERNEL = 4
SLOPE = 0.1  # of the leaky ReLU


@dataclass(frozen=True)
class AdversarialConfig(Distiller.Config):
    """Options of the holistic term; see `Holistic`."""

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
        valid = counted(labels, student.logits.shape[-2:], self.config.ignore)
        with frozen(self.discriminator):
            return -_mean(self._judge(student.logits, student.image, valid), valid)

    def adversary_losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`discriminator` and, for "wgan-gp", `gradient_penalty`, weighted, on detached logits.

        wgan-gp: mean D(student) - mean D(teacher) + gradient_penalty x mean (|grad D| - 1)^2;
        hinge: mean max(0, 1 + D(student)) + mean max(0, 1 - D(teacher)).
        """
        config, image = self.config, student.image
        fake = widen(student.logits.detach())
        real = widen(resize(teacher.logits.detach(), fake.shape[-2:]))
        valid = counted(labels, fake.shape[-2:], config.ignore)
        of_fake, of_real = self._judge(fake, image, valid), self._judge(real, image, valid)
        if config.adversary == "hinge":
            of_fake, of_real = F.relu(1 + of_fake), -F.relu(1 - of_real)
        loss = _mean(of_fake, valid) - _mean(of_real, valid)
        terms = {"discriminator": config.discriminator_weight * loss}
        if config.adversary == "wgan-gp" and config.gradient_penalty:
            weight = config.discriminator_weight * config.gradient_penalty
            terms["gradient_penalty"] = weight * self._penalty(fake, real, image, valid)
        return terms

    def _judge(self, logits: Tensor, image: Tensor | None, valid: Tensor | None) -> Tensor:
        """D's mean score of each image: N."""
        seen = [widen(logits)]
        if self.config.conditional:
            if image is None:
                raise ValueError("conditional=True needs the image in the view, which has none")
            seen.append(resize(widen(image), logits.shape[-2:]))
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


class Discriminator(nn.Module):
    """Scores of logit maps (N K h w, h and w at least 8): N 1 a b.

    Batch norm, four spectrally normalised 4x4 convolutions of stride 2 (64, 128, 256, 512
    channels), self-attention after the third and the fourth, one 4x4 convolution to one map. An
    odd side is padded by one more zero and a side below 4 up to 4 before the last, so any size
    runs; at 64 x 64 it is the published network, with one score an image.
    """

    def __init__(self, classes: int, image_channels: int = 0) -> None:
        super().__init__()
        widths = (classes + image_channels, 64, 128, 256, 512)
        self.norm = nn.BatchNorm2d(classes)
        self.convolutions = nn.ModuleList(
            spectral_norm(nn.Conv2d(narrow, wide, KERNEL, stride=2))
            for narrow, wide in pairwise(widths)
        )
        self.attentions = nn.ModuleDict({"2": SelfAttention(256), "3": SelfAttention(512)})
        self.output = nn.Conv2d(512, 1, KERNEL)

    def forward(self, logits: Tensor, image: Tensor | None = None) -> Tensor:
        """Score `logits`, with the image (N 3 h w, at their size) beside them if it is given."""
        if min(logits.shape[-2:]) < SMALLEST:
            raise ValueError(
                f"the discriminator needs logits of at least {SMALLEST}x{SMALLEST}, got "
                f"{logits.shape[-2]}x{logits.shape[-1]}: use larger crops or holistic_weight=0"
            )
        maps = self.norm(logits)
        maps = maps if image is None else torch.cat([maps, image], dim=1)
        for index, convolution in enumerate(self.convolutions):
            height, width = maps.shape[-2:]
            padded = F.pad(maps, (1, 1 + width % 2, 1, 1 + height % 2))
            maps = F.leaky_relu(convolution(padded), SLOPE)
            if str(index) in self.attentions:
                maps = self.attentions[str(index)](maps)
        height, width = maps.shape[-2:]
        maps = F.pad(maps, (0, max(0, KERNEL - width), 0, max(0, KERNEL - height)))
        scores: Tensor = self.output(maps)
        return scores


class SelfAttention(nn.Module):
    """Every position adds what the positions like it hold: x + gain * V softmax(Q'K)'.

    Maps N C h w in and out; the gain starts at 0. Source: Zhang et al., SAGAN, ICML 2019, eq. 1-3.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels // 8, 1)
        self.key = nn.Conv2d(channels, channels // 8, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gain = nn.Parameter(torch.zeros(1))

    def forward(self, maps: Tensor) -> Tensor:
        """`maps` with what their positions gathered."""
        query, key, value = (layer(maps).flatten(2) for layer in (self.query, self.key, self.value))
        attention = (query.transpose(1, 2) @ key).softmax(dim=2)
        gathered: Tensor = (value @ attention.transpose(1, 2)).view_as(maps)
        return maps + self.gain * gathered
