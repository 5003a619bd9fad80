"""Networks of the paper experiments have the parameters that torchvision publishes, and arithmetic.

torchvision publishes the counts of its ImageNet classifiers (`meta["num_params"]` of their
weights). Ours are the same backbones without the classifier; ResNet-V1c has another stem, and the
MobileNetV2 of segmentation networks ends before the last 1x1 convolution.
"""

from typing import Any

import pytest
from torchvision.models import get_model_weights

from segdistill.models.segmentor import build, output_stride
from segdistill.settings.schema import Network

IMAGENET_CLASSES = 1000
LOW_LEVEL_WIDTH = 48  # DeepLabV3+: the first stage, made narrower


def convolution(inputs: int, outputs: int, side: int) -> int:
    """Without bias, with its batch norm."""
    return inputs * outputs * side**2 + 2 * outputs


def separable(inputs: int, outputs: int) -> int:
    """A depthwise 3x3 convolution, then a pointwise one."""
    return inputs * 3**2 + 2 * inputs + convolution(inputs, outputs, 1)


def linear(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def backbone_parameters(network: Network) -> int:
    name = network.backbone if network.depth is None else f"resnet{network.depth}"
    count: int = next(iter(get_model_weights(name))).meta["num_params"]
    if network.depth is None:
        return count - convolution(320, 1280, 1) - linear(1280, IMAGENET_CLASSES)
    deep = convolution(3, 32, 3) + convolution(32, 32, 3) + convolution(32, 64, 3)
    width = 2048 if network.depth >= 50 else 512
    return count - linear(width, IMAGENET_CLASSES) - convolution(3, 64, 7) + deep


def decoder_parameters(network: Network, first: int, width: int, classes: int) -> int:
    head, classifier = network.head_width, linear(network.head_width, classes)
    if network.decoder == "deeplabv3plus":
        branches = 2 * convolution(width, head, 1) + 3 * separable(width, head)
        joined = separable(head + LOW_LEVEL_WIDTH, head) + separable(head, head)
        low_level = convolution(first, LOW_LEVEL_WIDTH, 1)
        return branches + convolution(5 * head, head, 3) + low_level + joined + classifier
    if network.decoder == "fcn":
        two = convolution(width, head, 3) + convolution(head, head, 3)
        return two + convolution(width + head, head, 3) + classifier
    raise AssertionError("test_nets.py counts the others")


def count(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("decoder", ["fcn", "deeplabv3plus"])
@pytest.mark.parametrize(
    ("backbone", "depth"), [("resnet", 18), ("resnet", 101), ("mobilenet_v2", None)]
)
def test_networks_are_those_of_their_publishers(
    decoder: str, backbone: str, depth: int | None
) -> None:
    recipe = {"decoder": decoder, "backbone": backbone, "depth": depth, "head_width": 24}
    network = Network.model_validate({**recipe, "output_stride": 16, "auxiliary": False})
    net = build(network, 5)
    first, last = net.widths["backbone.1"], net.widths["backbone.4"]
    assert count(net.backbone) == backbone_parameters(network)
    assert count(net.head) == decoder_parameters(network, first, last, 5)
    assert output_stride(net) == 16


@pytest.mark.parametrize(
    ("decoder", "backbone", "depth", "width", "parameters"),
    [
        ("pspnet", "resnet", 18, 128, 12_641_267),
        ("deeplabv3", "mobilenet_v2", None, 128, 3_740_819),
        ("deeplabv3", "resnet", 101, 512, 42_519_392 + 42_221_075),
    ],
)
def test_the_pairs_of_the_papers(
    decoder: str, backbone: str, depth: int | None, width: int, parameters: int
) -> None:
    recipe = {"decoder": decoder, "backbone": backbone, "depth": depth, "head_width": width}
    net = build(Network.model_validate({**recipe, "auxiliary": False}), 19)
    assert count(net) == parameters
    assert output_stride(net) == 8
