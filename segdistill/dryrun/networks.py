"""Every network of a profile, built on this machine and held against what it must be."""

from collections.abc import Iterator
from typing import NamedTuple

from torch import nn

from segdistill.data.catalogue import dataset_info
from segdistill.dryrun.counts import backbone_parameters, head_parameters, published
from segdistill.models.segmentor import build, output_stride
from segdistill.settings.schema import Network, Profile


class Built(NamedTuple):
    """One network as built; `faults` is empty where it is what it must be."""

    role: str
    dataset: str
    network: Network
    parameters: int  # of backbone and decoder, which ship
    stride: int  # image pixels per pixel of the last stage
    faults: tuple[str, ...]

    @property
    def line(self) -> str:
        """One line to print."""
        network, known = self.network, published(self.network)
        depth = network.depth if network.backbone == "resnet" else ""
        by = f"backbone by torchvision's {known[0]}" if known else "no published count"
        state = "; ".join(self.faults) or f"as expected, {by}"
        return (
            f"{self.role:8} {self.dataset:18} {network.decoder} on {network.backbone}{depth or ''}"
            f", output stride {self.stride}, {self.parameters:,} parameters: {state}"
        )


def build_networks(profile: Profile) -> Iterator[Built]:
    """Teacher and student for every dataset of the profile's grid."""
    for dataset in profile.grid.datasets:
        classes = len(dataset_info(dataset).classes)
        for role in ("teacher", "student"):
            yield examine(role, dataset, getattr(profile.networks, role), classes)


def examine(role: str, dataset: str, network: Network, classes: int) -> Built:
    """Build one network, untrained, and count."""
    net = build(network, classes)
    first, last = net.widths["backbone.1"], net.widths["backbone.4"]
    backbone, head = _count(net.backbone), _count(net.head)
    stride = output_stride(net)
    expected = (
        ("backbone", backbone, backbone_parameters(network)),
        (
            "decoder",
            head,
            head_parameters(network, first, last, classes),
        ),
    )
    faults = [
        f"{part} has {found:,} parameters, {wanted:,} expected"
        for part, found, wanted in expected
        if wanted is not None and found != wanted
    ]
    if stride != network.output_stride:
        faults.append(f"output stride {stride}, {network.output_stride} expected")
    return Built(role, dataset, network, backbone + head, stride, tuple(faults))


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
