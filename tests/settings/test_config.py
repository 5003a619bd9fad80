"""params.yaml and profiles: what is accepted, what is refused, and what a fingerprint covers."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from ruamel.yaml import YAML

from segdistill.data.catalogue import dataset_info
from segdistill.distill import NetSpec
from segdistill.errors import SuiteError
from segdistill.pipeline.cells import PlannedCell
from segdistill.pipeline.evaluations import PlannedEvaluation
from segdistill.settings.loading import (
    Term,
    data_root,
    method_terms,
    read_params,
    read_profile,
    student_run,
    teacher_run,
)
from segdistill.settings.schema import DataSource, Profile
from segdistill.training.methods import build_method

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted(path.stem for path in (ROOT / "experiments/profiles").glob("*.yaml"))
DATASET, METHOD = "scenes_camvid", "kd"


def load_yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def dump_yaml(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    YAML().dump(value, path)


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The smoke profile as plain values; the working folder is empty."""
    monkeypatch.chdir(tmp_path)
    value: dict[str, Any] = load_yaml(ROOT / "experiments/profiles/smoke.yaml")
    return value


def write(document: dict[str, Any]) -> None:
    dump_yaml(Path("experiments/profiles/smoke.yaml"), document)


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_valid_to_the_last_field(name: str) -> None:
    folder = ROOT / "experiments/profiles"
    profile = read_profile(name, folder)
    channels = {**{f"backbone.{stage}": 4 for stage in range(1, 5)}, "head.embedding": 4}
    for key in {*profile.methods, *profile.grid.methods}:
        for term in method_terms(profile, key, folder / f"{name}.yaml"):
            classifier = torch.ones(11, 4)
            build_method(term, NetSpec(11, channels, classifier), NetSpec(11, channels, classifier))
    for dataset in profile.grid.datasets:
        info = dataset_info(dataset)
        source = profile.data[dataset]
        splits = info.splits + info.derived_splits
        assert {source.train_split, source.evaluate_split} <= set(splits)
        assert source.train_split != source.evaluate_split
        assert not info.synthetic or "synthetic" in profile.note.lower()
    assert profile.networks.student != profile.networks.teacher


def test_params_hold_the_grid_of_the_active_profile() -> None:
    params = read_params(ROOT / "params.yaml")
    grid = read_profile(params.profile, ROOT / "experiments/profiles").grid
    assert params.datasets == grid.datasets
    assert params.methods == grid.methods
    assert params.seeds == grid.seeds


PARAMS = {"profile": "smoke", "datasets": [DATASET], "methods": ["kd"], "seeds": [0]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sedes": [1]}, "params.yaml: sedes: unknown key; did you mean 'seeds'?"),
        ({"statistics": {"resample": 1}}, "statistics.resample: unknown key; did you mean 'res"),
        ({"seeds": [0, 0]}, "params.yaml: seeds: Value error, an entry is listed twice"),
        ({"seeds": []}, "params.yaml: seeds: Tuple should have at least 1 item"),
        ({"seeds": [-1]}, "seeds.0: Input should be greater than or equal to 0"),
        ({"seeds": ["one"]}, "seeds.0: Input should be a valid integer"),
        ({"methods": ["teacher"]}, "'teacher' names the teacher's results"),
        ({"methods": ["../kd"]}, "methods.0: String should match pattern"),
        ({"methods": ["kd-cwd"]}, "methods.0: String should match pattern"),
        ({"statistics": {"confidence": 1.5}}, "statistics.confidence: Input should be less than 1"),
    ],
)
def test_wrong_params_are_refused_by_name(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = tmp_path / "params.yaml"
    dump_yaml(path, {**PARAMS, **changes})
    with pytest.raises(SuiteError) as caught:
        read_params(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("train.learning_rat", 1, "train.learning_rat: unknown key; did you mean 'learning_rate'?"),
        ("networks.student.wdith", 8, "networks.student.wdith: unknown key; did you mean 'width'?"),
        ("data.scenes_camvid.limit.trian", 8, "limit.trian: unknown key; did you mean 'train'?"),
        ("training", {}, "training: unknown key; did you mean 'train'?"),
        ("train.steps", 0, "train.steps: Input should be greater than 0"),
        ("train.learning_rate", float("nan"), "train.learning_rate: Input should be greater"),
        ("train.determinism", "loose", "train.determinism: Input should be 'exact', 'seeded'"),
        ("networks.student.width", 4, "networks.student.width: Input should be greater than or eq"),
        ("networks.teacher.depth", 19, "networks.teacher.depth: Input should be 18, 34, 50"),
        ("networks.teacher.decoder", "unet", "networks.teacher.decoder: Input should be 'pspnet'"),
        ("methods.kd", None, "methods.kd: Input should be a valid dictionary"),
        ("data.scenes_voc", {"crop": [64]}, "data.scenes_voc.crop.1: Field required"),
    ],
)
def test_wrong_profiles_are_refused_by_name(
    document: dict[str, Any], place: str, value: Any, message: str
) -> None:
    set_leaf(document, place.split("."), value)
    write(document)
    with pytest.raises(SuiteError) as caught:
        read_profile("smoke")
    assert message in str(caught.value)
    assert "experiments/profiles/smoke.yaml" in str(caught.value)


