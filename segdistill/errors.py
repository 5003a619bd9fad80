"""The one error type that means "the input or the machine is at fault, not the program"."""

import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import NoReturn

NO_MEMORY = "DefaultCPUAllocator: can't allocate memory"  # torch's words, in a RuntimeError
MORE_ROOM = (
    "all saved state is kept: run the same command again with more memory free, fewer "
    "`execution.processes`, or a smaller batch or crop"
)


class SuiteError(Exception):
    """A mistake the user can mend; its message names the file, the value and the mend.

    Commands print the message alone, without a traceback, and exit with `exit_code`.
    """

    exit_code = 2


def exit_with(main: Callable[[], int]) -> NoReturn:
    """Run a command and leave with its status; a SuiteError is printed as one line.

    So is a lack of memory, which leaves the last checkpoint as it is.
    """
    try:
        status = main()
    except SuiteError as error:
        status = _refuse(str(error), error.exit_code)
    except (MemoryError, RuntimeError) as error:
        if not _out_of_memory(error):
            raise
        status = _refuse(f"out of memory ({_first_line(error)}); {MORE_ROOM}", SuiteError.exit_code)
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def printable(text: str, breaks: bool = False) -> str:
    """`text` with control characters escaped; line breaks stay if `breaks`.

    Foreign files must not steer the terminal by the names in them.
    """
    return "".join(
        c if c.isprintable() or (breaks and c == "\n") else c.encode("unicode_escape").decode()
        for c in text
    )


def _refuse(message: str, status: int) -> int:
    print(f"error: {printable(message, breaks=True)}", file=sys.stderr)
    return status


def _out_of_memory(error: Exception) -> bool:
    """Whether Python, the processor's allocator or an accelerator's ran out of memory."""
    named = type(error).__name__ == "OutOfMemoryError"  # torch's, which is not loaded here
    return isinstance(error, MemoryError) or named or NO_MEMORY in str(error)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """A hint to append to an error about an unknown `name`."""
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
