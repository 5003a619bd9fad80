"""What the project's modules define, and what a name in one of them stands for.

Read from the source, without importing anything.
"""

import ast
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from segdistill.errors import SuiteError

PACKAGES = frozenset({"segdistill", "pcd", "baselines", "experiments"})
Block = ast.If | ast.Try | ast.With | ast.For | ast.While


class Definition(NamedTuple):
    """A function, class or constant at the top level of a module."""

    module: str
    name: str


class External(NamedTuple):
    """Something that is not ours, by its full name."""

    name: str


class OwnModule(NamedTuple):
    """One of our modules as an object."""

    name: str


Meaning = Definition | External | OwnModule | None


class Import(NamedTuple):
    """What an imported name stands for: a name of a module, or the module itself."""

    module: str
    name: str  # "" for the module itself


@dataclass
class Module:
    """What one file defines, imports, and does beside that when it is loaded."""

    name: str
    path: Path
    bindings: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)
    effects: list[ast.stmt] = field(default_factory=list)


class Codebase:
    """The modules of some top-level packages; all others are external."""

    def __init__(self, packages: Iterable[str] = PACKAGES) -> None:
        self.packages = frozenset(packages)

    def module(self, name: str) -> Module | None:
        """The module called `name`; None if there is none here."""
        path = module_path(name) if name.partition(".")[0] in self.packages else None
        return _parsed(path, name) if path else None

    def resolve(self, module: Module, name: str) -> Meaning:
        """What `name` stands for in `module`; None for a builtin."""
        if name in module.bindings:
            return Definition(module.name, name)
        if name not in module.imports:
            return None
        target = module.imports[name]
        if target.name:
            return self.member(target.module, target.name)
        return OwnModule(target.module) if self.module(target.module) else External(target.module)

    def member(self, module_name: str, name: str) -> Meaning:
        """What `module_name.name` stands for. Raises SuiteError if our module lacks the name."""
        module = self.module(module_name)
        if module is None:
            return External(f"{module_name}.{name}")
        found = self.resolve(module, name)
        if found is None and self.module(f"{module_name}.{name}"):
            return OwnModule(f"{module_name}.{name}")
        if found is None and not name.startswith("__"):
            raise SuiteError(f"{module.path}: has no {name!r}, which other code takes from it")
        return found


def module_path(name: str) -> Path | None:
    """The file of a module, found without importing it; None if there is none."""
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    if not rest:
        return Path(spec.origin)
    stem = Path(spec.origin).parent.joinpath(*rest)
    candidates = (stem.with_name(stem.name + ".py"), stem / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


@cache
def _parsed(path: Path, name: str) -> Module:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise SuiteError(f"{path}: cannot be read as Python ({error})") from error
    module = Module(name, path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree):
        module.imports.update(_imports(node, package))
    for statement in tree.body:
        _place(module, statement)
    return module


def _place(module: Module, statement: ast.stmt) -> None:
    """Put a top-level statement among the module's bindings or its effects."""
    if _is_passive(statement):
        return
    names = [name for name in _bound(statement) if name not in module.imports]
    for name in names:
        module.bindings.setdefault(name, []).append(statement)
    if not names:
        module.effects.append(statement)


def _is_passive(statement: ast.stmt) -> bool:
    """Imports, docstrings, and what happens only where the file is run as a script."""
    if isinstance(statement, ast.If):
        return ast.unparse(statement.test) == "__name__ == '__main__'"
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a top-level statement gives a value, or whose value it changes."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.Assign():
            yield from (name for target in statement.targets for name in _names(target))
        case ast.AnnAssign() | ast.AugAssign():
            yield from _names(statement.target)
        case _ if isinstance(statement, Block):
            for part in ast.iter_child_nodes(statement):
                yield from _bound_within(part)


def _bound_within(part: ast.AST) -> Iterator[str]:
    if isinstance(part, ast.stmt):
        yield from _bound(part)
    elif isinstance(part, ast.ExceptHandler):
        for statement in part.body:
            yield from _bound(statement)


def _names(target: ast.expr) -> Iterator[str]:
    """`x` of targets such as `x`, `x.field`, `x[0]` and `x, y`."""
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Attribute | ast.Subscript | ast.Starred):
        yield from _names(target.value)
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _names(element)


def _imports(node: ast.AST, package: str) -> Iterator[tuple[str, Import]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            whole = alias.name if alias.asname else alias.name.partition(".")[0]
            yield alias.asname or whole, Import(whole, "")
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(node, package)
        for alias in node.names:
            yield alias.asname or alias.name, Import(base, alias.name)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """The module that a possibly relative `from` names."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    above = parts[: len(parts) - node.level + 1]
    return ".".join([*above, *filter(None, [node.module])])
