"""Scoring published weights again and training a published run again, in a temporary folder."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segdistill.check.published import Published
from segdistill.errors import SuiteError
from segdistill.pipeline.cells import PlannedCell, plan
from segdistill.pipeline.evaluations import PlannedEvaluation, plan_evaluation
from segdistill.pipeline.lock import locked
from segdistill.pipeline.seal import read_seal
from segdistill.pipeline.worker import evaluate_plan, pick_device, train_cells
from segdistill.records import file_hash, read_scores
from segdistill.stop import StopRequest

HASHES = ("weights_sha256", "initial_weights_sha256", "order_sha256")


def evaluate_again(cell: Published) -> Iterator[str]:
    """Score the cell's weights, which must be there: a line if any file comes out different.

    Of scores.json the measured cost may differ. Raises SuiteError if data or recipe are missing.
    """
    with tempfile.TemporaryDirectory(prefix="check-") as home:
        planned = _evaluation(cell, cell.weights, Path(home))
        now = evaluate_plan(planned, cell.weights)
        made, found = _contents(planned.scratch), _contents(cell.evaluation)
    different = sorted(n for n in made.keys() | found.keys() if made.get(n) != found.get(n))
    if different:
        scores = f"miou {cell.scores.miou} published, {now.miou} now"
        yield f"{cell.evaluation}: evaluated again, {', '.join(different)} differs; {scores}"


def train_again(cell: Published) -> Iterator[str]:
    """Train the cell anew: a line if weights, log, start or order of the data come out different.

    The published weights need not be there, their hash is in the record. Raises SuiteError if
    recipe, data or teacher are missing, Stopped if asked to stop.
    """
    with tempfile.TemporaryDirectory(prefix="check-") as home:
        planned = replace(plan(cell.cell), home=Path(home))
        with locked(planned.scratch):
            stop = StopRequest()
            stop.listen()
            train_cells([planned], pick_device(), stop)
        facts, log = _facts(planned), planned.scratch / "log.jsonl"
        different = [key for key in HASHES if facts[key] != getattr(cell.run, key)]
        if file_hash(log) != file_hash(cell.folder / log.name):
            different.append(log.name)
        if different:
            why = _why(cell, planned, facts["environment"])
            yield f"{cell.folder}: trained again, {', '.join(different)} differs; {why}"


def _evaluation(cell: Published, weights: Path, home: Path) -> PlannedEvaluation:
    return replace(plan_evaluation(cell.cell, weights), home=home)


def _contents(folder: Path) -> dict[str, object]:
    files = (path for path in folder.rglob("*") if path.name not in ("seal.json", "lock"))
    return {str(path.relative_to(folder)): _content(path) for path in files if path.is_file()}


def _content(path: Path) -> object:
    """What a file of an evaluation holds, however it is compressed and without the cost."""
    if path.name == "scores.json":
        return read_scores(path).model_dump(exclude={"cost"})
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name].tobytes() for name in arrays.files}
    if path.suffix == ".png":
        with Image.open(path) as image:
            return np.asarray(image).tobytes()
    return path.read_bytes()


def _facts(planned: PlannedCell) -> dict[str, Any]:
    """What the repetition found out about itself."""
    sealed = read_seal(planned.scratch)
    if sealed is None:
        raise SuiteError(f"{planned.scratch}: the repetition's files were changed from outside")
    summary = json.loads((planned.scratch / "summary.json").read_text(encoding="utf-8"))
    return {**summary, **sealed.facts}


def _why(cell: Published, planned: PlannedCell, environment: Mapping[str, Any]) -> str:
    """How far the scores lie apart, and what the machines do."""
    weights = planned.scratch / "weights.safetensors"
    miou = evaluate_plan(_evaluation(cell, weights, planned.home), weights).miou
    machines = (
        f"; {key} {recorded} published, {value} here"
        for key, value in environment.items()
        if (recorded := cell.run.environment.get(key)) != value
    )
    return f"miou {cell.scores.miou} published, {miou} now{''.join(machines)}"
