"""What a run chooses by name, as roots of its digest: data set, parts of its networks, methods."""

from collections.abc import Iterator

from segdistill.data.catalogue import dataset_info
from segdistill.settings.loading import RunConfig
from segdistill.settings.methods import method_class
from segdistill.settings.schema import Network

READERS = "segdistill.data.readers"
BACKBONES = "segdistill.models.backbones"
DECODERS = "segdistill.models.decoders"


def training_choices(config: RunConfig) -> list[str]:
    """The choices of a training, in an order that no renaming of a module changes.

    Raises SuiteError if a method is not to be found.
    """
    networks = filter(None, (config.student, config.teacher))
    methods = [method_class(term.method) for term in config.terms]
    return [*methods, reader_module(config.cell.dataset), *_parts(*networks)]


def evaluation_choices(config: RunConfig) -> list[str]:
    """The choices of an evaluation."""
    return [reader_module(config.cell.dataset), *_parts(config.student)]


def reader_module(dataset: str) -> str:
    """The module that knows a data set."""
    return f"{READERS}.{dataset_info(dataset).layout}"


def _parts(*networks: Network) -> Iterator[str]:
    yield from sorted(f"{BACKBONES}.{network.backbone}" for network in networks)
    yield from sorted(f"{DECODERS}.{network.decoder}" for network in networks)
