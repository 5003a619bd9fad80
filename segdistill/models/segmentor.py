"""Segmentation networks by recipe, built by mmsegmentation, with their named feature taps.

Taps are `backbone.1` to `backbone.4` (the stages' outputs) and `head.embedding` (what the
linear classifier reads, before dropout). They are the tensors themselves, not copies.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from segdistill.distill import NetSpec
from segdistill.models.mmsegmentation import MMLogger, fuse_conv_bn
from segdistill.models.parts import auxiliary_head, backbone, decoder
from segdistill.models.pooling import use_exact_pooling
from segdistill.settings.schema import Network

EMBEDDING = "head.embedding"


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


def build(recipe: Network, classes: int) -> SegmentationNet:
    """The network of `recipe` with freshly initialised weights from torch's generator.

    Heads and auxiliary head are initialised as mmsegmentation does.
    """
    MMLogger.get_current_instance().setLevel("ERROR")  # it prints every tensor it initialises
    stages, widths = backbone(recipe)
    head = decoder(recipe, widths, classes)
    auxiliary = auxiliary_head(recipe, widths[2], classes) if recipe.auxiliary else None
    channels = {f"backbone.{i}": width for i, width in enumerate(widths, start=1)}
    channels[EMBEDDING] = recipe.head_width
    for module in (stages, head, auxiliary):
        if module is not None:
            module.init_weights()
    use_exact_pooling(head)
    return SegmentationNet(stages, head, auxiliary, NetSpec(classes, channels))


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
