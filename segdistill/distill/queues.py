"""Queues of the teacher's features, one ring a class: the memory of CIRKD."""

import torch
from torch import Tensor, nn


class ClassQueues(nn.Module):
    """The latest `size` vectors of every class; buffers, so that they resume with the training.

    Example:
        >>> queues = ClassQueues(classes=3, size=2, width=1)
        >>> queues.push(torch.tensor([[1.0], [2.0], [3.0], [4.0]]), torch.tensor([0, 0, 0, 2]))
        >>> queues.filled.tolist(), sorted(queues.sample(5)[:, 0].tolist())
        ([2, 0, 1], [2.0, 3.0, 4.0])
    """

    entries: Tensor  # K size C
    filled: Tensor  # K, how many entries of each class hold a vector
    following: Tensor  # K, where the next vector of each class goes

    def __init__(self, classes: int, size: int, width: int) -> None:
        super().__init__()
        if size < 1:
            raise ValueError(f"a queue must hold at least one vector, got {size}")
        self.size = size
        self.register_buffer("entries", torch.zeros(classes, size, width))
        self.register_buffer("filled", torch.zeros(classes, dtype=torch.long))
        self.register_buffer("following", torch.zeros(classes, dtype=torch.long))

    @torch.no_grad()
    def push(self, vectors: Tensor, classes: Tensor) -> None:
        """Put in `vectors` (E C) of `classes` (E), in this order; the oldest ones leave."""
        for label in torch.unique(classes).tolist():
            chosen = vectors[classes == label][-self.size :].to(self.entries.dtype)
            places = self.following[label] + torch.arange(len(chosen), device=chosen.device)
            self.entries[label, places % self.size] = chosen
            self.following[label] = (places[-1] + 1) % self.size
            self.filled[label] = (self.filled[label] + len(chosen)).clamp(max=self.size)

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        """At most `count` vectors of each class, drawn without repetition: L C, classes in order.

        Only places that were filled are drawn, so early in a training there are fewer.
        """
        drawn = [
            self.entries[label, torch.randperm(filled, device=self.entries.device)[:count]]
            for label, filled in enumerate(self.filled.tolist())
        ]
        return torch.cat(drawn)
