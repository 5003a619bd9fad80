"""The command line: starts lightly, lists every command, explains every option."""

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import segdistill.commands
from segdistill.commands.cli import COMMANDS
from segdistill.errors import SuiteError, exit_with

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "numpy", "pandas", "mmseg", "matplotlib", "cv2", "scipy", "dvc")
LOADED = """
import json, sys
sys.argv = ["segdistill", *{arguments}]
try:
    from segdistill.commands.cli import main
    main()
except SystemExit as end:
    assert not end.code, end.code
json.dump(sorted(sys.modules), sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_help_needs_no_heavy_library(arguments: list[str]) -> None:
    script = LOADED.format(arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "usage: segdistill" in done.stdout
    assert not {*json.loads(done.stderr)} & {*HEAVY}


@pytest.mark.parametrize("stage", ["train", "evaluate", "digest", "prepare"])
def test_stages_start_without_torch(stage: str) -> None:
    """A stage that only publishes what its cohort made must cost next to nothing."""
    script = f"import json, sys, experiments.{stage}; json.dump(sorted(sys.modules), sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not {*json.loads(done.stderr)} & {"torch", "mmseg", "pandas", "matplotlib"}


def test_every_command_is_listed_and_listed_once() -> None:
    folder = Path(segdistill.commands.__path__[0])
    files = [path for path in folder.glob("[!_]*.py") if "def configure(" in path.read_text()]
    found = {path.stem.replace("_", "-") for path in files}
    assert found == set(COMMANDS)
    assert len(COMMANDS) == len(found)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    module = importlib.import_module(f"segdistill.commands.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser()
    module.configure(parser)
    assert module.HELP
    assert module.HELP[0].islower()
    for action in parser._actions:
        assert action.help, f"{name}: {action.dest}"


@pytest.mark.parametrize(
    ("result", "status", "text"),
    [
        (0, 0, ""),
        (2, 2, ""),
        (SuiteError("params.yaml: broken"), 2, "error: params.yaml: broken\n"),
        (KeyboardInterrupt(), 130, ""),
        (SuiteError("a: \x1b[31m\x07\nb"), 2, "error: a: \\x1b[31m\\x07\nb\n"),
    ],
)
def test_commands_end_as_they_should(
    result: int | BaseException, status: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> int:
        if isinstance(result, BaseException):
            raise result
        return result

    with pytest.raises(SystemExit) as caught:
        exit_with(command)
    assert caught.value.code == status
    assert capsys.readouterr().err == text


@pytest.mark.parametrize(
    "lack",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nMore advice."),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_lack_of_memory_is_told_in_one_line(
    lack: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> int:
        raise lack

    with pytest.raises(SystemExit) as caught:
        exit_with(command)
    printed = capsys.readouterr().err
    assert caught.value.code == 2
    assert printed.startswith("error: out of memory (")
    assert "all saved state is kept" in printed
    assert printed.count("\n") == 1


def test_programming_errors_keep_their_traceback() -> None:
    def command() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        exit_with(command)
