"""How many parameters a network must have, from published counts and by arithmetic.

torchvision publishes the counts of its ImageNet classifiers (`meta["num_params"]` of their
weights). Ours are the same backbones without the classifier; ResNet-V1c has another stem, and the
MobileNetV2 of segmentation networks ends before the last 1x1 convolution.
"""

from segdistill.settings.schema import Network

PUBLISHED = {
    "resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032,
    "resnet101": 44_549_160, "resnet152": 60_192_808, "mobilenet_v2": 3_504_872,
}  # fmt: skip
IMAGENET_CLASSES = 1000
STANDARD_WIDTH = 64  # of a ResNet's first stage, to which the published counts belong
MOBILENET_LAST = 1280  # width of the last 1x1 convolution
MOBILENET_OUT = 320  # width of the stage before it
LOW_LEVEL_WIDTH = 48  # DeepLabV3+: the first stage, made narrower


def published(network: Network) -> tuple[str, int] | None:
    """torchvision's name and count for the network's backbone; None for one of another width."""
    name = f"resnet{network.depth or 18}" if network.backbone == "resnet" else network.backbone
    standard = network.widen == 1 and network.width == STANDARD_WIDTH
    return (name, PUBLISHED[name]) if standard else None


def backbone_parameters(network: Network) -> int | None:
    """What the network's backbone must have, by the published count."""
    found = published(network)
    if found is None:
        return None
    name, count = found
    if name == "mobilenet_v2":
        last = _convolution(MOBILENET_OUT, MOBILENET_LAST, 1)
        return count - last - _linear(MOBILENET_LAST, IMAGENET_CLASSES)
    plain = _convolution(3, 64, 7)
    deep = _convolution(3, 32, 3) + _convolution(32, 32, 3) + _convolution(32, 64, 3)
    return count - _linear(out_width(network), IMAGENET_CLASSES) - plain + deep


def head_parameters(network: Network, first: int, width: int, classes: int) -> int:
    """What the decoder must have by its layers; the backbone's first and last width are given."""
    head = network.head_width
    classifier = _linear(head, classes)
    if network.decoder == "pspnet":  # four pooled branches, then 3x3 over all and the input
        branches = 4 * _convolution(width, head, 1)
        return branches + _convolution(width + 4 * head, head, 3) + classifier
    if network.decoder == "deeplabv3":  # pooled and 1x1, three dilated 3x3, then 3x3 over all
        branches = 2 * _convolution(width, head, 1) + 3 * _convolution(width, head, 3)
        return branches + _convolution(5 * head, head, 3) + classifier
    if network.decoder == "deeplabv3plus":
        branches = 2 * _convolution(width, head, 1) + 3 * _separable(width, head)
        joined = _separable(head + LOW_LEVEL_WIDTH, head) + _separable(head, head)
        low_level = _convolution(first, LOW_LEVEL_WIDTH, 1)
        return branches + _convolution(5 * head, head, 3) + low_level + joined + classifier
    two = _convolution(width, head, 3) + _convolution(head, head, 3)
    return two + _convolution(width + head, head, 3) + classifier


def out_width(network: Network) -> int:
    """Width of a ResNet's last stage."""
    return 8 * network.width * (4 if (network.depth or 18) >= 50 else 1)


def _convolution(inputs: int, outputs: int, side: int) -> int:
    """Without bias, with its batch norm."""
    return inputs * outputs * side**2 + 2 * outputs


def _separable(inputs: int, outputs: int) -> int:
    """A depthwise 3x3 convolution, then a pointwise one."""
    return inputs * 3**2 + 2 * inputs + _convolution(inputs, outputs, 1)


def _linear(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs
