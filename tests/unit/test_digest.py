"""Code digests: a comment changes nothing, an edit changes what can reach it, and no more."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from distill import method_names
from distill.distiller import ENTRY_POINTS
from harness.digest import ROOTS, code_digest, method_module, module_path, reachable

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("distill", "pcd", "baselines", "harness", "experiments")
METHODS = ("student", "kd", "cwd", "skd", "pcd")
LIST = f"""
import json
from harness.digest import ROOTS, code_digest
found = {{kind: code_digest(kind) for kind in ROOTS}}
found |= {{f"train-{{name}}": code_digest("train", [name]) for name in {METHODS}}}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pristine")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "profiles")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    return folder


@pytest.fixture(scope="module")
def before(pristine: Path) -> dict[str, str]:
    """The digests of the code as it is."""
    return digests(pristine)


@pytest.fixture
def copy(pristine: Path, tmp_path: Path) -> Path:
    """A copy to edit."""
    return Path(shutil.copytree(pristine, tmp_path / "copy"))


def digests(root: Path) -> dict[str, str]:
    """All digests of the code below `root`, computed in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", LIST], cwd=root, env=environment, capture_output=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def edit(path: Path, old: str, new: str) -> None:
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), encoding="utf-8")


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


def test_comments_docstrings_and_layout_change_nothing(copy: Path, before: dict[str, str]) -> None:
    for package in PACKAGES:
        for path in (copy / package).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            path.write_text(f"# A comment.\n{source}\n\n\n# Another.\n", encoding="utf-8")
    edit(copy / "baselines/kd.py", '"""', '"""Other words. ')
    # A docstring where there was none.
    edit(copy / "distill/queues.py", ") -> None:\n", ') -> None:\n        """New words."""\n')
    edit(
        copy / "harness/learner.py",
        "    def _gradients_are_due(self) -> bool:\n",
        '    def _gradients_are_due(\n        self,\n    ) -> bool:\n        """New words."""\n',
    )
    assert changed(before, digests(copy)) == set()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("baselines/cwd.py", {"train-cwd"}),
        ("pcd/matching.py", {"train-pcd"}),
        ("distill/adversary.py", {"train-skd"}),
        ("harness/report/table.py", {"compare"}),
        ("harness/metrics/cost.py", {"evaluate"}),
        ("harness/learner.py", {"teacher", "train", *(f"train-{name}" for name in METHODS)}),
        ("harness/data/scenes_canvas.py", {"prepare"}),
        ("harness/commands/use.py", set()),
        ("harness/cli.py", set()),
    ],
)
def test_an_edit_changes_what_can_reach_it(
    copy: Path, before: dict[str, str], file: str, expected: set[str]
) -> None:
    path = copy / file
    path.write_text(path.read_text(encoding="utf-8") + "\nNEW_VALUE = 1\n", encoding="utf-8")
    assert changed(before, digests(copy)) == expected


def test_a_default_in_a_config_is_code(copy: Path, before: dict[str, str]) -> None:
    edit(copy / "baselines/kd.py", ": float = ", ": float = 2 * ")
    assert changed(before, digests(copy)) == {"train-kd"}


def test_every_method_has_a_digest_of_its_own() -> None:
    found = {name: code_digest("train", [name]) for name in method_names()}
    assert len(set(found.values())) == len(found)
    plain = set(code_digest("train").splitlines())
    for name, digest in found.items():
        own = {line.split()[0] for line in set(digest.splitlines()) - plain}
        assert own & {f"baselines.{name}", f"pcd.{name}", name}, name


@pytest.mark.parametrize("name", ["installed", "otherpkg.impl:Method"])
def test_code_of_an_installed_method_counts(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, facts = tmp_path / "otherpkg", tmp_path / "other-1.dist-info"
    for folder in (package, facts):
        folder.mkdir()
    (package / "__init__.py").touch()
    (package / "impl.py").write_text("from otherpkg import helper\n\nclass Method: pass\n")
    (package / "helper.py").write_text("WEIGHT = 1\n")
    (facts / "METADATA").write_text("Name: other\nVersion: 1\n")
    points = f"[{ENTRY_POINTS}]\ninstalled = otherpkg.impl:Method\n"
    (facts / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    lines = set(code_digest("train", [name]).splitlines()) - set(code_digest("train").splitlines())
    assert {line.split()[0] for line in lines} == {"otherpkg", "otherpkg.impl", "otherpkg.helper"}


def test_roots_and_methods_are_modules() -> None:
    for roots in ROOTS.values():
        assert all(module_path(name) for name in roots)
    assert method_module("kd") == "baselines.kd"
    assert method_module("pcd") == "pcd"
    assert method_module("baselines.kd:KD") == "baselines.kd"
    assert module_path("no_such_package.module") is None


def test_reachable_names_every_module_that_training_loads() -> None:
    """What a fresh process has imported after the trainer and every method is covered."""
    script = (
        "import sys, harness.trainer\nfrom distill import load, method_names\n"
        "[load(name) for name in method_names()]\n"
        f"print(*(n for n in sys.modules if n.partition('.')[0] in {PACKAGES}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    loaded = set(done.stdout.decode().split())
    roots = [*ROOTS["train"], *(method_module(name) for name in method_names())]
    assert loaded <= {name for name, _ in reachable(roots)}


ARROWS = {
    "distill": {"distill"},
    "pcd": {"pcd", "distill"},
    "baselines": {"baselines", "distill"},
    "harness": {"harness", "distill"},
    "experiments": {"experiments", "harness"},
}
METHOD_LIBRARIES = {"torch", "numpy", "scipy", *sys.stdlib_module_names}


def imports(path: Path) -> Iterator[str]:
    """The top-level packages that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        ours = {name for name in imports(path) if name in PACKAGES}
        allowed = ARROWS[package]
        if path == ROOT / "harness/scaffold.py":  # it writes a file there and reads none
            allowed = allowed | {"baselines"}
        assert ours <= allowed, path


@pytest.mark.parametrize("package", ["distill", "pcd", "baselines"])
def test_methods_need_torch_and_little_else(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        foreign = {name for name in imports(path) if name not in PACKAGES}
        assert foreign <= METHOD_LIBRARIES, path


@pytest.mark.parametrize("package", ["distill", "pcd", "baselines"])
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
