"""How the code is laid out: imports point one way, methods stand alone, no file is a drawer."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import arrows, circles

from segdistill.definitions import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
METHOD_LIBRARIES = {"torch", "numpy", "scipy", *sys.stdlib_module_names}
# From the ground up; a room imports rooms below it and of its own floor, where no circle forms.
FLOORS = (
    ("segdistill", "segdistill.distill"),
    ("segdistill.settings", "baselines", "pcd"),
    ("segdistill.models", "segdistill.data"),
    ("segdistill.digest", "segdistill.training"),
    ("segdistill.evaluation",),
    ("segdistill.pipeline", "segdistill.statistics"),
    ("segdistill.report",),
    ("segdistill.check",),
    ("segdistill.commands", "experiments"),
)
METHOD_ROOMS = ("segdistill/distill", "pcd", "baselines")


def test_imports_point_one_way() -> None:
    graph = arrows(ROOT)
    height = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
    assert graph.keys() == height.keys()
    up = [(a, b) for a, others in graph.items() for b in others if height[b] > height[a]]
    assert up == []
    assert circles(graph) == []
    for room in ("baselines", "pcd"):
        assert graph[room] == {"segdistill.distill"}
    assert graph["segdistill.distill"] == set()


def imports(path: Path) -> Iterator[str]:
    """The top-level packages that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("package", METHOD_ROOMS)
def test_methods_need_torch_and_little_else(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        foreign = {name for name in imports(path) if name not in PACKAGES}
        assert foreign <= METHOD_LIBRARIES, path


@pytest.mark.parametrize("package", METHOD_ROOMS)
def test_methods_exchange_nothing_between_processes(package: str) -> None:
    """Each process is given the whole batch: an exchange would count it several times."""
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert getattr(node, "attr", "") != "distributed", path
            assert "distributed" not in (getattr(node, "module", None) or ""), path
            names = node.names if isinstance(node, ast.Import | ast.ImportFrom) else []
            assert all("distributed" not in alias.name for alias in names), path


def test_no_file_is_long() -> None:
    for package in (*PACKAGES, "tests", "benchmarks"):
        for path in (ROOT / package).rglob("*.py"):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            assert lines <= 350, f"{path}: {lines} lines"


def test_no_module_is_a_drawer() -> None:
    """Names that say nothing about what is inside."""
    names = {path.stem for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "helper", "misc", "common"}
