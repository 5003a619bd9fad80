"""Stopping politely: finish the step, save, and say by the exit code that work is left."""

import os
import signal
import sys
from types import FrameType
from typing import Any

from segdistill.following import follow

EXIT_CODE = 75  # EX_TEMPFAIL: run the same command again to go on


class Stopped(SystemExit):
    """Raised once everything is saved after a request to stop."""

    def __init__(self) -> None:
        super().__init__(EXIT_CODE)


class StopRequest:
    """Remembers that SIGTERM or SIGINT came; `listen` makes this process receive them so."""

    def __init__(self) -> None:
        self.requested = False

    def listen(self, with_parent: bool = True) -> None:
        """Turn SIGTERM and SIGINT into a request; a second SIGINT interrupts at once.

        With `with_parent`, the parent's death counts as SIGTERM: no training outlives its stage.
        """
        signal.signal(signal.SIGTERM, self._request)
        signal.signal(signal.SIGINT, self._request)
        if with_parent:
            follow(os.getppid())

    def leave_if_requested(self) -> None:
        """Raise Stopped if a request came; call it only where all state is saved."""
        if self.requested:
            print("stopped as asked; run the same command again to go on", file=sys.stderr)
            raise Stopped

    def _request(self, number: int, frame: FrameType | None) -> Any:
        del frame
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.requested = True
