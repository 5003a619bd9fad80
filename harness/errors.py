"""The one error type that means "the input or the machine is at fault, not the program"."""


class SuiteError(Exception):
    """A mistake the user can mend; its message names the file, the value and the mend.

    Commands print the message alone, without a traceback, and exit with `exit_code`.
    """

    exit_code = 2
