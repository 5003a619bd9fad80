"""The one error type that means "the input or the machine is at fault, not the program"."""

import sys
from collections.abc import Callable
from typing import NoReturn


class SuiteError(Exception):
    """A mistake the user can mend; its message names the file, the value and the mend.

    Commands print the message alone, without a traceback, and exit with `exit_code`.
    """

    exit_code = 2


def exit_with(main: Callable[[], int]) -> NoReturn:
    """Run a command and leave with its status; a SuiteError is printed as one line."""
    try:
        status = main()
    except SuiteError as error:
        print(f"error: {error}", file=sys.stderr)
        status = error.exit_code
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
