"""DVC's list of who is at work, which it writes in place: a kill can leave it empty."""

import json
import time
from pathlib import Path

RWLOCK = Path(".dvc/tmp/rwlock")
WAIT_SECONDS = 2.0  # a dvc at work may be writing it right now
POLL_SECONDS = 0.1


def is_torn() -> bool:
    """Whether DVC could not read the list, and so would not start."""
    try:
        json.loads(RWLOCK.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except ValueError:
        return True
    return False


def drop_torn_rwlock() -> None:
    """Remove a list that stays unreadable; it holds nothing but who was at work."""
    end = time.monotonic() + WAIT_SECONDS
    while is_torn():
        if time.monotonic() > end:
            RWLOCK.unlink(missing_ok=True)
        else:
            time.sleep(POLL_SECONDS)
