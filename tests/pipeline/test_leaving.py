"""What Python's own errors become when a command ends with one."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from segdistill.errors import SuiteError
from segdistill.leaving import leave_with


def ends(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    def command() -> int:
        raise error

    with pytest.raises(SystemExit) as caught:
        leave_with(command)
    return caught.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError(13, "Permission denied", "results/a"), "results/a: cannot be used (Perm"),
        (OSError(36, "File name too long", "results/b"), "results/b: cannot be used (File name"),
        (OSError(28, "No space left on device"), "standard output: cannot be used (No space"),
        (RecursionError("maximum recursion depth exceeded"), "nested too deeply"),
        (ValueError("embedded null byte"), "the name of a file holds a NUL"),
        (RuntimeError("Could not determine home directory."), "begins with ~"),
    ],
)
def test_what_the_input_or_the_machine_refused(
    error: Exception, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, printed = ends(error, capsys)
    assert status == 2
    assert printed.startswith("error: ")
    assert told in printed
    assert printed.count("\n") == 1


def test_a_command_given_below_the_project_is_told_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = SuiteError("params.yaml: cannot read (No such file or directory)")
    below = tmp_path / "docs" / "part"
    below.mkdir(parents=True)
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.chdir(below)
    assert ends(refused, capsys) == (2, f"error: {refused}; run this in {tmp_path}\n")
    monkeypatch.chdir(tmp_path)
    assert ends(refused, capsys) == (2, f"error: {refused}\n")
    monkeypatch.chdir(below)
    below.rmdir()
    assert ends(refused, capsys) == (2, f"error: {refused}\n")


def test_a_reader_that_left_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends(BrokenPipeError(32, "Broken pipe"), capsys) == (0, "")


def test_what_breaks_the_yaml_parser_is_no_error_of_the_program(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def command() -> int:
        YAML(typ="safe", pure=True).load("a: !!bool x")
        return 0

    with pytest.raises(SystemExit) as caught:
        leave_with(command)
    assert caught.value.code == 2
    assert "params.yaml or the experiment: not valid YAML" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [KeyError("a"), ValueError("b"), ZeroDivisionError(), OSError(11, "try again")]
)
def test_errors_of_the_program_keep_their_traceback(error: Exception) -> None:
    def command() -> int:
        raise error

    with pytest.raises(type(error)):
        leave_with(command)


def test_the_status_is_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> int:
        print(json.dumps({"a": 1}))
        return 3

    with pytest.raises(SystemExit) as caught:
        leave_with(command)
    assert caught.value.code == 3
    assert capsys.readouterr().out == '{"a": 1}\n'