def test_missing_and_broken_files_are_named(document: dict[str, Any], tmp_path: Path) -> None:
    write(document)
    with pytest.raises(SuiteError, match=r"smok\.yaml: no such profile; did you mean 'smoke'"):
        read_profile("smok")
    with pytest.raises(SuiteError, match=r"params.yaml: cannot read \(No such file"):
        read_params()
    for content in (b"a: [1, 2", b"a: b: c", b"a: 1\na: 2\n", b"\xff\xfe\x00", b"\ta: 1"):
        (tmp_path / "params.yaml").write_bytes(content)
        with pytest.raises(SuiteError, match=r"params.yaml: not valid YAML \("):
            read_params()
    for content in (b"", b"- 1\n", b"text"):
        (tmp_path / "params.yaml").write_bytes(content)
        with pytest.raises(
            SuiteError, match=r"params\.yaml: the file: Input should be a valid dict"
        ):
            read_params()


def test_a_block_names_one_method_or_several(document: dict[str, Any]) -> None:
    document["methods"] |= {
        "warm_kd": {"method": "kd", "temperature": 4.0},
        "kd+cwd": {"method": ["kd", "cwd"], "kd": {"weight": 2.0}},
        "stray": {"method": ["kd", "cwd"], "weight": 2.0},
        "none": {"method": []},
        "twice": {"method": ["kd", "kd"]},
        "number": {"method": 3},
    }
    profile = Profile.model_validate(document)
    path = Path("smoke.yaml")
    assert method_terms(profile, "kd", path) == (Term("kd", {}),)
    assert method_terms(profile, "warm_kd", path) == (Term("kd", {"temperature": 4.0}),)
    both = method_terms(profile, "kd+cwd", path)
    assert both == (Term("kd", {"weight": 2.0}), Term("cwd", {}))
    for key, message in {
        "stray": "methods.stray.weight: with several methods, put each one's fields under",
        "none": "methods.none.method: needs a method's name or a list",
        "twice": "methods.twice.method: needs a method's name or a list",
        "number": "methods.number.method: needs a method's name or a list",
        "kdd": "methods: no block 'kdd'; did you mean 'kd'",
    }.items():
        with pytest.raises(SuiteError) as caught:
            method_terms(profile, key, path)
        assert message in str(caught.value)


