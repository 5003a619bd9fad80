"""The documented example and a fresh copy of the template are methods as they stand."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from contract import MethodContract, run
from scenes import SIZE, STRIDE, TEACHER_WIDTH, scene, spec, view

from segdistill.commands.scaffold import write_method
from segdistill.distill import Distiller, load
from segdistill.errors import SuiteError

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-method.md"


def _module(path: Path) -> ModuleType:
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> type[Distiller]:
    (source,) = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    path = tmp_path_factory.mktemp("example") / "direction.py"
    path.write_text(source)
    found: type[Distiller] = _module(path).Direction
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> type[Distiller]:
    path = write_method("my_first_method", tmp_path_factory.mktemp("copy"))
    found: type[Distiller] = _module(path).MyFirstMethod
    return found


class TestWorkedExample(MethodContract):
    @pytest.fixture
    def method(self, example: type[Distiller]) -> type[Distiller]:
        return example


class TestFreshCopy(MethodContract):
    @pytest.fixture
    def method(self, copy: type[Distiller]) -> type[Distiller]:
        return copy


@pytest.mark.parametrize("ignore", ["keep", "mask"])
def test_the_worked_example_is_its_formula(example: type[Distiller], ignore: str) -> None:
    batch, width = scene(), spec(TEACHER_WIDTH)
    batch = batch._replace(student=view(2, TEACHER_WIDTH, SIZE, seed=5))
    own, other = (seen.taps["head.embedding"] for seen in (batch.student, batch.teacher))
    distances = 1 - torch.cosine_similarity(own, other, dim=1)
    kept = batch.labels[:, ::STRIDE, ::STRIDE] != 255
    expected = distances[kept].mean() if ignore == "mask" else distances.mean()
    options: dict[str, Any] = {"ignore": ignore}
    result = run(example(example.Config(**options), width, width), batch)
    torch.testing.assert_close(result.terms["direction"], expected)


def test_the_copy_differs_from_the_template_in_names_only(tmp_path: Path) -> None:
    lines = write_method("edge", tmp_path).read_text().splitlines()
    source = (GUIDE.parents[1] / "segdistill" / "distill" / "template.py").read_text().splitlines()
    changed = [line for line, old in zip(lines, source, strict=True) if line != old]
    assert changed[1:] == [
        "class Edge(FeatureDistiller):",
        "        >>> list(Edge(Edge.Config(), *specs()).losses(*batch()))",
        '    name = "edge"',
    ]


def test_a_copy_in_baselines_is_found_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = importlib.import_module("baselines")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    write_method("found_by_name", tmp_path)
    assert load("found_by_name").name == "found_by_name"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = write_method("edge", tmp_path)
    path.write_text("precious")
    with pytest.raises(SuiteError, match="exists already"):
        write_method("edge", tmp_path)
    assert path.read_text() == "precious"


@pytest.mark.parametrize("name", ["", "1st", "two words", "a-b", "class", "Edge", "_edge", "../up"])
def test_names_that_cannot_be_a_file_and_a_key_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SuiteError, match="use lower-case letters"):
        write_method(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["kd", "student", "pcd"])
def test_names_of_methods_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SuiteError, match="taken"):
        write_method(name, tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="no such folder"):
        write_method("edge", tmp_path / "nowhere")
