"""ResNet-V1c: three 3x3 convolutions in place of the first 7x7 one."""

from typing import Any

from segdistill.models.mmsegmentation import ResNetV1c
from segdistill.settings.schema import Network

# Strides and dilations of the four stages, by output stride.
STAGES = {8: ((1, 2, 1, 1), (1, 1, 2, 4)), 16: ((1, 2, 2, 1), (1, 1, 1, 2)),
          32: ((1, 2, 2, 2), (1, 1, 1, 1))}  # fmt: skip


def build(recipe: Network, norm: dict[str, Any]) -> tuple[Any, tuple[int, ...]]:
    """The backbone with fresh weights, and the widths of its stages."""
    strides, dilations = STAGES[recipe.output_stride]
    net = ResNetV1c(
        depth=recipe.depth or 18, base_channels=recipe.width, stem_channels=recipe.width,
        strides=strides, dilations=dilations, contract_dilation=True, norm_cfg=norm,
    )  # fmt: skip
    expansion = 4 if (recipe.depth or 18) >= 50 else 1
    return net, tuple(recipe.width * 2**stage * expansion for stage in range(4))
