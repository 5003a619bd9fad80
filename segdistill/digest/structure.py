"""A definition as text that only a change of what it does changes.

Python's syntax trees gained fields over its versions, and f-strings are cut into constants in
other ways: empty fields are left out, and neighbouring constants joined, so that Python 3.11, 3.12
and 3.13 give the same text.
"""

import ast
from collections.abc import Collection, Iterator
from functools import cache
from typing import NamedTuple

from segdistill.definitions import Codebase, Definition, External, Meaning, Module, OwnModule

Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
# No part of what a definition does.
LEFT_OUT = {"ctx", "annotation", "returns", "type_comment", "type_params", "kind", "simple"}


class Structure(NamedTuple):
    """One definition: its text, in which `@0`, `@1`, ... stand for what it uses."""

    text: str
    uses: tuple[Definition, ...]


@cache
def structure(code: Codebase, definition: Definition, operational: frozenset[str]) -> Structure:
    """The structure of a definition; modules in `operational` are named and not followed."""
    module = code.module(definition.module)
    assert module is not None
    return structure_of(code, module, module.bindings[definition.name], operational)


def structure_of(
    code: Codebase, module: Module, statements: list[ast.stmt], operational: frozenset[str]
) -> Structure:
    """The structure of some statements of `module`."""
    writer = _Writer(code, module, operational)
    text = "\n".join(writer.statement(statement, outermost=True) for statement in statements)
    return Structure(text, tuple(writer.uses))


class _Writer:
    """Writes syntax trees of one module, and keeps what they use."""

    def __init__(self, code: Codebase, module: Module, operational: frozenset[str]) -> None:
        self.code = code
        self.module = module
        self.operational = operational
        self.uses: dict[Definition, int] = {}
        self.local: list[set[str]] = []  # names of the functions around, innermost last

    def statement(self, node: ast.stmt, outermost: bool = False) -> str:
        """One statement; of the outermost definition not its own name, by which others find it."""
        named = isinstance(node, Function | ast.ClassDef)
        return self._fields(node, {"name"}) if outermost and named else self.write(node)

    def write(self, node: object) -> str:
        """Any part of a syntax tree."""
        match node:
            case list():
                return f"[{','.join(self.write(part) for part in node if not _is_mute(part))}]"
            case ast.Raise():
                return "Raise"  # it ends the run; its text decides nothing
            case ast.Assert():
                return f"Assert({self.write(node.test)})"
            case ast.Expr() if self._is_log(node.value):
                return "Log"
            case ast.AnnAssign():
                return f"Assign({self.write(node.target)},{self.write(node.value)})"
            case ast.Name() | ast.Attribute():
                return self._name(node)
            case ast.JoinedStr():
                return f"JoinedStr({','.join(self._joined(node.values))})"
            case ast.AST():
                return self._fields(node)
        return repr(node)

    def _fields(self, node: ast.AST, without: Collection[str] = ()) -> str:
        own, nothing = _locals(node), set[str]()
        parts = []
        for name, value in ast.iter_fields(node):
            if name not in LEFT_OUT and name not in without and value not in (None, []):
                # Decorators and defaults see what is around a function, its body alone the rest.
                inside = name == "body" or isinstance(node, Comprehension)
                self.local.append(own if inside else nothing)
                parts.append(f"{name}={self.write(value)}")
                self.local.pop()
        return f"{type(node).__name__}({','.join(parts)})"

    def _name(self, node: ast.Name | ast.Attribute) -> str:
        meaning = self._meaning(node)
        match meaning:
            case Definition():
                if {meaning.module, ":".join(meaning)} & self.operational:
                    return "Operational"
                return f"@{self.uses.setdefault(meaning, len(self.uses))}"
            case OwnModule():
                return "Operational" if meaning.name in self.operational else "Module"
            case External():
                return meaning.name
        return node.id if isinstance(node, ast.Name) else self._fields(node)

    def _meaning(self, node: ast.expr) -> Meaning:
        if isinstance(node, ast.Name):
            is_local = any(node.id in names for names in self.local)
            return None if is_local else self.code.resolve(self.module, node.id)
        if isinstance(node, ast.Attribute):
            base = self._meaning(node.value)
            if isinstance(base, OwnModule):
                return self.code.member(base.name, node.attr)
            if isinstance(base, External):
                return External(f"{base.name}.{node.attr}")
        return None

    def _is_log(self, node: ast.expr) -> bool:
        """Whether this is a call such as log.info(...), with `log` from logging.getLogger."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            return False
        name = node.func.value
        found = self.module.bindings.get(name.id, []) if isinstance(name, ast.Name) else []
        return any("logging.getLogger(" in ast.unparse(statement) for statement in found)

    def _joined(self, values: list[ast.expr]) -> Iterator[str]:
        text = ""
        for value in values:
            if isinstance(value, ast.Constant):
                text += str(value.value)
                continue
            if text:
                yield repr(text)
            text = ""
            yield self.write(value)
        if text:
            yield repr(text)


def _is_mute(node: object) -> bool:
    """Docstrings and other bare constants, imports, and `pass`, which only stands for them."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, ast.Import | ast.ImportFrom | ast.Pass)


def _locals(node: ast.AST) -> set[str]:
    """The names that belong to `node` alone, if it is a function or a comprehension."""
    if isinstance(node, Comprehension):
        return {name for part in node.generators for name in _stored(part.target)}
    if not isinstance(node, Function | ast.Lambda):
        return set()
    given = node.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    names = {argument.arg for argument in arguments if argument}
    body = node.body if isinstance(node.body, list) else [node.body]
    found = {name for statement in body for name in _stored(statement)}
    shared = {n for part in ast.walk(node) if isinstance(part, ast.Global) for n in part.names}
    return (names | found) - shared


def _stored(node: ast.AST) -> Iterator[str]:
    """The names that `node` gives a value in its own scope."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
            return
        case ast.Lambda():
            return
        case ast.Name(ctx=ast.Store() | ast.Del()):
            yield node.id
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name
        case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name
        case _ if isinstance(node, Comprehension):
            walrus = (part for part in ast.walk(node) if isinstance(part, ast.NamedExpr))
            yield from (name for part in walrus for name in _stored(part.target))
            return
    for child in ast.iter_child_nodes(node):
        yield from _stored(child)
