"""Two convolutions on the last stage (Long et al., CVPR 2015)."""

from collections.abc import Sequence
from typing import Any

from segdistill.models.mmsegmentation import FCNHead
from segdistill.settings.schema import Network


def build(recipe: Network, widths: Sequence[int], shared: dict[str, Any]) -> Any:
    """The decode head with fresh weights."""
    del recipe, widths
    return FCNHead(num_convs=2, **shared)