def test_the_root_is_the_recipes_or_the_environments_or_as_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = DataSource(crop=(64, 64))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAMVID_ROOT", raising=False)
    with pytest.raises(SuiteError, match=r"data\.camvid\.root is not set: name the folder"):
        data_root(source, "camvid", "CAMVID_ROOT", synthetic=False)
    installed = Path("data/camvid/files")
    installed.mkdir(parents=True)
    assert data_root(source, "camvid", "CAMVID_ROOT", synthetic=False) == installed
    monkeypatch.setenv("CAMVID_ROOT", "~/camvid")
    found = data_root(source, "camvid", "CAMVID_ROOT", synthetic=False)
    assert found == Path("~/camvid").expanduser()
    named = source.model_copy(update={"root": "/elsewhere"})
    assert data_root(named, "camvid", "CAMVID_ROOT", synthetic=False) == Path("/elsewhere")
    assert data_root(named, DATASET, None, synthetic=True) == Path("data") / DATASET


def set_leaf(document: dict[str, Any], place: list[str], value: Any) -> None:
    for key in place[:-1]:
        document = document[key]
    document[place[-1]] = value


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
        case None if place[-1] in ("root", "source", "pretrained"):
            return "other"
        case None:
            return 18 if place[-1] == "depth" else 3
        case list() | tuple():
            return [another(place, item) for item in value]
    return {"weight": 0.5}


def keys() -> dict[str, dict[str, str | None]]:
    """What decides each stage's results: fingerprints, the evaluation's key, the note."""
    note = read_profile("smoke").note
    student = student_run("smoke", DATASET, METHOD, 0)
    teacher = teacher_run("smoke", DATASET)
    recipe = read_profile("smoke").evaluate
    cells = {
        "train": PlannedCell(student, "c", "m", "t"),
        "teacher": PlannedCell(teacher, "c", "m", None),
    }
    evaluations = {
        "evaluate": PlannedEvaluation(student, recipe, "w", "m", "c"),
        "evaluate_teacher": PlannedEvaluation(teacher, recipe, "w", "m", "c"),
    }
    return {
        **{name: {"key": cell.fingerprint, "note": note} for name, cell in cells.items()},
        **{name: {"key": plan.key} for name, plan in evaluations.items()},
        "prepare": {"source": read_profile("smoke").data[DATASET].model_dump_json()},
    }


def tracked(stage: str) -> list[str]:
    """The profile's keys on which `stage` depends, for the cell of these tests."""
    entry = load_yaml(ROOT / "dvc.yaml")["stages"][stage]
    (found,) = [item for item in entry["params"] if isinstance(item, dict)]
    ((_, names),) = found.items()
    return [
        name.replace("${item.dataset}", DATASET).replace("${item.method}", METHOD) for name in names
    ]


def test_stages_track_every_key_that_their_results_depend_on(document: dict[str, Any]) -> None:
    """Changes each key of the profile in turn: who depends on it says so, and it matters to some.

    No stage depends on how work is carried out, on the grid or on other cells' blocks.
    """
    full: dict[str, Any] = Profile.model_validate(document).model_dump(mode="json")
    write(full)
    before, parameters = keys(), {stage: tracked(stage) for stage in keys()}
    seen = dict.fromkeys(before, 0)
    for place, value in leaves(full):
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
    """Whether a key of the profile decides any result of the cell of these tests."""
    if place[0] in ("data", "methods"):
        return place[1] in (DATASET, METHOD)
    return place[0] not in ("about", "grid", "execution")


def test_code_data_and_teacher_change_the_fingerprint(document: dict[str, Any]) -> None:
    write(document)
    config = student_run("smoke", DATASET, METHOD, 0)
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
    other = student_run("smoke", DATASET, METHOD, 1)
    prints |= {PlannedCell(other, "c", "m", "t").fingerprint}
    prints |= {PlannedCell(student_run("smoke", DATASET, "cwd", 0), "c", "m", "t").fingerprint}
    assert len(prints) == 7
    scratches = (
        PlannedCell(config, "c", "m", "t").scratch,
        PlannedCell(other, "c", "m", "t").scratch,
    )
    assert scratches[0] != scratches[1]
