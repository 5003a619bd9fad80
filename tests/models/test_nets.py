"""The segmentation networks: sizes, strides, taps, and the bits that they start from."""

import warnings
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from segdistill.models.pooling import GridMeans
from segdistill.models.segmentor import EMBEDDING, SegmentationNet, build, freeze, output_stride
from segdistill.settings.schema import Network
from segdistill.training.determinism import draw_seed, tensors_hash
from segdistill.training.supervision import counted_pixels, cross_entropy

CLASSES = 19
TAPS = (*(f"backbone.{stage}" for stage in range(1, 5)), EMBEDDING)


def recipe(decoder: str = "pspnet", backbone: str = "resnet", **changes: Any) -> Network:
    small: dict[str, Any] = {"depth": 18, "width": 8} if backbone == "resnet" else {}
    return Network.model_validate(
        {"decoder": decoder, "backbone": backbone, "head_width": 24, **small, **changes}
    )


BACKBONES: dict[str, dict[str, Any]] = {
    "resnet18": {},
    "resnet50": {"depth": 50},
    "mobilenet": {"backbone": "mobilenet_v2", "widen": 0.5},
}
RECIPES = {
    f"{decoder} {kind} stride {stride}": recipe(decoder, **options, output_stride=stride)
    for decoder in ("pspnet", "deeplabv3", "deeplabv3plus", "fcn")
    for kind, options in BACKBONES.items()
    for stride in (8, 16, 32)
}


def fresh(network: Network, classes: int = CLASSES, seed: int = 0) -> SegmentationNet:
    torch.manual_seed(seed)
    return build(network, classes)


