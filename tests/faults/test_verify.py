"""`verify` and `audit`: a run is what its record says, or it is said what is not."""

import argparse
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from segdistill.commands import audit, verify
from segdistill.commands.cli import main
from segdistill.errors import SuiteError

RUN = Path("results/smoke/runs/scenes_camvid/pcd/seed0")
TEACHER = Path("results/smoke/teachers/scenes_camvid")
EVALUATION = Path("results/smoke/evals/scenes_camvid/pcd/seed0")


def status(command: Callable[[argparse.Namespace], int], run: Path = RUN) -> int:
    return command(argparse.Namespace(folder=run))


def edit(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def flip(path: Path, place: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("run", [RUN, TEACHER])
def test_a_fresh_run_is_as_recorded(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(verify.run, run) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 9
    assert all(line.endswith(": as recorded") for line in lines)


@pytest.mark.usefixtures("project")
def test_the_command_line_names_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["segdistill", "verify", "results/nowhere"])
    with pytest.raises(SuiteError, match=r"nowhere/run.json: cannot read"):
        main()
    monkeypatch.setattr("sys.argv", ["segdistill", "verify", str(TEACHER)])
    assert main() == 0
    assert "evaluation, area by area: as recorded" in capsys.readouterr().out


def damage_image() -> None:
    link = Path("data/scenes_camvid")
    drawn = link.resolve()
    link.unlink()
    shutil.copytree(drawn, link)
    flip(next(link.glob("train/*.png")))


def damage_log() -> None:
    lines = (RUN / "log.jsonl").read_text().splitlines()
    (RUN / "log.jsonl").write_text("\n".join(lines[:-1]))


def damage_profile() -> None:
    path = Path("experiments/profiles/smoke.yaml")
    text = path.read_text()
    changed = re.sub(r"^train: *\{?", "\\g<0>power: 0.8, ", text, flags=re.M)
    assert changed != text
    path.write_text(changed)


def damage_finiteness() -> None:
    lines = (RUN / "log.jsonl").read_text().splitlines()
    lines[-1] = re.sub(r'"loss": [^,}]+', '"loss": NaN', lines[-1])
    (RUN / "log.jsonl").write_text("\n".join(lines))


def damage_areas() -> None:
    arrays = dict(np.load(EVALUATION / "areas.npz"))
    arrays["intersection"][0, 0] -= 1
    np.savez_compressed(EVALUATION / "areas.npz", **arrays)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda: flip(RUN / "weights.safetensors"), "weights.safetensors: is .*, recorded"),
        (damage_image, "files of the dataset: 1 at fault: .*sha256 is not the manifest's"),
        (damage_finiteness, "log.jsonl: holds NaN or Inf"),
        (damage_log, "log.jsonl: its steps do not ascend to 5"),
        (lambda: flip(Path("data/scenes_camvid/MANIFEST.json").resolve(), -2), "MANIFEST.json: is"),
        (lambda: edit(RUN / "run.json", seed=1), "place: run.json is that of .*seed1"),
        (lambda: edit(RUN / "run.json", fingerprint="0" * 32), "fingerprint in run.json: is"),
        (lambda: edit(RUN / "run.json", order_sha256="0" * 64), "order of the training images: is"),
        (lambda: edit(RUN / "run.json", code_digest="0" * 64), "code: .*has changed since"),
        (damage_profile, "recipe: changed since: training"),
        (lambda: edit(EVALUATION / "scores.json", miou=0.9), "scores.json: miou 0.9 published"),
        (damage_areas, "evaluation, area by area: areas.npz"),
    ],
)
def test_each_deviation_is_named(
    damage: Callable[[], None], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = Path("data/scenes_camvid/MANIFEST.json").resolve()  # shared with other tests
    before = manifest.read_bytes()
    try:
        damage()
        assert status(verify.run) == 1
    finally:
        manifest.write_bytes(before)
    found = capsys.readouterr().out
    assert re.search(message, found), found


@pytest.mark.usefixtures("project")
def test_a_damaged_teacher_is_no_teacher() -> None:
    flip(TEACHER / "weights.safetensors")
    with pytest.raises(SuiteError, match=r"not the weights of run.json beside it"):
        status(verify.run)


@pytest.mark.usefixtures("project")
def test_missing_weights_cannot_be_checked() -> None:
    (RUN / "weights.safetensors").unlink()
    with pytest.raises(SuiteError, match=r"weights.safetensors: cannot read"):
        status(verify.run)


@pytest.mark.usefixtures("project")
def test_audit_finds_the_same_bits_also_without_the_weights(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (RUN / "weights.safetensors").unlink()  # as in a clone without DVC's cache
    assert status(audit.run) == 0
    assert "same bits" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_audit_shows_both_scores_of_other_bits(capsys: pytest.CaptureFixture[str]) -> None:
    edit(RUN / "run.json", environment={"processor": "another"}, weights_sha256="0" * 64)
    other = EVALUATION.with_name("seed1")
    other.mkdir()
    shutil.copy(EVALUATION / "scores.json", other)
    edit(other / "scores.json", miou=0.75)
    assert status(audit.run) == 1
    found = capsys.readouterr().out
    assert "processor: another published" in found
    assert "other bits: weights.safetensors" in found
    published = json.loads((EVALUATION / "scores.json").read_text())["miou"]
    assert f"miou {published} published, {published} here" in found
    assert f"published seeds lie between {published} and 0.75" in found
