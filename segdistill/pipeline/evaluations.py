"""The evaluations of the matrix: their keys and what is already computed. Starts without torch."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from segdistill.digest.choices import evaluation_choices
from segdistill.digest.walk import code_digest
from segdistill.pipeline.cells import (
    SCRATCH,
    TEACHER,
    evaluation_folder,
    manifest_path,
    run_folder,
    weights_hash,
)
from segdistill.pipeline.seal import read_seal
from segdistill.records import file_hash
from segdistill.settings.loading import RunConfig, read_profile, student_run, teacher_run
from segdistill.settings.names import profile_name, seed_number
from segdistill.settings.schema import Evaluation

RECORD = "scores.json"


@dataclass(frozen=True)
class PlannedEvaluation:
    """One evaluation with everything that its key covers."""

    config: RunConfig
    recipe: Evaluation
    weights_sha256: str
    manifest: str
    code: str
    home: Path = SCRATCH  # of the scratch folder

    @property
    def key(self) -> str:
        """Equal keys give equal scores."""
        config = self.config.as_dict()
        parts = [
            [config[name] for name in ("profile", "dataset", "method", "seed", "data", "student")],
            [self.config.data.evaluate_split, self.recipe.model_dump(mode="json")],
            [self.weights_sha256, self.manifest, self.code],
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def scratch(self) -> Path:
        """Where its results wait to be published."""
        return self.home / "evaluations" / self.key

    @property
    def output(self) -> Path:
        """The published folder."""
        config = self.config
        return evaluation_folder(config.profile, config.dataset, config.method, config.seed)

    @property
    def done(self) -> bool:
        """Whether the results wait in the scratch folder, undamaged."""
        return read_seal(self.scratch) is not None


def plan_evaluation(
    profile: str, dataset: str, method: str, seed: int, weights: Path | None = None
) -> PlannedEvaluation:
    """The evaluation of a cell, of its published weights unless `weights` names others."""
    profile_name(profile)
    if method == TEACHER:
        config = teacher_run(profile, dataset)
    else:
        config = student_run(profile, dataset, method, seed_number(seed))
    return PlannedEvaluation(
        config=config,
        recipe=read_profile(profile).evaluate,
        weights_sha256=file_hash(weights)
        if weights
        else weights_hash(run_folder(profile, dataset, method, seed)),
        manifest=file_hash(manifest_path(dataset)),
        code=code_digest("evaluate", evaluation_choices(config)),
    )
