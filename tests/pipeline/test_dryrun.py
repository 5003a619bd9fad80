"""A dry run knows how many parameters a network must have, and sees a step that fails."""

from pathlib import Path

import pytest
import torch

from segdistill.dryrun import networks
from segdistill.dryrun.counts import PUBLISHED, backbone_parameters, head_parameters
from segdistill.dryrun.networks import build_networks, examine
from segdistill.dryrun.steps import Setting, open_setting, step, step_methods
from segdistill.models import vision  # noqa: F401  torchvision needs it
from segdistill.settings.loading import read_profile
from segdistill.settings.schema import Network

ROOT = Path(__file__).resolve().parents[2]
PAPER = ("paper-deeplabv3-r18", "paper-pspnet-r18", "paper-deeplabv3-mobilenetv2")


@pytest.fixture(autouse=True)
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_the_published_counts_are_torchvisions() -> None:
    from torchvision.models import get_model_weights

    for name, count in PUBLISHED.items():
        assert next(iter(get_model_weights(name))).meta["num_params"] == count, name


def network(decoder: str, backbone: str, **changes: object) -> Network:
    recipe = {"decoder": decoder, "backbone": backbone, "depth": 18, "head_width": 24} | changes
    return Network.model_validate(recipe)


@pytest.mark.parametrize(
    ("recipe", "classes", "parameters"),
    [
        (network("pspnet", "resnet", head_width=128), 19, 12_641_267),
        (network("deeplabv3", "mobilenet_v2", depth=None, head_width=128), 19, 3_740_819),
        (network("fcn", "resnet", output_stride=32), 5, None),
        (network("deeplabv3", "resnet", width=8, output_stride=16), 5, None),
        (network("deeplabv3plus", "mobilenet_v2", depth=None, output_stride=16), 11, None),
        (network("pspnet", "mobilenet_v2", widen=0.5, output_stride=16), 5, None),
    ],
)
def test_networks_are_as_expected(recipe: Network, classes: int, parameters: int | None) -> None:
    built = examine("student", "x", recipe, classes)
    assert built.faults == ()
    assert built.stride == recipe.output_stride
    assert parameters in (None, built.parameters)
    assert "as expected" in built.line


def test_the_teacher_of_the_paper_profiles_by_arithmetic() -> None:
    for name in PAPER:
        teacher = read_profile(name).networks.teacher
        assert backbone_parameters(teacher) == 42_519_392
        assert head_parameters(teacher, 256, 2048, 19) == 42_221_075


def test_a_network_that_is_not_as_expected_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "backbone_parameters", lambda _: 7)
    monkeypatch.setattr(networks, "output_stride", lambda _: 4)
    line = examine("student", "x", network("fcn", "resnet", width=8), 5).line
    assert "backbone has 176,092 parameters, 7 expected" in line
    assert "output stride 4, 8 expected" in line


def test_every_dataset_has_its_classes() -> None:
    built = list(build_networks(read_profile("smoke")))
    assert [(each.role, each.dataset) for each in built] == [
        ("teacher", "scenes_camvid"),
        ("student", "scenes_camvid"),
    ]


@pytest.fixture(scope="module")
def setting() -> Setting:
    import os

    os.chdir(ROOT)
    return open_setting(read_profile("smoke"), "scenes_camvid")


def test_one_step_of_every_method() -> None:
    found = list(step_methods("smoke", read_profile("smoke"), "scenes_camvid"))
    assert [each.method for each in found] == list(read_profile("smoke").grid.methods)
    for each in found:
        assert each.faults == ()
        assert each.terms["loss"] > 0
    assert "cwd/channel" in next(each.line for each in found if each.method == "cwd")


def test_a_step_that_fails_or_diverges_is_a_fault(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segdistill.training.student_trainer import StudentTrainer

    def broken(*_: object) -> dict[str, torch.Tensor]:
        raise RuntimeError("maps of another size\nand a long text")

    monkeypatch.setattr(StudentTrainer, "training_step", broken)
    assert step("smoke", "scenes_camvid", "kd", setting).faults == ("maps of another size",)
    monkeypatch.setattr(
        StudentTrainer, "training_step", lambda *_: {"loss": torch.tensor(float("nan"))}
    )
    found = step("smoke", "scenes_camvid", "kd", setting)
    assert found.faults == ("loss is nan", "the weights did not move")
    assert found.line.endswith("loss is nan; the weights did not move")
