"""params.yaml of an experiment: what is accepted and what is refused."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from ruamel.yaml import YAML
from smoke_params import DATASET, FILE, ROOT, set_leaf, write

from segdistill.data.catalogue import dataset_info
from segdistill.distill import NetSpec
from segdistill.errors import SuiteError
from segdistill.settings.cell import Cell
from segdistill.settings.loading import (
    PARAMS,
    Term,
    data_root,
    experiment_names,
    method_terms,
    read_experiment,
    run_config,
)
from segdistill.settings.schema import Experiment
from segdistill.training.methods import build_method

NAMES = [path.parent.name for path in sorted((ROOT / "experiments").glob("*/params.yaml"))]


@pytest.mark.parametrize("name", [None, *NAMES])
def test_every_experiment_is_valid_to_the_last_field(
    name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    experiment = read_experiment(name)
    channels = {**{f"backbone.{stage}": 4 for stage in range(1, 5)}, "head.embedding": 4}
    for key in {*experiment.options, *experiment.methods}:
        for term in method_terms(experiment, key):
            classifier = torch.ones(11, 4)
            build_method(term, NetSpec(11, channels, classifier), NetSpec(11, channels, classifier))
    for dataset in experiment.datasets:
        info = dataset_info(dataset)
        source = experiment.data[dataset]
        splits = info.splits + info.derived_splits
        assert {source.train_split, source.evaluate_split} <= set(splits)
        assert source.train_split != source.evaluate_split
        assert not info.synthetic or "synthetic" in experiment.note.lower()
    assert experiment.networks.student != experiment.networks.teacher


def test_experiments_are_the_default_and_the_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert experiment_names() == ["scenes", *NAMES]
    assert read_experiment("scenes") == read_experiment(None)


@pytest.mark.parametrize("name", [2024, ["smoke"], None])
def test_a_default_experiment_whose_name_is_no_text(document: dict[str, Any], name: Any) -> None:
    YAML().dump({**document, "experiment": name}, PARAMS)
    with pytest.raises(SuiteError, match=r"experiment '2024': there is no experiments/2024/params"):
        read_experiment("2024")
    with pytest.raises(SuiteError, match=r"params.yaml: experiment: Input should be a valid str"):
        read_experiment()


def test_every_experiment_has_the_same_stages() -> None:
    """experiments/NAME/dvc.yaml is the one at the top but for its place."""
    top = (ROOT / "dvc.yaml").read_text()
    stages, views = top.split("# For `dvc metrics")
    stages = stages.replace("wdir: .\n", "wdir: ../..\n")
    stages = stages.replace("- params.yaml:", "- experiments/${experiment}/params.yaml:")
    expected = f"{stages}# For `dvc metrics{views.replace('results/', '../../results/')}"
    for name in NAMES:
        assert (ROOT / "experiments" / name / "dvc.yaml").read_text() == expected, name


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("sedes", [1], "sedes: unknown key; did you mean 'seeds'?"),
        ("statistics", {"resample": 1}, "statistics.resample: unknown key; did you mean 'res"),
        ("seeds", [0, 0], "seeds: Value error, an entry is listed twice"),
        ("seeds", [], "seeds: Tuple should have at least 1 item"),
        ("seeds", [-1], "seeds.0: Input should be greater than or equal to 0"),
        ("seeds", ["one"], "seeds.0: Input should be a valid integer"),
        ("seeds", [True], "seeds.0: Input should be a valid integer"),
        ("methods", ["teacher"], "'teacher' names the teacher's results"),
        ("methods", ["../kd"], "methods.0: String should match pattern"),
        ("methods", ["kd-cwd"], "methods.0: String should match pattern"),
        ("methods", ["kd0.1"], "methods.0: String should match pattern"),
        ("methods", ["kdd"], "options: no block 'kdd'; did you mean 'kd'?"),
        ("datasets", ["scenes_ade"], "data: no block 'scenes_ade'; did you mean 'scenes_"),
        ("options.kd", {"wieght": 1}, "options.kd: kd.wieght: unknown; did you mean 'weight'?"),
        ("options.kd", {"weight": "much"}, "options.kd: kd.weight: must be float, not 'much'"),
        ("options.kd", {"weight": True}, "options.kd: kd.weight: must be float, not True"),
        ("options.kd", {"method": "kdd"}, "unknown method 'kdd'; did you mean 'kd'?"),
        ("statistics.confidence", 1.5, "statistics.confidence: Input should be less than 1"),
        ("experiment", "other", "experiment: 'other' is not the folder's name"),
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
        ("options.kd", None, "options.kd: Input should be a valid dictionary"),
        ("data.scenes_voc", {"crop": [64]}, "data.scenes_voc.crop.1: Field required"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    document: dict[str, Any], place: str, value: Any, message: str
) -> None:
    set_leaf(document, place.split("."), value)
    write(document)
    with pytest.raises(SuiteError) as caught:
        read_experiment("smoke")
    assert message in str(caught.value)
    assert str(FILE) in str(caught.value)


def test_settings_are_read_without_torch() -> None:
    code = (
        "import sys\nfrom segdistill.settings.loading import *\n"
        "[read_experiment(name) for name in experiment_names()]\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_options_are_those_of_the_running_method(document: dict[str, Any]) -> None:
    """The defaults that were read from the source are those that the class has."""
    for name in document["options"]:
        write(document)
        (term,) = run_config(Cell("smoke", DATASET, name, 0)).terms
        spec = NetSpec(11, {"head.embedding": 4, "backbone.4": 4}, torch.ones(11, 4))
        method = build_method(term, spec, spec)
        for field in method.config.__dataclass_fields__:
            assert term.fields[field] == getattr(method.config, field), (name, field)


def test_missing_and_broken_files_are_named(document: dict[str, Any]) -> None:
    write(document)
    with pytest.raises(SuiteError, match=r"there is no .*smok/params\.yaml; did you mean 'smoke'"):
        read_experiment("smok")
    with pytest.raises(SuiteError, match=r"experiment '\.\./evil'"):
        read_experiment("../evil")
    with pytest.raises(SuiteError, match=r"params.yaml: cannot read \(No such file"):
        read_experiment(None)
    for content in (b"a: [1, 2", b"a: b: c", b"a: 1\na: 2\n", b"\xff\xfe\x00", b"\ta: 1"):
        FILE.write_bytes(content)
        with pytest.raises(SuiteError, match=r"params.yaml: not valid YAML \("):
            read_experiment("smoke")
    for content in (b"", b"- 1\n", b"text"):
        FILE.write_bytes(content)
        with pytest.raises(SuiteError, match=r"params\.yaml: the file: Input should be a valid"):
            read_experiment("smoke")


def test_a_block_names_one_method_or_several(document: dict[str, Any]) -> None:
    write(document)
    document["options"] |= {
        "warm_kd": {"method": "kd", "temperature": 4.0},
        "kd+cwd": {"method": ["kd", "cwd"], "kd": {"weight": 2.0}},
        "stray": {"method": ["kd", "cwd"], "weight": 2.0},
        "none": {"method": []},
        "twice": {"method": ["kd", "kd"]},
        "number": {"method": 3},
    }
    experiment = Experiment.model_validate(document)
    plain = {"weight": 1.0, "temperature": 1.0, "ignore": "keep"}
    assert method_terms(experiment, "kd") == (Term("kd", plain),)
    assert method_terms(experiment, "warm_kd") == (Term("kd", {**plain, "temperature": 4.0}),)
    first, second = method_terms(experiment, "kd+cwd")
    assert first == Term("kd", {**plain, "weight": 2.0})
    assert (second.method, second.fields["weight"]) == ("cwd", 3.0)
    for key, message in {
        "stray": "options.stray.weight: with several methods, put each one's fields under",
        "none": "options.none.method: needs a method's name or a list",
        "twice": "options.twice.method: needs a method's name or a list",
        "number": "options.number.method: needs a method's name or a list",
        "kdd": "options: no block 'kdd'; did you mean 'kd'",
    }.items():
        with pytest.raises(SuiteError) as caught:
            method_terms(experiment, key)
        assert message in str(caught.value)


def test_data_lie_where_they_are_drawn_named_or_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAMVID_ROOT", raising=False)
    with pytest.raises(SuiteError, match=r"`segdistill data camvid` installs it.* CAMVID_ROOT"):
        data_root("camvid", "CAMVID_ROOT", synthetic=False)
    installed = Path("data/camvid/files")
    installed.mkdir(parents=True)
    assert data_root("camvid", "CAMVID_ROOT", synthetic=False) == installed
    monkeypatch.setenv("CAMVID_ROOT", "~/camvid")
    found = data_root("camvid", "CAMVID_ROOT", synthetic=False)
    assert found == Path("~/camvid").expanduser()
    assert data_root(DATASET, None, synthetic=True) == Path("data") / DATASET
