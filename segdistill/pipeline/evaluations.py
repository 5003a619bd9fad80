"""Evaluations as they would be made now: their keys and what is already computed.

Starts without torch.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from segdistill.digest.choices import evaluation_choices
from segdistill.digest.walk import code_digest
from segdistill.pipeline.cells import SCRATCH, manifest_hash, weights_hash
from segdistill.pipeline.seal import read_seal
from segdistill.records import file_hash
from segdistill.settings.cell import Cell
from segdistill.settings.loading import RunConfig, read_experiment, run_config
from segdistill.settings.schema import Evaluation

RECORD = "scores.json"
KEYS = ("experiment", "dataset", "method", "seed", "data", "student")  # of what is scored


@dataclass(frozen=True)
class PlannedEvaluation:
    """One evaluation with everything that its key covers."""

    config: RunConfig
    recipe: Evaluation
    weights_sha256: str
    data: str  # sha256 of the data manifest
    code: str  # its digest
    home: Path = SCRATCH  # of the scratch folder

    @property
    def cell(self) -> Cell:
        """Whose evaluation it is."""
        return self.config.cell

    @property
    def key(self) -> str:
        """Equal keys give equal scores."""
        config = self.config.as_dict()
        parts = [
            [config[name] for name in KEYS],
            [self.config.data.evaluate_split, self.recipe.model_dump(mode="json")],
            [self.weights_sha256, self.data, self.code],
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def scratch(self) -> Path:
        """Where its results wait to be published."""
        return self.home / "evaluations" / self.key

    @property
    def done(self) -> bool:
        """Whether the results wait in the scratch folder, undamaged."""
        return read_seal(self.scratch) is not None


def plan_evaluation(cell: Cell, weights: Path | None = None) -> PlannedEvaluation:
    """The evaluation of a cell, of its published weights unless `weights` names others."""
    config = run_config(cell)
    return PlannedEvaluation(
        config=config,
        recipe=read_experiment(cell.experiment).evaluate,
        weights_sha256=file_hash(weights) if weights else weights_hash(cell.run_dir),
        data=manifest_hash(cell.dataset),
        code=code_digest("evaluate", evaluation_choices(config)),
    )
