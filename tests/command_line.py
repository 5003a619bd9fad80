"""The project's command lines, in this process or one of their own: status and what they print."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from segdistill.commands import cli

ROOT = Path(__file__).resolve().parents[1]


class Done(NamedTuple):
    status: int
    out: str
    err: str


def segdistill(*words: object) -> Done:
    """Run `segdistill WORDS`."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["segdistill", *map(str, words)])
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as caught,
        ):
            cli.run()
    code = caught.value.code
    return Done(code if isinstance(code, int) else -1, out.getvalue(), err.getvalue())


def refusal(*words: object) -> str:
    """The message of a command that has to fail as a user's mistake does: status 2, one line."""
    done = segdistill(*words)
    assert done.status == 2, done
    assert "Traceback" not in done.err
    lines = done.err.rstrip("\n").splitlines()
    (place,) = (index for index, line in enumerate(lines) if line.startswith("error: "))
    assert len(lines) - place <= 2, done.err
    return "\n".join(lines[place:]).removeprefix("error: ")


def environment(**changes: str) -> dict[str, str]:
    """For processes that run this repository's code wherever they are."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **changes}


def python(
    *words: str, prefix: Sequence[str] = (), cwd: Path | None = None, **changes: str
) -> subprocess.CompletedProcess[str]:
    """Run `python WORDS`, the first of which may be a script by its path in the repository."""
    script, *rest = words
    first = str(ROOT / script) if script.endswith(".py") else script
    command = [*prefix, sys.executable, first, *rest]
    return subprocess.run(
        command, cwd=cwd, env=environment(**changes), capture_output=True, text=True, check=False
    )
