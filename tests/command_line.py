"""The harness's command line in this process: its status and what it prints."""

import contextlib
import io
import sys
from typing import NamedTuple

import pytest

from harness import cli


class Done(NamedTuple):
    status: int
    out: str
    err: str


def harness(*words: object) -> Done:
    """Run `python -m harness WORDS`."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["harness", *map(str, words)])
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
    done = harness(*words)
    assert done.status == 2, done
    assert "Traceback" not in done.err
    lines = done.err.rstrip("\n").splitlines()
    (place,) = (index for index, line in enumerate(lines) if line.startswith("error: "))
    assert len(lines) - place <= 2, done.err
    return "\n".join(lines[place:]).removeprefix("error: ")
