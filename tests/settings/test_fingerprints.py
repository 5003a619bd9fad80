"""What of params.yaml decides a result: it is in the fingerprint, and its stage depends on it."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from smoke_params import DATASET, METHOD, ROOT, load_yaml, set_leaf, write

from segdistill.pipeline.cells import PlannedCell
from segdistill.pipeline.evaluations import PlannedEvaluation
from segdistill.settings.cell import TEACHER, Cell
from segdistill.settings.loading import RunConfig, read_experiment, run_config
from segdistill.settings.schema import Experiment


def config_of(method: str = METHOD, seed: int = 0) -> RunConfig:
    return run_config(Cell("smoke", DATASET, method, seed))


APART = ("experiment", "datasets", "methods", "seeds", "statistics")  # which cells, and the report


def leaves(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*place, key))
    else:
        yield place, value


CHOICES = {"pspnet": "fcn", "deeplabv3": "fcn", "deeplabv3plus": "fcn", "fcn": "pspnet",
           "resnet": "mobilenet_v2",
           "fp32": "bf16", "exact": "seeded", "train": "val", "test": "val"}  # fmt: skip
DEPTHS = {"depth": 50, "output_stride": 16}


def another(place: tuple[str, ...], value: Any) -> Any:
    """A valid value of the same kind that differs."""
    match value:
        case bool():
            return not value
        case int():
            return DEPTHS.get(place[-1], value + 1)
        case float():
            return value / 2 if value else 0.25
        case str():
            return CHOICES.get(value, value + "_changed")
        case None if place[-1] in ("source", "pretrained"):
            return "other"
        case None:
            return 18 if place[-1] == "depth" else 3
        case list() | tuple():
            return [another(place, item) for item in value]
    return {"method": "dist"}


def keys() -> dict[str, dict[str, str | None]]:
    """What decides each stage's results: fingerprints, the evaluation's key, the note."""
    experiment = read_experiment("smoke")
    student, teacher = config_of(), config_of(TEACHER)
    cells = {
        "train": PlannedCell(student, "c", "m", "t"),
        "teacher": PlannedCell(teacher, "c", "m", None),
    }
    evaluations = {
        "evaluate": PlannedEvaluation(student, experiment.evaluate, "w", "m", "c"),
        "evaluate_teacher": PlannedEvaluation(teacher, experiment.evaluate, "w", "m", "c"),
    }
    return {
        **{n: {"key": cell.fingerprint, "note": experiment.note} for n, cell in cells.items()},
        **{name: {"key": plan.key} for name, plan in evaluations.items()},
    }


def tracked(stage: str) -> list[str]:
    """The experiment's keys on which `stage` depends, for the cell of these tests."""
    entry = load_yaml(ROOT / "dvc.yaml")["stages"][stage]
    (found,) = [item for item in entry["params"] if isinstance(item, dict)]
    ((_, names),) = found.items()
    return [
        name.replace("${item.dataset}", DATASET).replace("${item.method}", METHOD) for name in names
    ]


def test_stages_track_every_key_that_their_results_depend_on(document: dict[str, Any]) -> None:
    """Changes each key of the file in turn: who depends on it says so, and it matters to some.

    No stage depends on how work is carried out, on the grid or on other cells' blocks.
    """
    full: dict[str, Any] = Experiment.model_validate(document).model_dump(
        mode="json", by_alias=True
    )
    write(full)
    before, parameters = keys(), {stage: tracked(stage) for stage in keys()}
    seen = dict.fromkeys(before, 0)
    for place, value in leaves(full):
        if place[0] in APART:
            continue
        changed = deepcopy(full)
        set_leaf(changed, list(place), another(place, value))
        write(changed)
        name = ".".join(place)
        stages = {stage for stage, key in keys().items() if before[stage] != key}
        for stage in stages:
            seen[stage] += 1
            covered = any(f"{name}.".startswith(f"{key}.") for key in parameters[stage])
            assert covered, f"{stage} depends on {name} without saying so"
        assert bool(stages) == matters(place), name
    assert seen["train"] > 40, seen
    assert all(count > 5 for count in seen.values()), seen


def matters(place: tuple[str, ...]) -> bool:
    """Whether a key decides any result of the cell of these tests."""
    if place[0] in ("data", "options"):
        return place[1] in (DATASET, METHOD)
    return place[0] not in ("about", "execution")


def test_code_data_and_teacher_change_the_fingerprint(document: dict[str, Any]) -> None:
    write(document)
    config = config_of()
    prints = {
        PlannedCell(config, *parts).fingerprint
        for parts in (
            ("c", "m", "t"),
            ("C", "m", "t"),
            ("c", "M", "t"),
            ("c", "m", "T"),
            ("c", "m", "t", "pretrained"),
        )
    }
    other = config_of(seed=1)
    prints |= {PlannedCell(other, "c", "m", "t").fingerprint}
    prints |= {PlannedCell(config_of("cwd"), "c", "m", "t").fingerprint}
    assert len(prints) == 7
    scratches = (
        PlannedCell(config, "c", "m", "t").scratch,
        PlannedCell(other, "c", "m", "t").scratch,
    )
    assert scratches[0] != scratches[1]
