"""A small project in a folder of its own, where trainings may be killed without a trace."""

from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML

from segdistill.settings.loading import PARAMS, params_path


def make_project(
    folder: Path, experiment: str, dataset: str, methods: Sequence[str], seed: int, data: Path
) -> None:
    """Make `folder` a project whose default experiment is `experiment` with one dataset and seed.

    Methods without a block of options get an empty one. `data` holds the prepared dataset.
    """
    yaml = YAML()
    params = yaml.load(params_path(experiment).read_text(encoding="utf-8"))
    params |= {"datasets": [dataset], "methods": list(methods), "seeds": [seed]}
    for method in methods:
        params["options"].setdefault(method, {})
    with (folder / PARAMS).open("w", encoding="utf-8") as file:
        yaml.dump(params, file)
    link = folder / "data" / dataset
    link.parent.mkdir()
    link.symlink_to(data.resolve())
