"""A small project in a folder of its own, where trainings may be killed without a trace."""

from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML

from segdistill.settings.loading import PARAMS, PROFILES, read_profile


def make_project(
    folder: Path, profile: str, dataset: str, methods: Sequence[str], seed: int, data: Path
) -> None:
    """Fill `folder` with a grid of one dataset and seed; `data` holds the prepared dataset.

    Methods without a block in the profile get an empty one.
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
    link.symlink_to(data.resolve())


def _dump(yaml: YAML, value: object, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(value, file)