def images(side: int = 64) -> Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", RECIPES)
def test_taps_and_logits_are_what_the_spec_says(name: str) -> None:
    network = RECIPES[name]
    net = fresh(network).eval()
    with torch.no_grad():
        output = net(images(), TAPS)
    spec, stride = net.spec(), network.output_stride
    grid = 4 if network.decoder == "deeplabv3plus" else stride
    assert tuple(output.taps) == TAPS
    assert {tap: maps.shape[1] for tap, maps in output.taps.items()} == dict(spec.channels)
    strides = [64 // output.taps[tap].shape[-1] for tap in TAPS]
    assert strides == [4, *(min(s, stride) for s in (8, 16, 32)), grid]
    assert output.logits.shape == (2, CLASSES, 64 // grid, 64 // grid)
    assert output_stride(net) == stride
    assert output.auxiliary is None


@pytest.mark.parametrize("name", RECIPES)
def test_the_classifier_on_the_embedding_gives_the_logits(name: str) -> None:
    net = fresh(RECIPES[name]).eval()
    with torch.no_grad():
        output = net(images(), [EMBEDDING])
    weights = net.spec().classifier
    assert weights is not None
    assert weights.shape == (CLASSES, 24)
    assert not weights.requires_grad
    rebuilt = torch.einsum("kc,nchw->nkhw", weights, output.taps[EMBEDDING])
    rebuilt = rebuilt + net.head.conv_seg.bias.detach()[:, None, None]
    torch.testing.assert_close(rebuilt, output.logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", RECIPES)
def test_nothing_overwrites_a_tap(name: str, training: bool) -> None:
    """Each tap equals a copy made the moment its module returned it."""
    net = fresh(RECIPES[name]).train(training)
    copies: list[Tensor] = []
    stages = stage_modules(net)
    for stage in stages:
        stage.register_forward_hook(lambda *call: copies.append(call[-1].detach().clone()))
    net.head.conv_seg.register_forward_pre_hook(lambda _, inputs: embeddings.append(inputs[0]))
    embeddings: list[Tensor] = []
    output = net(images(), TAPS)
    loss = output.logits.mean()
    loss = loss + output.auxiliary.mean() if training else loss
    loss.backward()
    for tap, copy in zip(TAPS[:4], copies, strict=True):
        assert torch.equal(output.taps[tap], copy), tap
    if not training:  # dropout lies between the tap and the classifier
        assert torch.equal(output.taps[EMBEDDING], embeddings[0])


def stage_modules(net: SegmentationNet) -> list[torch.nn.Module]:
    backbone = net.backbone
    if hasattr(backbone, "res_layers"):
        return [getattr(backbone, name) for name in backbone.res_layers]
    return [getattr(backbone, backbone.layers[index]) for index in (1, 2, 4, 6)]


def test_auxiliary_logits_exist_in_training_alone() -> None:
    net = fresh(recipe())
    assert net.train()(images()).auxiliary.shape == (2, CLASSES, 8, 8)
    assert net.eval()(images()).auxiliary is None
    assert fresh(recipe(auxiliary=False)).train()(images()).auxiliary is None


def convolution(inputs: int, outputs: int, side: int) -> int:
    """A convolution without bias and the batch norm behind it."""
    return inputs * outputs * side * side + 2 * outputs


def resnet18(width: int) -> int:
    """ResNet-18-C: a stem of three 3x3 convolutions, four stages of two basic blocks."""
    half = width // 2
    total = convolution(3, half, 3) + convolution(half, half, 3) + convolution(half, width, 3)
    widths = [width * 2**stage for stage in range(4)]
    for before, after in pairwise([width, *widths]):
        total += convolution(before, after, 3) + 3 * convolution(after, after, 3)
        total += convolution(before, after, 1) if before != after else 0
    return total


def resnet50(width: int) -> int:
    """ResNet-50-C: bottlenecks of 3, 4, 6 and 3, four times as wide at their ends."""
    half = width // 2
    total = convolution(3, half, 3) + convolution(half, half, 3) + convolution(half, width, 3)
    before = width
    for stage, blocks in enumerate((3, 4, 6, 3)):
        inner, after = width * 2**stage, 4 * width * 2**stage
        total += convolution(before, after, 1)
        for _ in range(blocks):
            total += convolution(before, inner, 1) + convolution(inner, inner, 3)
            total += convolution(inner, after, 1)
            before = after
    return total


@pytest.mark.parametrize("name", RECIPES)
def test_a_frozen_teacher_gives_what_the_network_gives(name: str) -> None:
    """Its batch norms, with statistics of their own, are folded into the convolutions."""
    net = fresh(RECIPES[name])
    for step in range(3):
        net.train()(images() + step)
    with torch.no_grad():
        expected = net.eval()(images(), TAPS)
        found = freeze(net)(images(), TAPS)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in net.modules())
    assert not any(parameter.requires_grad for parameter in net.parameters())
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [1, 2, 3, 6])
@pytest.mark.parametrize("shape", [(8, 8), (15, 20), (7, 1), (45, 60)])
def test_pooling_is_adaptive_average_pooling(size: int, shape: tuple[int, int]) -> None:
    """Values and gradients are torch's own, in float64."""
    maps = torch.randn(2, 3, *shape, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 3, size, size, dtype=torch.float64)
    pools = GridMeans(size), torch.nn.AdaptiveAvgPool2d(size)
    values = [pool(maps) for pool in pools]
    torch.testing.assert_close(*values, rtol=1e-12, atol=1e-12)
    gradients = [torch.autograd.grad((value * weights).sum(), maps)[0] for value in values]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-12)


def test_no_network_pools_by_what_cuda_cannot_repeat() -> None:
    for name, network in RECIPES.items():
        kinds = {type(module) for module in fresh(network).modules()}
        assert torch.nn.AdaptiveAvgPool2d not in kinds, name


def classifier(inputs: int) -> int:
    return inputs * CLASSES + CLASSES


def pyramid(inputs: int, width: int) -> int:
    """PSPNet's head: four pooled 1x1 convolutions, one 3x3 over all, the classifier."""
    pooled = 4 * convolution(inputs, width, 1)
    return pooled + convolution(inputs + 4 * width, width, 3) + classifier(width)


