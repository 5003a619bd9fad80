"""The parts that a recipe chooses by name: one file a backbone, one file a decoder."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from segdistill.models.mmsegmentation import FCNHead
from segdistill.settings.schema import Network

# The heads insist on a loss of their own; it is never called, the trainer has its own.
LOSS = {"type": "CrossEntropyLoss", "avg_non_ignore": True}
NORM = {"type": "BN", "requires_grad": True}


def backbone(recipe: Network) -> tuple[Any, tuple[int, ...]]:
    """The backbone of `recipe`, and the widths of its four stages."""
    built: tuple[Any, tuple[int, ...]] = import_module(
        f".backbones.{recipe.backbone}", __package__
    ).build(recipe, NORM)
    return built


def decoder(recipe: Network, widths: Sequence[int], classes: int) -> Any:
    """The decode head of `recipe` on stages of `widths`."""
    shared = {
        "in_channels": widths[-1], "in_index": 3, "channels": recipe.head_width,
        "num_classes": classes, "dropout_ratio": recipe.dropout, "norm_cfg": NORM,
        "align_corners": False, "loss_decode": LOSS,
    }  # fmt: skip
    module = import_module(f".decoders.{recipe.decoder}", __package__)
    return module.build(recipe, widths, shared)


def auxiliary_head(recipe: Network, in_channels: int, classes: int) -> Any:
    """An FCN head on the third stage, which helps in training and is dropped afterwards."""
    return FCNHead(
        in_channels=in_channels, in_index=2, channels=max(in_channels // 4, 4), num_convs=1,
        concat_input=False, num_classes=classes, dropout_ratio=recipe.dropout, norm_cfg=NORM,
        align_corners=False, loss_decode=LOSS,
    )  # fmt: skip
