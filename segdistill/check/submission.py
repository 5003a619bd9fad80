"""All checks of a results folder, and what came of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from segdistill.check.dataset import dataset_faults
from segdistill.check.folder import Submitted, find_places, read
from segdistill.check.single import cell_faults
from segdistill.check.tables import table_faults
from segdistill.errors import SuiteError
from segdistill.statistics import MIN_SEEDS

COMMIT_LENGTH = 40


@dataclass(frozen=True)
class Verdict:
    """What was found in a folder."""

    cells: int  # trainings, teachers included
    violations: tuple[str, ...]  # one message each; any of them refuses the folder
    remarks: tuple[str, ...]  # what a reader should know, no reason to refuse


def check_submission(folder: Path) -> Verdict:
    """Hold `folder` (results/PROFILE) against every rule of docs/reproducing.md.

    Files of the folder are only read, none is executed or unpickled. Raises SuiteError if there
    is no such folder.
    """
    if not folder.is_dir():
        raise SuiteError(f"{folder}: no such folder; name a folder results/PROFILE")
    violations: list[str] = []
    places = find_places(folder, violations)
    found = [cell for place in places if (cell := read(place, folder, violations))]
    for cell in found:
        violations += [f"{cell.place.name}: {fault}" for fault in cell_faults(cell)]
    for dataset, cells in groupby(found, key=lambda cell: cell.place.dataset):
        violations += [f"{dataset}: {fault}" for fault in dataset_faults(list(cells))]
    if not found:
        violations.append("no complete cell was found")
    elif not violations:
        # Tables are made from the cells, so faults of the cells would show twice.
        violations += _table_faults(folder)
    return Verdict(len(places), tuple(violations), tuple(_remarks(found)))


def _table_faults(folder: Path) -> list[str]:
    """Faults of the tables; without their profile or a readable file they cannot be checked."""
    try:
        return table_faults(folder)
    except SuiteError as error:
        return [f"tables cannot be recomputed: {error}"]


def _remarks(cells: Sequence[Submitted]) -> Iterator[str]:
    dirty = [c for c in cells if len(c.run.git_commit or "") > COMMIT_LENGTH]
    loose = [c for c in cells if c.run.determinism != "exact"]
    absent = [c for c in cells if not (c.place.run / "weights.safetensors").is_file()]
    for marked, what in (
        (dirty, "made with files that differ from the recorded commit"),
        (loose, "trained without exact determinism"),
        (absent, "without weights here, whose sha256 was not checked"),
    ):
        if marked:
            yield f"{len(marked)} of {len(cells)} cells {what}"
    seeds = {c.place.seed for c in cells if c.place.seed is not None}
    if len(seeds) < MIN_SEEDS:
        yield f"{len(seeds)} seeds; a claim needs {MIN_SEEDS}"
