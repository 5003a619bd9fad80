"""From the name of a method to its class."""

import importlib
import importlib.util
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from segdistill.distill.distiller import Distiller

ENTRY_POINTS = "segdistill.methods"


class UnknownMethodError(LookupError):
    """No method of that name exists; the message lists the nearest names.

    Example:
        >>> load("ivfd")
        Traceback (most recent call last):
        segdistill.distill.loading.UnknownMethodError: unknown method 'ivfd'; did you mean 'ifvd'?
    """


def method_names() -> list[str]:
    """Names of the methods that ship with the suite or are installed beside it, sorted."""
    folder = importlib.util.find_spec("baselines")
    places = folder.submodule_search_locations if folder else None
    names = {path.stem for place in places or [] for path in Path(place).glob("[!_]*.py")}
    return sorted({*names, "pcd", *(point.name for point in entry_points(group=ENTRY_POINTS))})


def load(name: str) -> type[Distiller]:
    """The class of a method.

    Args:
        name: A file of `baselines`, a package, an entry point "segdistill.methods" of an installed
            distribution, or `module:Class`.

    Raises:
        UnknownMethodError: There is none of that name.

    Example:
        >>> load("cwd")
        <class 'baselines.cwd.CWD'>
    """
    if ":" in name:
        module_name, _, class_name = name.partition(":")
        return _checked(getattr(_import(module_name, name), class_name, None), name)
    for module_name in (f"baselines.{name}", name):
        if name.isidentifier() and _exists(module_name):
            return _checked(_only_method(importlib.import_module(module_name), name), name)
    for point in entry_points(group=ENTRY_POINTS, name=name):
        return _checked(point.load(), name)
    raise UnknownMethodError(_message(name))


def _exists(module_name: str) -> bool:
    try:
        return importlib.util.find_spec(module_name) is not None
    except ModuleNotFoundError:
        return False


def _import(module_name: str, name: str) -> Any:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise UnknownMethodError(f"method {name!r}: {error}") from error


def _only_method(module: Any, name: str) -> Any:
    classes = [value for value in vars(module).values() if isinstance(value, type)]
    methods = [found for found in classes if issubclass(found, Distiller)]
    found = [method for method in methods if getattr(method, "name", None) == name]
    return found[0] if len(found) == 1 else None


def _checked(value: Any, name: str) -> type[Distiller]:
    if isinstance(value, type) and issubclass(value, Distiller):
        return value
    raise UnknownMethodError(_message(name))


def _message(name: str) -> str:
    known = method_names()
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
    return f"unknown method {name!r}{hint}"
