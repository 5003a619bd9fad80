"""Code digests: what decides a result changes them, and nothing else does."""

from pathlib import Path

import pytest
from reading import forget

from segdistill.digest.walk import code_digest
from segdistill.errors import SuiteError

# The digest of PROGRAM below: the same under every Python from 3.11 on.
PROGRAM_SHA256 = "653c1d211ef581447f60482c79d08ba93f96cec21a11645b2baa471047c5b5bd"
PROGRAM = {
    "__init__": "",
    "loss": """
import math
from dataclasses import dataclass

from toy.shared import SCALE, Base, unused
from toy import tables
import toy.errors as errors

LIMIT = 3
TABLE = {"a": 1}
TABLE["b"] = 2


@dataclass(frozen=True)
class Loss(Base):
    weight: float = 2.0
    name: str

    def value(self, x: float, *, wide: bool = False) -> float:
        if x > LIMIT:
            x = LIMIT
        squares = [SCALE * i**2 for i in range(int(x))]
        text = f"{x!r:>{self.width()}} of {LIMIT:.3f}" "and more"
        return sum(squares) + math.sqrt(len(text)) + tables.lookup(x)

    def width(self) -> int:
        return helper(self)


def helper(loss):
    if loss.weight < 0:
        raise errors.Bad(f"weight {loss.weight}")
    while (left := loss.weight) > 10:
        loss = shrink(loss)
    return TABLE["a"] + left


def shrink(loss, by=SCALE):
    try:
        return helper(loss)  # a circle
    except ZeroDivisionError as error:
        return lambda SCALE: SCALE + by
""",
    "shared": "SCALE = 0.5\n\nclass Base:\n    kind = 'base'\n\ndef unused():\n    return 1\n",
    "tables": "def lookup(x):\n    match x:\n        case [first, *_]:\n            return first\n"
    "        case _:\n            return x\n",
    "errors": "class Bad(Exception):\n    pass\n",
}


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the files of PROGRAM."""
    folder = tmp_path / "toy"
    folder.mkdir()
    for name, source in PROGRAM.items():
        (folder / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("segdistill.digest.walk.ROOTS", {"toy": ()})
    return folder


def toy_digest(name: str = "toy.loss:Loss") -> str:
    return code_digest("toy", [name])


def edit(path: Path, *changes: tuple[str, str]) -> None:
    source = path.read_text()
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    path.write_text(source)
    forget()


@pytest.mark.usefixtures("toy")
def test_the_same_under_every_python() -> None:
    assert toy_digest() == PROGRAM_SHA256


@pytest.mark.parametrize(
    "changes",
    [
        [("LIMIT = 3", "LIMIT = 3  # a comment")],
        [("def helper(loss):", 'def helper(loss):\n    """A docstring."""')],
        [("x: float, *, wide: bool = False", "x, *, wide=False"), (") -> float:", "):")],
        [("weight {loss.weight}", "the weight is {loss.weight}, which is below 0")],
        [("import math\n", "import sys\nimport math\nfrom toy.shared import unused as other\n")],
        [("import toy.errors as errors", "from toy import errors")],
        [("import math", "import math as m"), ("math.sqrt", "m.sqrt")],
        [("LIMIT", "HIGHEST")],
        [("helper", "assistant"), ("shrink", "reduced")],
    ],
)
def test_words_and_names_change_nothing(toy: Path, changes: list[tuple[str, str]]) -> None:
    before = toy_digest()
    edit(toy / "loss.py", *changes)
    assert toy_digest() == before


def test_what_is_not_reached_changes_nothing(toy: Path) -> None:
    before = toy_digest()
    edit(toy / "shared.py", ("return 1", "return 2"))
    assert toy_digest() == before


def test_a_move_changes_nothing(toy: Path) -> None:
    before = toy_digest()
    (toy / "room").mkdir()
    for name in ("loss", "shared", "tables"):
        (toy / f"{name}.py").rename(toy / "room" / f"{name}.py")
    (toy / "room/__init__.py").touch()
    moved = (
        ("toy.shared", "toy.room.shared"),
        ("from toy import tables", "from toy.room import tables"),
    )
    edit(toy / "room/loss.py", *moved)
    assert toy_digest("toy.room.loss:Loss") == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("loss", "LIMIT = 3", "LIMIT = 4"),
        ("loss", "if x > LIMIT", "if x >= LIMIT"),
        ("loss", "weight: float = 2.0", "weight: float = 1.0"),
        ("loss", "    name: str\n", ""),
        ("loss", "wide: bool = False", "wide: bool = True"),
        ("loss", "@dataclass(frozen=True)", "@dataclass"),
        ("loss", "loss = shrink(loss)", "loss = loss"),
        ("loss", 'TABLE["b"] = 2', 'TABLE["b"] = 3'),
        ("loss", "and more", "and no more"),
        ("loss", ">{self.width()}", "<{self.width()}"),
        ("loss", "math.sqrt", "math.cbrt"),
        ("loss", "by=SCALE", "by=LIMIT"),
        ("loss", "ZeroDivisionError", "ValueError"),
        ("shared", "SCALE = 0.5", "SCALE = 1"),
        ("shared", "kind = 'base'", "kind = 'other'"),
        ("tables", "[first, *_]", "[_, first, *_]"),
        ("loss", "LIMIT = 3", "print()\nLIMIT = 3"),
        ("errors", "class Bad", "print()\nclass Bad"),
    ],
)
def test_what_is_reached_changes_it(toy: Path, file: str, old: str, new: str) -> None:
    before = toy_digest()
    edit(toy / f"{file}.py", (old, new))
    assert toy_digest() != before


def test_a_name_that_is_nowhere_is_told(toy: Path) -> None:
    edit(toy / "shared.py", ("SCALE", "FACTOR"))
    with pytest.raises(SuiteError, match=r"shared\.py: has no 'SCALE'"):
        toy_digest()
    with pytest.raises(SuiteError, match="defines no 'Lost'"):
        toy_digest("toy.loss:Lost")
