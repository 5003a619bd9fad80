"""Whether the folders that a profile's run writes into may be read and written."""

import os
from collections.abc import Iterator
from pathlib import Path

from segdistill.diagnosis.finding import Finding
from segdistill.pipeline.cells import RESULTS, SCRATCH

MEND = "give yourself its rights (chmod u+rwX), or clone the project where you have them"


def output_findings(profile: str) -> Iterator[Finding]:
    """The drawn data, the unfinished trainings, the results of `profile`."""
    for folder in (Path("data"), SCRATCH, RESULTS / profile):
        yield folder_finding(folder)


def folder_finding(folder: Path) -> Finding:
    """Whether `folder`, or the nearest folder above it that exists, may be read and written."""
    place = Path()
    for part in (*reversed(folder.parents), folder):
        if not os.access(part, os.F_OK):
            break
        place = part
    subject = f"folder {folder}"
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        return Finding(subject, "missing", f"{place}: may not be read and written", MEND)
    return Finding(subject, "ok", "may be written")
