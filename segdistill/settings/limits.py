"""Numbers so large that they can only be slips: refused before they fill the memory."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from segdistill.errors import SuiteError
from segdistill.settings.loading import PROFILES, RunConfig

SIDE = 1 << 16  # of a crop, pixels; channels of a layer
COUNT = 1_000_000  # images of a batch, threads, processes
STEPS = 1_000_000_000
VALUES = 10_000  # of a method's block; YAML's aliases can stand for any number


def check_limits(config: RunConfig) -> None:
    """Raise SuiteError naming the profile and the key if a number is out of all proportion."""
    path = PROFILES / f"{config.profile}.yaml"
    for term in config.terms:
        if sum(1 for _ in islice(_leaves(term.fields), VALUES + 1)) > VALUES:
            raise SuiteError(f"{path}: methods.{config.method}: more than {VALUES} values")
    for key, value, most in _numbers(config):
        if value > most:
            raise SuiteError(f"{path}: {key}: {value:g} is more than {most}")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _leaves(part)
    else:
        yield value


def _numbers(config: RunConfig) -> Iterator[tuple[str, float, int]]:
    yield from ((f"data.{config.dataset}.crop", side, SIDE) for side in config.data.crop)
    section = "train" if config.teacher else "teacher"
    training = config.training
    yield f"{section}.steps", training.steps, STEPS
    for name in ("batch", "threads", "devices", "accumulate"):
        yield f"{section}.{name}", getattr(training, name), COUNT
    for network in filter(None, (config.student, config.teacher)):
        for name in ("width", "head_width", "widen"):
            yield f"networks: {name}", getattr(network, name), SIDE
