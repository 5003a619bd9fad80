"""DeepLabV3's atrous spatial pyramid pooling (Chen et al., arXiv 1706.05587)."""

from collections.abc import Sequence
from typing import Any

from segdistill.models.mmsegmentation import ASPPHead
from segdistill.settings.schema import Network

DILATIONS = {8: (1, 12, 24, 36), 16: (1, 6, 12, 18), 32: (1, 3, 6, 9)}  # by output stride


def build(recipe: Network, widths: Sequence[int], shared: dict[str, Any]) -> Any:
    """The decode head with fresh weights."""
    del widths
    return ASPPHead(dilations=DILATIONS[recipe.output_stride], **shared)
