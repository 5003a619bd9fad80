"""Methods by name and their options with defaults, read from the source without importing torch."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from segdistill.definitions import Codebase, Definition, Module, module_path
from segdistill.errors import SuiteError, did_you_mean

ENTRY_POINTS = "segdistill.methods"  # as segdistill.distill says; importing that would load torch
UNREAD = object()  # a default that is no plain value
KINDS: Mapping[str, tuple[type, ...]] = {
    "float": (float, int), "int": (int,), "bool": (bool,), "str": (str,),
}  # fmt: skip


def method_names() -> list[str]:
    """Names of the methods that ship with the suite or are installed beside it, sorted."""
    package = module_path("baselines")
    shipped = {path.stem for path in package.parent.glob("[!_]*.py")} if package else set()
    return sorted({*shipped, "pcd", *(point.name for point in entry_points(group=ENTRY_POINTS))})


def method_class(name: str) -> str:
    """`MODULE:CLASS` of method `name`, by the order in which `segdistill.distill.load` looks.

    Raises SuiteError if there is none.
    """
    if ":" in name:
        return name
    for module_name in (f"baselines.{name}", name):
        if name.isidentifier() and module_path(module_name):
            return _class_named(name, module_name)
    for point in entry_points(group=ENTRY_POINTS, name=name):
        return point.value
    raise SuiteError(f"methods: unknown method {name!r}{did_you_mean(name, method_names())}")


def resolved_options(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a method: those `given`, and the defaults of the rest.

    Defaults that are no plain values in the source are left to the method.

    Args:
        name: A method as `segdistill.distill.load` knows it.
        given: Options by name.

    Raises:
        SuiteError: The method or an option is unknown, or a value is of another type.

    Example:
        >>> resolved_options("kd", {"weight": 2})["temperature"]
        1.0
    """
    fields = _fields(method_class(name))
    for option, value in given.items():
        if option not in fields:
            raise SuiteError(f"{name}.{option}: unknown{did_you_mean(option, list(fields))}")
        _check_type(f"{name}.{option}", value, fields[option][0])
    defaults = {option: default for option, (_, default) in fields.items() if default is not UNREAD}
    return {**defaults, **given}


def _check_type(where: str, value: object, annotation: str) -> None:
    """Plain annotations alone; the method itself checks all others and every range."""
    parts = [part.strip() for part in annotation.split("|")]
    if not all(part in KINDS for part in parts):
        return
    kinds = {kind for part in parts for kind in KINDS[part]}
    if type(value) not in kinds:
        raise SuiteError(f"{where}: must be {' or '.join(parts)}, not {value!r}")


@cache
def _fields(place: str) -> dict[str, tuple[str, object]]:
    """Annotation and default of every field of a method's Config."""
    module_name, _, class_name = place.partition(":")
    code = Codebase({module_name.partition(".")[0], "segdistill"})
    module = code.module(module_name)
    found = code.resolve(module, class_name) if module else None
    if not isinstance(found, Definition):
        raise SuiteError(f"{module_name}: defines no {class_name!r}")
    fields: dict[str, tuple[str, object]] = {}
    for owner, config in reversed(list(_configs(code, found))):
        for part in config.body:
            if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                fields[part.target.id] = ast.unparse(part.annotation), _value(code, owner, part)
    return fields


def _value(code: Codebase, owner: Module, part: ast.AnnAssign) -> object:
    """A default: a plain value, or the name of a constant that is one."""
    value: ast.expr | None = part.value
    if isinstance(value, ast.Name):
        found = code.resolve(owner, value.id)
        module = code.module(found.module) if isinstance(found, Definition) else None
        statement = module.bindings[found.name][0] if module and found else None
        value = getattr(statement, "value", None)
    try:
        return UNREAD if value is None else ast.literal_eval(value)
    except ValueError:
        return UNREAD


def _configs(code: Codebase, method: Definition) -> Iterator[tuple[Module, ast.ClassDef]]:
    """The Config of a method and those it inherits from, nearest first."""
    module, node = _class(code, method)
    for part in node.body:
        match part:
            case ast.ClassDef(name="Config"):
                yield from _lineage(code, module, part)
                return
            case ast.Assign(targets=[ast.Name(id="Config")], value=ast.Name(id=name)):
                found = code.resolve(module, name)
                if isinstance(found, Definition):
                    yield from _lineage(code, *_class(code, found))
                return
    for base in node.bases:
        found = code.resolve(module, base.id) if isinstance(base, ast.Name) else None
        if isinstance(found, Definition):
            yield from _configs(code, found)
            return


def _lineage(
    code: Codebase, module: Module, config: ast.ClassDef
) -> Iterator[tuple[Module, ast.ClassDef]]:
    yield module, config
    for base in config.bases:
        match base:
            case ast.Name(id=name):
                found = code.resolve(module, name)
                if isinstance(found, Definition):
                    yield from _lineage(code, *_class(code, found))
            case ast.Attribute(value=ast.Name(id=name), attr="Config"):
                found = code.resolve(module, name)
                if isinstance(found, Definition):
                    yield from _configs(code, found)


def _class(code: Codebase, found: Definition) -> tuple[Module, ast.ClassDef]:
    module = code.module(found.module)
    statement = module.bindings[found.name][0] if module else None
    if module is None or not isinstance(statement, ast.ClassDef):
        raise SuiteError(f"{found.module}: {found.name} is no class")
    return module, statement


def _class_named(name: str, module_name: str) -> str:
    """The class that says `name = NAME`, defined in a module or imported there."""
    code = Codebase({module_name.partition(".")[0]})
    module = code.module(module_name)
    assert module is not None
    for own in [*module.bindings, *module.imports]:
        found = code.resolve(module, own)
        if isinstance(found, Definition) and name in _names(code, found):
            return f"{found.module}:{found.name}"
    raise SuiteError(f"{module.path}: defines no method with name = {name!r}")


def _names(code: Codebase, found: Definition) -> Iterator[object]:
    """What a class says its `name` is."""
    module = code.module(found.module)
    for statement in module.bindings[found.name] if module else []:
        for part in statement.body if isinstance(statement, ast.ClassDef) else []:
            match part:
                case (
                    ast.Assign(targets=[ast.Name(id="name")], value=ast.Constant(value=value))
                    | ast.AnnAssign(target=ast.Name(id="name"), value=ast.Constant(value=value))
                ):
                    yield value
