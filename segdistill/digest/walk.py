"""Which code decides a result, as one hash: definitions are followed, not files.

From the functions that a stage calls, every name is followed to what it stands for: functions,
classes and constants of this project. Each is hashed as its syntax tree, without docstrings,
annotations, error texts, log lines and imports, and with the names of what it uses replaced by
places in the walk. So moving or renaming a module or a definition changes nothing, and changing
one number of a loss changes exactly the results that reach it. The same under Python 3.11 to 3.13.
"""

import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from segdistill.definitions import PACKAGES, Codebase, Definition
from segdistill.digest.structure import structure, structure_of
from segdistill.errors import SuiteError

# Where the work of every kind of stage begins. A choice by name (a method, a data set, a part of a
# network) is no name in the code: `choices` of the run are further roots.
VECTORS = "segdistill.training.instructions:cap_instructions"
ROOTS = {
    "prepare": ("segdistill.data.preparation:prepare",),
    "train": (VECTORS, "segdistill.training.session:run"),
    "evaluate": (VECTORS, "segdistill.evaluation.evaluate:evaluate_file"),
    "compare": ("segdistill.report.compare:build_report",),
}
# Reached, but without influence on any value of a result: these are not followed.
OPERATIONAL = {
    "segdistill.distill.loading:load": "finds a method, which is a root of its own",
    "segdistill.settings.loading": "settings, which the fingerprint holds; where data lie",
    "segdistill.errors": "an error ends the run, which leaves no result",
    "segdistill.models.pretrained": "where backbones lie; their hashes are in the fingerprint",
    "segdistill.progress": "what a person sees of the work",
    "segdistill.records": "how files are written and read, and the form of a record",
}
NOT_FOLLOWED = frozenset(OPERATIONAL)


class Code(NamedTuple):
    """What the digest of a stage covers."""

    definitions: tuple[Definition, ...]  # in the order of the walk
    sha256: str


def code_digest(kind: str, choices: Iterable[str] = ()) -> str:
    """sha256 of all code that decides the results of a stage.

    Args:
        kind: A key of ROOTS.
        choices: Definitions that the run chooses by name, as `MODULE:NAME`, or `MODULE` for all
            that a module defines.

    Returns:
        64 hexadecimal digits.

    Raises:
        SuiteError: A choice names nothing.

    Example:
        >>> code_digest("train", ["baselines.kd:KD"]) != code_digest("train", ["baselines.at:AT"])
        True
    """
    return reached(kind, choices).sha256


def reached(kind: str, choices: Iterable[str] = ()) -> Code:
    """Every definition that a stage reaches, and the digest over all of them."""
    names = list(dict.fromkeys([*ROOTS[kind], *choices]))  # as given: names may change
    code = _codebase(PACKAGES | {name.partition(":")[0].partition(".")[0] for name in names})
    places: dict[Definition, int] = {}
    for name in names:
        for root in _named(code, name):
            places.setdefault(root, len(places))
    lines = []
    for definition in (walk := list(places)):
        found = structure(code, definition, NOT_FOLLOWED)
        for use in found.uses:
            if use not in places:
                places[use] = len(places)
                walk.append(use)  # the loop goes on with it
        lines.append(f"{found.text} {[places[use] for use in found.uses]}")
    lines += sorted(_effects(code, places))
    return Code(tuple(places), hashlib.sha256("\n".join(lines).encode()).hexdigest())


@cache
def _codebase(packages: frozenset[str]) -> Codebase:
    """One for all digests of a process, so that every file is read once."""
    return Codebase(packages)


def _named(code: Codebase, name: str) -> Iterator[Definition]:
    module_name, _, wanted = name.partition(":")
    module = code.module(module_name)
    if module is None:
        raise SuiteError(f"{module_name}: no such module")
    if not wanted:
        yield from (Definition(module_name, name) for name in module.bindings)
        return
    found = code.resolve(module, wanted)
    if not isinstance(found, Definition):
        raise SuiteError(f"{module_name}: defines no {wanted!r}")
    yield found


def _effects(code: Codebase, definitions: Iterable[Definition]) -> Iterator[str]:
    """What the definitions' modules, and those they import, do beside defining when loaded."""
    seen: set[str] = set(OPERATIONAL)
    waiting = [definition.module for definition in definitions]
    while waiting:
        name = waiting.pop()
        module = None if name in seen else code.module(name)
        seen.add(name)
        if module is not None:
            for target in module.imports.values():
                waiting += [target.module, f"{target.module}.{target.name}"]
            yield from (
                structure_of(code, module, [each], NOT_FOLLOWED).text for each in module.effects
            )
