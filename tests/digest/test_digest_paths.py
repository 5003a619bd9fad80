"""What the digests of this project's stages cover."""

import ast
import sys
from pathlib import Path

import pytest
from harness_cases import run_config
from reading import forget

from segdistill.definitions import PACKAGES, Codebase, Definition, OwnModule
from segdistill.digest.choices import evaluation_choices, training_choices
from segdistill.digest.structure import structure, structure_of
from segdistill.digest.walk import OPERATIONAL, ROOTS, reached
from segdistill.distill import method_names
from segdistill.distill.loading import ENTRY_POINTS
from segdistill.errors import SuiteError
from segdistill.settings import methods
from segdistill.settings.loading import Term
from segdistill.settings.methods import method_class

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
    found = {name: reached("train", [method_class(name)]) for name in method_names()}
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
    assert methods.ENTRY_POINTS == ENTRY_POINTS
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