def atrous(inputs: int, width: int) -> int:
    """DeepLabV3's head: image pooling and 1x1, three dilated 3x3, one 3x3 over all."""
    branches = 2 * convolution(inputs, width, 1) + 3 * convolution(inputs, width, 3)
    return branches + convolution(5 * width, width, 3) + classifier(width)


def auxiliary(inputs: int) -> int:
    return convolution(inputs, inputs // 4, 3) + classifier(inputs // 4)


@pytest.mark.parametrize("width", [8, 64])
@pytest.mark.parametrize("decoder", ["pspnet", "deeplabv3"])
@pytest.mark.parametrize("depth", [18, 50])
def test_parameters_are_those_of_the_papers(decoder: str, depth: int, width: int) -> None:
    network = recipe(decoder, depth=depth, width=width, head_width=8 * width)
    net = fresh(network)
    backbone, factor = (resnet18, 1) if depth == 18 else (resnet50, 4)
    head = pyramid if decoder == "pspnet" else atrous
    assert count(net.backbone) == backbone(width)
    assert count(net.head) == head(8 * width * factor, 8 * width)
    assert count(net.auxiliary) == auxiliary(4 * width * factor)


def count(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_known_sizes() -> None:
    """Torchvision's ResNet-18 has 11,176,512 (without classifier), MobileNetV2 2,223,872."""
    deep_stem = sum((convolution(3, 32, 3), convolution(32, 32, 3), convolution(32, 64, 3)))
    assert resnet18(64) - deep_stem + convolution(3, 64, 7) == 11_176_512
    mobile = count(fresh(recipe(backbone="mobilenet_v2")).backbone)
    assert mobile + convolution(320, 1280, 1) == 2_223_872


def test_equal_seeds_give_equal_networks() -> None:
    for network in (recipe(), recipe("deeplabv3", "mobilenet_v2")):
        first, second, other = (fresh(network, seed=seed) for seed in (1, 1, 2))
        assert tensors_hash(first.state_dict()) == tensors_hash(second.state_dict())
        assert tensors_hash(first.state_dict()) != tensors_hash(other.state_dict())


class Pin(NamedTuple):
    """What a fresh network is: sha256 of its names and shapes, one weight, a norm, a loss."""

    structure: str
    weight: float
    norm: float
    loss: float


# Computed once with onedl-mmsegmentation 1.4.2, whose bits are those of mmsegmentation 1.2.2.
# Values, not bits: processors may differ in the last bit of a normal draw.
PINNED = {
    "pspnet resnet18 stride 8": Pin("8895b1cb99b71d0f", 0.00050649984, 48.7021874, 2.9461186),
    "deeplabv3 resnet50 stride 16": Pin("48731b3a0900648d", 0.0070166443, 101.69142, 2.9449909),
    "pspnet mobilenet stride 16": Pin("3a708f1d948e0f6f", -0.0024420617, 135.987257, 2.9444389),
}


@pytest.mark.parametrize("name", PINNED)
def test_the_start_of_a_training_is_pinned(name: str) -> None:
    """Notices another mmsegmentation, another initialisation or another order of drawing."""
    net = fresh(RECIPES[name], seed=draw_seed(0, "initial weights")).eval()
    tensors = net.state_dict()
    shapes = {key: torch.zeros(tensor.shape, dtype=torch.uint8) for key, tensor in tensors.items()}
    labels = torch.arange(64 * 64).reshape(1, 64, 64).expand(2, -1, -1) % CLASSES
    with torch.no_grad():
        loss = float(cross_entropy(net(images()).logits, labels, counted_pixels(labels)))
    found = Pin(
        structure=tensors_hash(shapes)[:16],
        weight=net.head.conv_seg.weight[-1, -1].item(),
        norm=float(torch.stack([p.detach().double().norm() for p in net.parameters()]).norm()),
        loss=loss,
    )
    assert found.structure == PINNED[name].structure
    assert found[1:] == pytest.approx(PINNED[name][1:], rel=1e-5)


def test_importing_the_networks_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fresh(recipe())
