"""PSPNet's pyramid pooling (Zhao et al., CVPR 2017)."""

from collections.abc import Sequence
from typing import Any

from segdistill.models.mmsegmentation import PSPHead
from segdistill.settings.schema import Network


def build(recipe: Network, widths: Sequence[int], shared: dict[str, Any]) -> Any:
    """The decode head with fresh weights."""
    del recipe, widths
    return PSPHead(pool_scales=(1, 2, 3, 6), **shared)
