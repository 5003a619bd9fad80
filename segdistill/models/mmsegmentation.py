"""The parts of mmsegmentation that the networks are made of, imported without its warnings."""

import warnings

from segdistill.models import vision  # noqa: F401  mmseg imports torchvision

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

__all__ = [
    "ASPPHead",
    "DepthwiseSeparableASPPHead",
    "FCNHead",
    "MMLogger",
    "MobileNetV2",
    "PSPHead",
    "ResNetV1c",
    "fuse_conv_bn",
    "resize",
]
