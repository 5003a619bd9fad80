"""How a command ends: its status, and one line for whatever input or machine refused.

Beside what `errors.exit_with` tells, this is what Python's own errors say of files, of the
terminal, and of text that a parser or the file system cannot take.
"""

import errno
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import TextIOWrapper, UnsupportedOperation
from pathlib import Path
from typing import NoReturn

from segdistill.errors import SuiteError, exit_with

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # what writing to it may meet
NUL = "embedded null byte"
NO_HOME = "Could not determine home directory"
PIPELINE = "dvc.yaml"
TOO_DEEP = "a file that was read is nested too deeply; look at params.yaml, experiment and records"


def leave_with(main: Callable[[], int]) -> NoReturn:
    """Run a command and leave with its status; a reader that left, as `head` does, is no error."""
    _open_closed_streams()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows ASCII alone
    exit_with(partial(_run, main))


def _open_closed_streams() -> None:
    """Let nothing that is opened later get the number of a closed standard stream."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            taken = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            setattr(sys, name, os.fdopen(taken, "w" if number else "r"))


def _run(main: Callable[[], int]) -> int:
    try:
        status = main()
        print(end="", flush=True)
    except SuiteError as error:
        if project := _project_above():
            raise SuiteError(f"{error}; run this in {project}") from error
        raise
    except BrokenPipeError:
        _silence()
        return 0
    except OSError as error:
        place = error.filename
        if place is None:
            if error.errno not in FULL:
                raise
            place = "standard output"
            _silence()
        raise SuiteError(f"{place}: cannot be used ({error.strerror})") from error
    except RecursionError as error:
        raise SuiteError(TOO_DEEP) from error
    except (ValueError, RuntimeError, KeyError, ArithmeticError) as error:
        if reason := _reason(error):
            raise SuiteError(reason) from error
        raise
    return status


def _project_above() -> Path | None:
    """The project's folder, if the command was given in one below it."""
    with suppress(OSError):  # the folder itself may be gone
        here = Path.cwd()
        if not (here / PIPELINE).exists():
            return next((folder for folder in here.parents if (folder / PIPELINE).exists()), None)
    return None


def _reason(error: Exception) -> str | None:
    """What was refused, if it is the input; None for an error of the program."""
    if NUL in str(error):
        return "the name of a file holds a NUL character; look at params.yaml and the experiment"
    if NO_HOME in str(error):
        return "the name of a folder begins with ~ and a user that this machine does not have"
    frames = traceback.extract_tb(error.__traceback__)
    if any(f"{os.sep}ruamel{os.sep}" in frame.filename for frame in frames):
        return f"params.yaml or the experiment: not valid YAML ({type(error).__name__}: {error})"
    return None


def _silence() -> None:
    """Nothing more goes to standard output, which Python would flush once more when it ends."""
    with suppress(UnsupportedOperation):  # of a stream in memory
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
