"""MobileNetV2 (Sandler et al., CVPR 2018), its seven stages seen as four."""

from typing import Any

from segdistill.models.mmsegmentation import MobileNetV2
from segdistill.settings.schema import Network

# Strides and dilations of the seven stages, by output stride.
STAGES = {8: ((1, 2, 2, 1, 1, 1, 1), (1, 1, 1, 2, 2, 4, 4)),
          16: ((1, 2, 2, 2, 1, 1, 1), (1, 1, 1, 1, 1, 2, 2)),
          32: ((1, 2, 2, 2, 1, 2, 1), (1, 1, 1, 1, 1, 1, 1))}  # fmt: skip
SEEN = (1, 2, 4, 6)


def build(recipe: Network, norm: dict[str, Any]) -> tuple[Any, tuple[int, ...]]:
    """The backbone with fresh weights, and the widths of its stages."""
    strides, dilations = STAGES[recipe.output_stride]
    net = MobileNetV2(
        widen_factor=recipe.widen, strides=strides, dilations=dilations, out_indices=SEEN,
        norm_cfg=norm,
    )  # fmt: skip
    return net, tuple(_last_width(net, stage) for stage in SEEN)


def _last_width(net: Any, stage: int) -> int:
    block = getattr(net, net.layers[stage])[-1]
    return int(
        block.out_channels if hasattr(block, "out_channels") else block.conv[-1].out_channels
    )
