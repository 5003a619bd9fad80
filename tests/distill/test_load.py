"""How a method is found by its name."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from baselines.kd import KD
from segdistill.distill import Distiller, UnknownMethodError, load, loading, method_names
from segdistill.distill.template import Template


def test_a_baseline_by_its_file_name() -> None:
    assert load("kd") is KD


def test_a_package_by_its_name() -> None:
    assert load("pcd").__module__.startswith("pcd")


def test_a_class_by_its_path() -> None:
    assert load("segdistill.distill.template:Template") is Template


def test_an_installed_method_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("installed", "segdistill.distill.template:Template", loading.ENTRY_POINTS)

    def entry_points(group: str, name: str = "installed") -> list[EntryPoint]:
        return [point] if (group, name) == (loading.ENTRY_POINTS, "installed") else []

    monkeypatch.setattr(loading, "entry_points", entry_points)
    assert load("installed") is Template
    assert "installed" in method_names()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ivfd", "unknown method 'ivfd'; did you mean 'ifvd'"),
        ("zzzzzz", "unknown method 'zzzzzz'; known: .*kd.*student"),
        ("", "unknown method"),
        ("../kd", "unknown method"),
        ("json", "unknown method 'json'"),
        ("segdistill.distill.template:Missing", "unknown method"),
        ("segdistill.distill.template:View", "unknown method"),
        ("no.such.module:Method", "No module named"),
    ],
)
def test_unknown_names_say_what_is_known(name: str, message: str) -> None:
    with pytest.raises(UnknownMethodError, match=message):
        load(name)


def test_an_error_inside_a_method_s_file_is_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import baselines

    (tmp_path / "broken.py").write_text("import no_such_library\n")
    monkeypatch.setattr(baselines, "__path__", [*baselines.__path__, str(tmp_path)])
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        load("broken")


def test_every_file_of_baselines_is_listed() -> None:
    folder = Path(__file__).resolve().parents[2] / "baselines"
    files = {path.stem for path in folder.glob("[!_]*.py")}
    assert {*files, "pcd"} <= set(method_names())


def test_a_distiller_without_losses_cannot_be_built() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Distiller(None, None, None)  # type: ignore[abstract, arg-type]
