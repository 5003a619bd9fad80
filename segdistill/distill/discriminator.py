"""The network that tells the student's logit maps from the teacher's."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

SMALLEST = 8
KERNEL = 4
SLOPE = 0.1  # of the leaky ReLU


class Discriminator(nn.Module):
    """Scores of logit maps (N K h w, h and w at least 8): N 1 a b.

    Batch norm, four spectrally normalised 4x4 convolutions of stride 2 (64, 128, 256, 512
    channels), self-attention after the third and the fourth, one 4x4 convolution to one map. An
    odd side is padded by one more zero and a side below 4 up to 4 before the last, so any size
    runs; at 64 x 64 it is the published network, with one score an image.
    Source: Liu et al., CVPR 2019, section 3.2, and their code.

    Example:
        >>> tuple(Discriminator(classes=19)(torch.zeros(2, 19, 64, 64)).shape)
        (2, 1, 1, 1)
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
        """Score `logits`, with the image (N 3 h w, at their size) beside them if it is given.

        Raises:
            ValueError: A side is below 8.
        """
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

    Example:
        >>> tuple(SelfAttention(channels=16)(torch.zeros(2, 16, 4, 4)).shape)
        (2, 16, 4, 4)
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
