"""Weights on disk: what ships, what is refused, what fills a backbone."""

from pathlib import Path

import pytest
import torch
from harness_cases import SMALL, TEACHER, frozen_teacher, results, run, run_config
from safetensors.torch import load_file, save_file

from segdistill.errors import SuiteError
from segdistill.models.segmentor import build
from segdistill.models.weights import count_parameters, load_pretrained, load_weights, save_weights
from segdistill.records import file_hash
from segdistill.settings.loading import RunConfig
from segdistill.settings.schema import Network
from segdistill.training.determinism import tensors_hash
from segdistill.training.loop import TrainingJob, import_weights
from segdistill.training.student_trainer import StudentTrainer

CLASSES = 11
MOBILE = Network(
    decoder="pspnet", backbone="mobilenet_v2", head_width=8, pretrained="mobilenet_v2_imagenet"
)


def stored(folder: Path) -> Path:
    save_weights(folder / "weights.safetensors", frozen_teacher(CLASSES))
    return folder / "weights.safetensors"


def test_weights_come_back_bit_for_bit_without_the_auxiliary_head(tmp_path: Path) -> None:
    teacher, other = frozen_teacher(CLASSES), build(TEACHER, CLASSES)
    path = tmp_path / "weights.safetensors"
    digest = save_weights(path, teacher)
    kept = {n: t for n, t in teacher.state_dict().items() if not n.startswith("auxiliary.")}
    auxiliary = tensors_hash(other.auxiliary.state_dict())
    load_weights(path, other)
    assert digest == file_hash(path)
    assert tensors_hash(load_file(path)) == tensors_hash(kept)
    loaded = other.state_dict()
    assert tensors_hash({name: loaded[name] for name in kept}) == tensors_hash(kept)
    assert tensors_hash(other.auxiliary.state_dict()) == auxiliary
    assert count_parameters(other) == sum(p.numel() for p in teacher.backbone.parameters()) + sum(
        p.numel() for p in teacher.head.parameters()
    )


def test_the_same_weights_are_the_same_file(tmp_path: Path) -> None:
    first, second = (save_weights(tmp_path / name, frozen_teacher(CLASSES)) for name in "ab")
    assert first == second
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("recipe", "classes", "message"),
    [
        (SMALL, CLASSES, r"\w+.* is \(.*\), the network of the recipe needs \("),
        (TEACHER, 5, r"head.conv_seg.bias is \(11,\), the network of the recipe needs \(5,\)"),
        (TEACHER.model_copy(update={"depth": 34}), CLASSES, "lacks tensor 'backbone.layer1.2"),
        (TEACHER.model_copy(update={"decoder": "fcn"}), CLASSES, "lacks tensor 'head.conv_cat"),
    ],
)
def test_weights_of_another_network_are_refused(
    tmp_path: Path, recipe: Network, classes: int, message: str
) -> None:
    path, net = stored(tmp_path), build(recipe, classes)
    before = tensors_hash(net.state_dict())
    with pytest.raises(SuiteError, match=message) as caught:
        load_weights(path, net)
    assert str(path) in str(caught.value)
    assert tensors_hash(net.state_dict()) == before


@pytest.mark.parametrize("size", [0, 7, 2000])
def test_damaged_weights_are_named(tmp_path: Path, size: int) -> None:
    path = stored(tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(SuiteError, match=r"weights\.safetensors: not a readable safetensors file"):
        load_weights(path, build(TEACHER, CLASSES))


def write_backbone(folder: Path) -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    tensors: dict[str, torch.Tensor] = build(MOBILE, 3).backbone.state_dict()
    save_file(tensors, folder / "mobilenet_v2_imagenet.safetensors")
    return tensors


def test_pretrained_weights_fill_the_backbone_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKBONE_ROOT", str(tmp_path))
    tensors, config = write_backbone(tmp_path), run_config("student", student=MOBILE)
    plain = run_config("student", student=MOBILE.model_copy(update={"pretrained": None}))
    with_it, without = (trainer(each) for each in (config, plain))
    assert tensors_hash(with_it.net.backbone.state_dict()) == tensors_hash(tensors)
    assert tensors_hash(without.net.backbone.state_dict()) != tensors_hash(tensors)
    for part in ("head", "auxiliary"):
        heads = [getattr(each.net, part).state_dict() for each in (with_it, without)]
        assert tensors_hash(heads[0]) == tensors_hash(heads[1])


def trainer(config: RunConfig) -> StudentTrainer:
    return StudentTrainer(config, CLASSES, None, torch.device("cpu"))


def test_a_wrong_backbone_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKBONE_ROOT", str(tmp_path))
    path, net = tmp_path / "mobilenet_v2_imagenet.safetensors", build(MOBILE, 3)
    with pytest.raises(SuiteError, match="segdistill weights mobilenet_v2_imagenet"):
        load_pretrained(net, MOBILE)
    tensors = write_backbone(tmp_path)
    name = "conv1.conv.weight"
    save_file({**tensors, name: torch.zeros(32, 3, 5, 5)}, path)
    with pytest.raises(SuiteError, match=rf"{name} is \(32, 3, 5, 5\)"):
        load_pretrained(net, MOBILE)
    save_file({n: t for n, t in tensors.items() if n != name}, path)
    with pytest.raises(SuiteError, match=f"lacks tensor '{name}' \\(1 missing, 0 unknown\\)"):
        load_pretrained(net, MOBILE)
    save_file({**tensors, "fc.weight": torch.zeros(1)}, path)
    with pytest.raises(SuiteError, match=r"has an unknown tensor 'fc\.weight'"):
        load_pretrained(net, MOBILE)


def test_imported_weights_are_those_of_the_file(tmp_path: Path) -> None:
    source, folder = stored(tmp_path), tmp_path / "cell"
    folder.mkdir()
    import_weights(
        TrainingJob(run_config("teacher", student=TEACHER, terms=()), folder), source, CLASSES
    )
    assert (folder / "weights.safetensors").read_bytes() == source.read_bytes()
    assert (folder / "log.jsonl").read_bytes() == b""


def test_a_trained_student_loads_into_its_recipe(tmp_path: Path) -> None:
    (folder,) = run(tmp_path, [run_config("student")])
    net = build(SMALL, CLASSES)
    load_weights(folder / "weights.safetensors", net)
    again = tmp_path / "again"
    save_weights(again, net)
    assert again.read_bytes() == results(folder)[0]
