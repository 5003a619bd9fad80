"""Segmentation networks by recipe, built by mmsegmentation, with their named feature taps.

Taps are `backbone.1` to `backbone.4` (the stages' outputs) and `head.embedding` (what the
linear classifier reads, before dropout). They are the tensors themselves, not copies.
"""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from distill import NetSpec
from harness import vision  # noqa: F401  mmseg imports torchvision
from harness.pooling import use_exact_pooling
from harness.recipe import Network

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # optional compiled operators that no network here uses
    from mmcv.cnn import fuse_conv_bn
    from mmengine.logging import MMLogger
    from mmseg.models.backbones import MobileNetV2, ResNetV1c
    from mmseg.models.decode_heads import (
        ASPPHead,
        DepthwiseSeparableASPPHead,
        FCNHead,
        PSPHead,
    )
    from mmseg.models.utils import resize

EMBEDDING = "head.embedding"
# The heads insist on a loss of their own; it is never called, the trainer has its own.
LOSS = {"type": "CrossEntropyLoss", "avg_non_ignore": True}
NORM = {"type": "BN", "requires_grad": True}
# Strides and dilations of the four ResNet stages and of the seven MobileNetV2 stages.
RESNET = {8: ((1, 2, 1, 1), (1, 1, 2, 4)), 16: ((1, 2, 2, 1), (1, 1, 1, 2)),
          32: ((1, 2, 2, 2), (1, 1, 1, 1))}  # fmt: skip
MOBILENET = {8: ((1, 2, 2, 1, 1, 1, 1), (1, 1, 1, 2, 2, 4, 4)),
             16: ((1, 2, 2, 2, 1, 1, 1), (1, 1, 1, 1, 1, 2, 2)),
             32: ((1, 2, 2, 2, 1, 2, 1), (1, 1, 1, 1, 1, 1, 1))}  # fmt: skip
LOW_LEVEL_WIDTH = 48  # DeepLabV3+ (Chen et al., ECCV 2018), section 4.1
ASPP_DILATIONS = {8: (1, 12, 24, 36), 16: (1, 6, 12, 18), 32: (1, 3, 6, 9)}


class Output(NamedTuple):
    """What a network gives for a batch of images."""

    logits: Tensor  # N K h w
    taps: dict[str, Tensor]
    auxiliary: Tensor | None  # N K h w, from the third stage; only in training mode


class SegmentationNet(nn.Module):
    """Backbone, decode head and, for training, an auxiliary head."""

    backbone: Any  # mmsegmentation's modules carry no types
    head: Any
    auxiliary: Any

    def __init__(self, backbone: Any, head: Any, auxiliary: Any, spec: NetSpec) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.auxiliary = auxiliary
        self.widths = dict(spec.channels)
        self.classes = spec.classes

    def forward(self, images: Tensor, taps: Sequence[str] = ()) -> Output:
        """Logits and the asked-for taps of normalised `images` (N 3 H W)."""
        stages = self.backbone(images)
        embedding = self.head._forward_feature(stages)
        logits = self.head.cls_seg(embedding)
        available = {f"backbone.{i}": stage for i, stage in enumerate(stages, start=1)}
        available[EMBEDDING] = embedding
        needs_auxiliary = self.training and self.auxiliary is not None
        auxiliary = self.auxiliary(stages) if needs_auxiliary else None
        return Output(logits, {name: available[name] for name in taps}, auxiliary)

    def spec(self) -> NetSpec:
        """What a method may know of this network."""
        classifier = self.head.conv_seg.weight.detach().flatten(1)
        return NetSpec(self.classes, self.widths, classifier)


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


def build(recipe: Network, classes: int) -> SegmentationNet:
    """The network of `recipe` with freshly initialised weights from torch's generator.

    Heads and auxiliary head are initialised as mmsegmentation does.
    """
    MMLogger.get_current_instance().setLevel("ERROR")  # it prints every tensor it initialises
    backbone, widths = _backbone(recipe)
    head = _head(recipe, widths, classes)
    auxiliary = _auxiliary(recipe, widths[2], classes) if recipe.auxiliary else None
    channels = {f"backbone.{i}": width for i, width in enumerate(widths, start=1)}
    channels[EMBEDDING] = recipe.head_width
    for module in (backbone, head, auxiliary):
        if module is not None:
            module.init_weights()
    use_exact_pooling(head)
    return SegmentationNet(backbone, head, auxiliary, NetSpec(classes, channels))


def freeze(net: SegmentationNet) -> SegmentationNet:
    """`net` as a teacher: in evaluation mode, without gradients, batch norms folded away."""
    fused: SegmentationNet = fuse_conv_bn(net.eval())
    return fused.requires_grad_(requires_grad=False)


def output_stride(net: SegmentationNet) -> int:
    """Image pixels per pixel of the last stage, measured on an empty image of 64 x 64."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        last = net(torch.zeros(1, 3, 64, 64), ["backbone.4"]).taps["backbone.4"]
    net.train(was_training)
    return 64 // int(last.shape[-1])


def _backbone(recipe: Network) -> tuple[Any, tuple[int, ...]]:
    if recipe.backbone == "mobilenet_v2":
        net = MobileNetV2(
            widen_factor=recipe.widen, strides=MOBILENET[recipe.output_stride][0],
            dilations=MOBILENET[recipe.output_stride][1], out_indices=(1, 2, 4, 6), norm_cfg=NORM,
        )  # fmt: skip
        return net, tuple(_last_width(net, stage) for stage in (1, 2, 4, 6))
    strides, dilations = RESNET[recipe.output_stride]
    net = ResNetV1c(
        depth=recipe.depth or 18, base_channels=recipe.width, stem_channels=recipe.width,
        strides=strides, dilations=dilations, contract_dilation=True, norm_cfg=NORM,
    )  # fmt: skip
    expansion = 4 if (recipe.depth or 18) >= 50 else 1
    return net, tuple(recipe.width * 2**stage * expansion for stage in range(4))


def _last_width(net: Any, stage: int) -> int:
    block = getattr(net, net.layers[stage])[-1]
    return int(
        block.out_channels if hasattr(block, "out_channels") else block.conv[-1].out_channels
    )


def _head(recipe: Network, widths: Sequence[int], classes: int) -> Any:
    shared = {
        "in_channels": widths[-1], "in_index": 3, "channels": recipe.head_width,
        "num_classes": classes, "dropout_ratio": recipe.dropout, "norm_cfg": NORM,
        "align_corners": False, "loss_decode": LOSS,
    }  # fmt: skip
    if recipe.decoder == "pspnet":
        return PSPHead(pool_scales=(1, 2, 3, 6), **shared)
    if recipe.decoder == "deeplabv3":
        return ASPPHead(dilations=ASPP_DILATIONS[recipe.output_stride], **shared)
    if recipe.decoder == "deeplabv3plus":
        return DeepLabV3PlusHead(
            c1_in_channels=widths[0], c1_channels=LOW_LEVEL_WIDTH,
            dilations=ASPP_DILATIONS[recipe.output_stride], **shared,
        )  # fmt: skip
    return FCNHead(num_convs=2, **shared)


def _auxiliary(recipe: Network, in_channels: int, classes: int) -> Any:
    return FCNHead(
        in_channels=in_channels, in_index=2, channels=max(in_channels // 4, 4), num_convs=1,
        concat_input=False, num_classes=classes, dropout_ratio=recipe.dropout, norm_cfg=NORM,
        align_corners=False, loss_decode=LOSS,
    )  # fmt: skip
