"""Code digests: what decides a result changes them, and nothing else does."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness_cases import run_config

from segdistill.digest.choices import METHODS, evaluation_choices, method_class, training_choices
from segdistill.digest.definitions import PACKAGES, Codebase, Definition, OwnModule
from segdistill.digest.structure import structure, structure_of
from segdistill.digest.walk import OPERATIONAL, ROOTS, code_digest, reached
from segdistill.distill import method_names
from segdistill.distill.distiller import ENTRY_POINTS
from segdistill.errors import SuiteError
from segdistill.settings.loading import Term

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


def forget() -> None:
    """Read files again: within one process a digest reads each only once."""
    from segdistill.digest import definitions
    from segdistill.digest import walk as digest

    definitions._parsed.cache_clear()
    digest._codebase.cache_clear()


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    forget()
    yield
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


# ---------------------------------------------------------------- the project's own code

RUNS = {
    name: ("train", training_choices(run_config(name, terms=(Term(name, {}),))))
    for name in ("student", "kd", "skd", "cirkd", "mgd", "pcd")
} | {
    "teacher": ("train", training_choices(run_config("teacher", teacher=None, terms=()))),
    "voc": ("train", training_choices(run_config("kd", dataset="scenes_voc"))),
    "scores": ("evaluate", evaluation_choices(run_config("kd"))),
}
KINDS = {"constant": ast.Constant, "branch": ast.If | ast.IfExp, "call": ast.Call}


class Mutant(ast.NodeTransformer):
    """Changes the first constant, turns round the first branch, or drops the first call's effect.

    What an error says and what is logged is passed over, as the digest does.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.done = False

    def visit(self, node: ast.AST) -> ast.AST:
        if self.done or isinstance(node, ast.Raise):
            return node
        if isinstance(node, KINDS[self.kind]):
            self.done = True
            return self._changed(node)
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                value[:] = [part if _is_words(part) else self._part(part) for part in value]
            elif name not in ("annotation", "returns"):
                setattr(node, name, self._part(value))
        return node

    def _part(self, value: object) -> object:
        return self.visit(value) if isinstance(value, ast.AST) else value

    def _changed(self, node: ast.AST) -> ast.AST:
        match node:
            case ast.Constant():
                return ast.Constant("another" if node.value != "another" else "value")
            case ast.If() | ast.IfExp():
                node.test = ast.UnaryOp(ast.Not(), node.test)
                return node
            case ast.Call():
                return ast.Constant(None)
        raise AssertionError(node)


def _is_words(part: object) -> bool:
    if isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
        return ast.unparse(part.value.func).startswith("log.")
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)


def mutated(code: Codebase, definition: Definition, kind: str) -> list[ast.stmt] | None:
    """The statements of a definition with one thing changed; None if it holds no such thing."""
    module = code.module(definition.module)
    assert module is not None
    statements = [ast.parse(ast.unparse(each)).body[0] for each in module.bindings[definition.name]]
    mutant = Mutant(kind)
    for statement in statements:
        if not mutant.done:
            mutant.visit(statement)
    return statements if mutant.done else None


def test_every_definition_on_the_path_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed constant, branch or call moves the digests of just those runs that reach it."""
    paths = {name: reached(*run) for name, run in RUNS.items()}
    code, tried = Codebase(PACKAGES), 0
    for definition in sorted({d for path in paths.values() for d in path.definitions}):
        expected = {name for name, path in paths.items() if definition in path.definitions}
        for kind in KINDS:
            statements = mutated(code, definition, kind)
            if statements is None:
                continue
            tried += 1

            def changed(
                own: Codebase, found: Definition, operational: frozenset[str],
                target: Definition = definition, body: list[ast.stmt] = statements,
            ) -> object:  # fmt: skip
                if found != target:
                    return structure(own, found, operational)
                module = own.module(found.module)
                assert module is not None
                return structure_of(own, module, body, operational)

            monkeypatch.setattr("segdistill.digest.walk.structure", changed)
            moved = {name for name, run in RUNS.items() if reached(*run) != paths[name]}
            assert moved == expected, (definition, kind)
    assert tried > 300


def test_the_path_begins_where_the_bits_are_decided() -> None:
    """What was once outside of it: the data's limit, the teacher's weights, the vector cap."""
    found = {f"{d.module}:{d.name}" for d in reached(*RUNS["kd"]).definitions}
    assert {
        "segdistill.data.opening:open_data",
        "segdistill.data.splits:open_split",
        "segdistill.training.session:_load_teacher",
        "segdistill.training.instructions:cap_instructions",
        "segdistill.models.segmentor:freeze",
        "baselines.kd:KD",
    } <= found


def test_every_method_has_a_digest_of_its_own() -> None:
    found = {}
    for name in method_names():
        found[name] = reached("train", [method_class(name)])
        assert {d.module.partition(".")[2] or d.module for d in found[name].definitions} >= {
            "session"
        }
    assert len({code.sha256 for code in found.values()}) == len(found)
    plain = set(reached("train").definitions)
    for name, code in found.items():
        own = {d.module for d in set(code.definitions) - plain}
        assert own & {f"baselines.{name}", f"{name}.method"}, name


@pytest.mark.parametrize("name", ["installed", "otherpkg.impl:Method"])
def test_code_of_an_installed_method_counts(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, facts = tmp_path / "otherpkg", tmp_path / "other-1.dist-info"
    for folder in (package, facts):
        folder.mkdir()
    (package / "__init__.py").touch()
    (package / "impl.py").write_text(
        "from otherpkg.extra import WEIGHT\n\nclass Method:\n    weight = WEIGHT\n"
    )
    (package / "extra.py").write_text("WEIGHT = 1\n")
    (facts / "METADATA").write_text("Name: other\nVersion: 1\n")
    points = f"[{ENTRY_POINTS}]\ninstalled = otherpkg.impl:Method\n"
    (facts / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    choice = method_class(name)
    before = reached("train", [choice])
    own = set(before.definitions) - set(reached("train").definitions)
    assert own == {("otherpkg.impl", "Method"), ("otherpkg.extra", "WEIGHT")}
    (package / "extra.py").write_text("WEIGHT = 2\n")
    forget()
    assert reached("train", [choice]).sha256 != before.sha256


def test_methods_are_found_where_the_harness_finds_them() -> None:
    assert METHODS == ENTRY_POINTS
    assert method_class("kd") == "baselines.kd:KD"
    assert method_class("pcd") == "pcd.method:PCD"
    assert method_class("baselines.kd:KD") == "baselines.kd:KD"
    with pytest.raises(SuiteError, match="unknown method 'kdd'; did you mean 'kd'"):
        method_class("kdd")


def test_roots_and_operational_names_exist() -> None:
    code = Codebase(PACKAGES)
    for root in (name for names in ROOTS.values() for name in names):
        assert reached("train", [root])
    for name in OPERATIONAL:
        module, _, definition = name.partition(":")
        found = code.member(module, definition) if definition else OwnModule(module)
        assert code.module(module)
        assert found


def test_loading_a_module_calls_nothing_of_ours() -> None:
    """Such calls are hashed without following them."""
    code = Codebase(PACKAGES)
    for name in sys.modules.keys() | {d.module for run in RUNS.values() for d in reached(*run)[0]}:
        module = code.module(name) if name.partition(".")[0] in PACKAGES else None
        for effect in module.effects if module else ():
            assert structure_of(code, module, [effect], frozenset(OPERATIONAL)).uses == (), name
