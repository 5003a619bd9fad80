"""The house in figures: `python tests/house.py [ROOT]`, also for a checkout of another commit.

A room is a folder of a package, or a file that lies flat in one; its floor is one above the
highest room that it imports.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("segdistill", "harness", "distill", "pcd", "baselines", "experiments")
GROUND = "segdistill"  # its flat files are one room: what all others stand on
IDENTITY = ({"profile", "experiment"}, {"dataset"}, {"method"}, {"seed"})


def modules(root: Path) -> dict[str, Path]:
    """Every module of the packages by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def room_of(name: str, known: dict[str, Path]) -> str:
    """The room of a module: `PACKAGE.FOLDER`, a flat `PACKAGE.FILE`, or a package without rooms."""
    package, _, rest = name.partition(".")
    if package not in ("segdistill", "harness"):
        return package
    if rest == "__main__" or name == GROUND:  # the doors: the command line, the public face
        return f"{GROUND}.commands" if package == GROUND else f"{package}.commands"
    first = f"{package}.{rest.partition('.')[0]}"
    flat = first in known and known[first].name != "__init__.py"
    return GROUND if package == GROUND and flat else first


def arrows(root: Path) -> dict[str, set[str]]:
    """The rooms that each room imports."""
    known = modules(root)
    found: dict[str, set[str]] = {room_of(name, known): set() for name in known}
    for name, path in known.items():
        if name == GROUND:  # the public face, which imports what lies above when it is asked for
            continue
        for target in _imported(ast.parse(path.read_text(encoding="utf-8"))):
            if target in known and target != GROUND and target.partition(".")[0] in PACKAGES:
                found[room_of(name, known)].add(room_of(target, known))
    return {room: others - {room} for room, others in found.items()}


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def circles(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Pairs of rooms of which each reaches the other."""
    reach: dict[str, set[str]] = {}
    for room in graph:
        seen: set[str] = set()
        waiting = list(graph[room])
        while waiting:
            other = waiting.pop()
            if other not in seen:
                seen.add(other)
                waiting.extend(graph[other])
        reach[room] = seen
    return [(a, b) for a in graph for b in reach[a] if a < b and a in reach[b]]


def floors(graph: dict[str, set[str]]) -> dict[str, int]:
    """The floor of every room, from 1, in a house without circles."""
    found: dict[str, int] = {}

    def floor(room: str) -> int:
        if room not in found:
            found[room] = 1 + max((floor(other) for other in graph[room]), default=0)
        return found[room]

    for room in graph:
        floor(room)
    return found


def identity_types(root: Path) -> list[str]:
    """Classes that carry all of (experiment or profile, dataset, method, seed) as fields."""
    found = []
    for name, path in modules(root).items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                fields = {
                    part.target.id
                    for part in node.body
                    if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
                }
                if all(fields & names for names in IDENTITY):
                    found.append(f"{name}.{node.name}")
    return sorted(found)


def lines(paths: Iterator[Path]) -> tuple[int, int]:
    """How many files and how many lines."""
    counts = [len(path.read_text(encoding="utf-8").splitlines()) for path in paths]
    return len(counts), sum(counts)


def commands(root: Path) -> int:
    """Commands of the command line."""
    folders = [root / package / "commands" for package in ("segdistill", "harness")]
    files = (path for folder in folders for path in folder.glob("*.py"))
    return sum(bool(re.search(r"^def configure\(", path.read_text(), re.M)) for path in files)


def figures(root: Path) -> dict[str, object]:
    """The house in figures."""
    graph = arrows(root)
    ring = circles(graph)
    code = lines(iter(modules(root).values()))
    tests = lines((root / "tests").rglob("*.py"))
    drawn = lines((root / "benchmarks").rglob("*.py"))
    return {
        "code files": code[0],
        "code lines": code[1],
        "benchmark lines": drawn[1],
        "test files": tests[0],
        "test lines": tests[1],
        "rooms": len(graph),
        "arrows": sum(map(len, graph.values())),
        "floors": max(floors(graph).values()) if not ring else "no floors, there are circles",
        "circles": len(ring),
        "commands": commands(root),
        "types that carry a cell's identity": len(identity_types(root)),
    }


if __name__ == "__main__":
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    for what, value in figures(root).items():
        print(f"{what:36} {value}")
