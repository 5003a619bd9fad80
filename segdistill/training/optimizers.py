"""Optimisers and learning rates: SGD under a poly schedule, and the discriminator's own."""

from collections.abc import Iterable

import torch
from torch import nn

from segdistill.distill import Adversary
from segdistill.settings.schema import Training


def student_optimizer(
    parameters: Iterable[nn.Parameter], training: Training
) -> torch.optim.Optimizer:
    """SGD with the recipe's momentum and weight decay."""
    return torch.optim.SGD(
        list(parameters),
        lr=training.learning_rate,
        momentum=training.momentum,
        weight_decay=training.weight_decay,
        fused=True,
    )


def poly(training: Training, step: int) -> float:
    """Learning rate of `step`: linear warm-up times (1 - step / steps) ^ power."""
    warm = min(1.0, (step + 1) / training.warmup) if training.warmup else 1.0
    return training.learning_rate * warm * decay(training, step)


def decay(training: Training, step: int) -> float:
    """(1 - step / steps) ^ power."""
    return float((1 - step / training.steps) ** training.power)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Let the next step of `optimizer` use `rate`."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def adversary_optimizer(adversary: Adversary) -> torch.optim.Optimizer:
    """The discriminator's own: Adam (0.9, 0.99) or SGD with momentum 0.9."""
    parameters = adversary.module.parameters()
    if adversary.optimizer == "adam":
        betas = (0.9, 0.99)
        return torch.optim.Adam(parameters, lr=adversary.learning_rate, betas=betas, fused=True)
    return torch.optim.SGD(parameters, lr=adversary.learning_rate, momentum=0.9, fused=True)
