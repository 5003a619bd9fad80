"""A network from elsewhere is written once every tensor fits and its score reaches the floor."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from data_files import write_dataset

from segdistill.data.splits import Split, open_split
from segdistill.errors import SuiteError
from segdistill.models.segmentor import build
from segdistill.models.weights import load_weights
from segdistill.pipeline import acceptance
from segdistill.pipeline.acceptance import Request, accept
from segdistill.records import file_hash
from segdistill.settings.loading import read_experiment

ROOT = Path(__file__).resolve().parents[2]
CLASSES = 11


@pytest.fixture
def request_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    """A zoo's checkpoint of the smoke experiment's teacher, and a split of three images."""
    monkeypatch.chdir(ROOT)
    split = open_split("camvid", write_dataset("camvid", tmp_path / "data"), "test")

    def opened(dataset: str, source: object, name: str) -> Split:
        del dataset, source
        return Split(split.info, name, split.root, split.pairs)

    monkeypatch.setattr(acceptance, "open_data", opened)
    save(tmp_path / "zoo.pth", CLASSES)
    return Request(
        source=tmp_path / "zoo.pth",
        target=tmp_path / "teacher.safetensors",
        experiment="smoke",
        role="teacher",
        dataset="scenes_camvid",
        floor=0.0,
    )


def save(path: Path, classes: int, part: str = "") -> None:
    torch.manual_seed(0)
    net = build(read_experiment("smoke").networks.teacher, classes)
    state = {n.replace("head.", "decode_head.", 1): t for n, t in net.state_dict().items()}
    kept = {n.removeprefix(part): t for n, t in state.items() if n.startswith(part)}
    torch.save({"state_dict": kept}, path)


def test_what_reaches_the_floor_is_written_with_its_record(request_: Request) -> None:
    told = accept(request_)
    record = json.loads(request_.target.with_suffix(".json").read_text())
    assert record["sha256"] == file_hash(request_.target)
    assert record["source_sha256"] == file_hash(request_.source)
    assert record["score"]["images"] == 3
    assert record["score"]["split"] == "test"
    assert 0 <= record["score"]["miou"] < 0.3
    assert f"mIoU {100 * record['score']['miou']:.2f} % on 3 images" in "\n".join(told)
    net = build(read_experiment("smoke").networks.teacher, CLASSES)
    load_weights(request_.target, net)
    original = torch.load(request_.source, weights_only=True)["state_dict"]
    assert torch.equal(net.head.conv_seg.bias, original["decode_head.conv_seg.bias"])


def test_the_split_may_be_named(request_: Request) -> None:
    accept(replace(request_, split="val"))
    record = json.loads(request_.target.with_suffix(".json").read_text())
    assert record["score"]["split"] == "val"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"floor": 0.9},
            r"zoo.pth: mIoU [\d.]+ % on 3 images .* below the floor of 90 %; not taken",
        ),
        ({"floor": None}, r"what must it reach\? Give --floor PERCENT"),
        ({"dataset": "scenes_voc"}, r"tells 11 classes apart, scenes_voc has 21"),
        ({"role": "student"}, r"the experiment's network needs|it is another network"),
    ],
)
def test_what_is_not_as_asked_leaves_nothing(
    request_: Request, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(SuiteError, match=message):
        accept(replace(request_, **changes))  # type: ignore[arg-type]
    assert not request_.target.exists()
    assert not request_.target.with_suffix(".json").exists()


def test_without_data_it_says_how_to_go_on(
    request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*_: object) -> Split:
        raise SuiteError("data.x.root is not set")

    monkeypatch.setattr(acceptance, "open_data", absent)
    with pytest.raises(SuiteError, match="root is not set; or convert it unscored with --no-eval"):
        accept(request_)
    assert "not scored" in accept(replace(request_, score=False, floor=None))
    assert "score" not in json.loads(request_.target.with_suffix(".json").read_text())


def test_a_backbone_alone_is_checked_by_its_tensors(request_: Request) -> None:
    save(request_.source, CLASSES, part="backbone.")
    told = accept(request_)
    assert any("checked by its tensors alone" in line for line in told)
