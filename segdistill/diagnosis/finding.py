"""One thing that was looked at."""

from dataclasses import dataclass
from typing import Literal

Health = Literal["ok", "note", "missing"]


@dataclass(frozen=True)
class Finding:
    """What was found; `missing` keeps the profile from running, `note` does not."""

    subject: str
    health: Health
    found: str
    mend: str = ""  # what to do, for anything but `ok`
