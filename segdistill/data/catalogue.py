"""The datasets the suite knows: names, classes, colours, splits."""

from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from segdistill.errors import SuiteError

IGNORE = 255
DRAWN = "scenes_"  # before a real dataset's name: scenes drawn in its layout
READERS = Path(__file__).with_name("readers")
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class DatasetInfo:
    """What is fixed about a dataset before any file of it is read."""

    name: str
    title: str
    classes: tuple[str, ...]
    palette: tuple[Colour, ...]  # RGB 0..255, one a class
    splits: tuple[str, ...]
    synthetic: bool
    root_variable: str | None  # environment variable that names the folder; None if drawn
    layout: str  # whose folders and label ids its files follow

    @property
    def derived_splits(self) -> tuple[str, ...]:
        """`fit` and `tune`, the two parts of train, where no test split is public."""
        return () if "test" in self.splits else ("fit", "tune")


def dataset_names() -> tuple[str, ...]:
    """Names of all datasets, real ones first."""
    real = sorted(path.stem for path in READERS.glob("[!_]*.py"))
    return (*real, *(f"{DRAWN}{name}" for name in real))


def dataset_info(name: str) -> DatasetInfo:
    """The facts about dataset `name`. Raises SuiteError with the nearest name if unknown."""
    info: DatasetInfo = reader(name.removeprefix(DRAWN)).INFO
    return _drawn(info) if name.startswith(DRAWN) else info


@cache
def reader(name: str) -> ModuleType:
    """The module that knows real dataset `name`. Raises SuiteError if there is none."""
    if not name.isidentifier() or find_spec(f".readers.{name}", __package__) is None:
        raise SuiteError(_unknown(name))
    return import_module(f".readers.{name}", __package__)


def _drawn(real: DatasetInfo) -> DatasetInfo:
    return replace(
        real,
        name=f"{DRAWN}{real.name}",
        title=f"drawn scenes in the layout of {real.name} (synthetic)",
        splits=("train", "val", "test"),
        synthetic=True,
        root_variable=None,
    )


def _unknown(name: str) -> str:
    known = dataset_names()
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return f"unknown dataset {name!r}; {hint}"
