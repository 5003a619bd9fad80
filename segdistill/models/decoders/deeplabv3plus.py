"""DeepLabV3+ (Chen et al., ECCV 2018): the pyramid, refined with a map of the first stage."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from segdistill.models.decoders.deeplabv3 import DILATIONS
from segdistill.models.mmsegmentation import DepthwiseSeparableASPPHead, resize
from segdistill.settings.schema import Network

LOW_LEVEL_WIDTH = 48  # section 4.1 of the paper


def build(recipe: Network, widths: Sequence[int], shared: dict[str, Any]) -> Any:
    """The decode head with fresh weights."""
    return DeepLabV3PlusHead(
        c1_in_channels=widths[0], c1_channels=LOW_LEVEL_WIDTH,
        dilations=DILATIONS[recipe.output_stride], **shared,
    )  # fmt: skip


class DeepLabV3PlusHead(DepthwiseSeparableASPPHead):  # type: ignore[misc]
    """DeepLabV3+'s decoder, its embedding apart from its classifier."""

    def _forward_feature(self, stages: Sequence[Tensor]) -> Tensor:
        low_level = self.c1_bottleneck(stages[0])
        pyramid = resize(
            super()._forward_feature(stages), size=low_level.shape[2:], mode="bilinear",
            align_corners=self.align_corners,
        )  # fmt: skip
        embedding: Tensor = self.sep_bottleneck(torch.cat([pyramid, low_level], dim=1))
        return embedding
