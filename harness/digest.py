"""Which code a stage can reach, as a hash that comments and docstrings do not change.

Modules are followed by their import statements, from the module where a stage's work is done.
Only this project's packages are followed; methods are added by name.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from harness.spelling import spelled

PACKAGES = frozenset({"distill", "pcd", "baselines", "harness", "experiments"})
METHODS = "segdistill.methods"  # as distill.ENTRY_POINTS; importing that would load torch
# Where the work of every kind of stage is done.
ROOTS = {
    "prepare": ("harness.data.manifest",),
    "teacher": ("harness.trainer",),
    "train": ("harness.trainer",),
    "evaluate": ("harness.evaluation",),
    "compare": ("harness.report.compare",),
}


def code_digest(kind: str, methods: Iterable[str] = ()) -> str:
    """A line `MODULE SHA256` for every module that stage `kind` with `methods` can reach."""
    roots = [*ROOTS[kind], *(method_module(name) for name in methods)]
    return "".join(f"{name} {_module(path, name).digest}\n" for name, path in reachable(roots))


def reachable(roots: Iterable[str]) -> list[tuple[str, Path]]:
    """The modules of this project and of the roots' packages that importing `roots` can load."""
    found: dict[str, Path] = {}
    waiting = list(roots)
    packages = PACKAGES | {root.partition(".")[0] for root in waiting}
    while waiting:
        name = waiting.pop()
        path = module_path(name)
        if name in found or path is None:
            continue
        found[name] = path
        waiting.extend(_parents(name))
        waiting.extend(n for n in _module(path, name).imports if n.partition(".")[0] in packages)
    return sorted(found.items())


def method_module(name: str) -> str:
    """The module of method `name`, by the order in which `distill.load` looks."""
    if ":" in name:
        return name.partition(":")[0]
    if module_path(f"baselines.{name}"):
        return f"baselines.{name}"
    installed = () if module_path(name) else entry_points(group=METHODS, name=name)
    return next((point.module for point in installed), name)


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


def _parents(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


@dataclass(frozen=True)
class _Module:
    imports: tuple[str, ...]
    digest: str  # SHA-256 of the code without comments and docstrings


@cache
def _module(path: Path, name: str) -> _Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    imports: list[str] = []
    for node in ast.walk(tree):
        imports.extend(_imported(node, package))
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            body[:] = body[1:] or [ast.Pass()]
    return _Module(tuple(imports), hashlib.sha256(spelled(tree).encode()).hexdigest())


def _imported(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, base]).rstrip(".")
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _is_text(node: ast.AST) -> bool:
    constant = node.value if isinstance(node, ast.Expr) else None
    return isinstance(constant, ast.Constant) and isinstance(constant.value, str)
