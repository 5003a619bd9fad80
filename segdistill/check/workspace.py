"""A small project in a folder of its own, where trainings may be killed without a trace."""

import os
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML

from segdistill.data.catalogue import dataset_info
from segdistill.data.preparation import prepare
from segdistill.errors import SuiteError
from segdistill.pipeline.cells import SCRATCH
from segdistill.settings.loading import PARAMS, PROFILES, read_profile

STATE = (str(SCRATCH), "results")  # all that a training writes


def make_workspace(
    folder: Path, profile: str, dataset: str, methods: Sequence[str], seed: int, data: Path
) -> None:
    """Fill `folder` with a grid of one dataset and seed.

    Methods without a block in the profile get an empty one. `data` holds the prepared dataset;
    a drawn one is drawn there if it is missing. Raises SuiteError if a real one is.
    """
    read_profile(profile)
    yaml = YAML()
    recipe = yaml.load((PROFILES / f"{profile}.yaml").read_text(encoding="utf-8"))
    for method in methods:
        recipe["methods"].setdefault(method, {})
    _dump(yaml, recipe, folder / PROFILES / f"{profile}.yaml")
    grid = {"datasets": [dataset], "methods": list(methods), "seeds": [seed]}
    _dump(yaml, {"profile": profile, **grid}, folder / PARAMS)
    link = folder / "data" / dataset
    link.parent.mkdir()
    link.symlink_to(_prepared(dataset, data).resolve())


def temporaries(folder: Path) -> set[str]:
    """The half-written files in a workspace's state, as paths."""
    return {
        os.path.join(place, name)  # noqa: PTH118 - polled while a training runs
        for part in STATE
        for place, _, names in os.walk(folder / part)
        for name in names
        if name.endswith(".tmp")
    }


def _prepared(dataset: str, data: Path) -> Path:
    if not (data / "MANIFEST.json").is_file():
        if not dataset_info(dataset).synthetic:
            raise SuiteError(
                f"{data}/MANIFEST.json: missing; prepare the data with `segdistill data {dataset}`"
            )
        prepare(dataset, data, data)
    return data


def _dump(yaml: YAML, value: object, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(value, file)
