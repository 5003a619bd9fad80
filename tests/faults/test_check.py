"""`check` on runs that were really trained: by the checkout, by scoring and by training again."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_line import refusal, segdistill
from published_tree import refingerprint

RUN = Path("results/smoke/runs/scenes_camvid/pcd/seed0")
TEACHER = Path("results/smoke/teachers/scenes_camvid")
EVALUATION = Path("results/smoke/evals/scenes_camvid/pcd/seed0")
MANIFEST = Path("data/scenes_camvid/MANIFEST.json")


def edit(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.fixture(autouse=True)
def _committed(project: Path) -> None:
    """The small project is in no git repository, whose commit its records should name."""
    for path in project.glob("results/**/run.json"):
        edit(path, git_commit="0" * 40)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_fresh_runs_are_as_recorded() -> None:
    done = segdistill("check", "--evaluate")
    assert (done.status, done.out.splitlines()) == (
        0,
        ["note: results/smoke: 1 seeds; a claim needs 5", "cells checked: 3; all as recorded"],
    )


def damage_image() -> None:
    """Of the evaluated split; the drawn folder is shared with other tests."""
    drawn = MANIFEST.parent.resolve()
    MANIFEST.parent.unlink()
    shutil.copytree(drawn, MANIFEST.parent)
    image, *_ = sorted(MANIFEST.parent.glob("test/*.png"))
    shutil.copy(sorted(MANIFEST.parent.glob("train/*.png"))[0], image)


def change_recipe() -> None:
    text = Path("params.yaml").read_text()
    changed = re.sub(r"^train: *\{?", "\\g<0>power: 0.8, ", text, flags=re.M)
    assert changed != text
    Path("params.yaml").write_text(changed)


def change_manifest() -> None:
    content = MANIFEST.read_bytes()
    folder = MANIFEST.parent.resolve()
    MANIFEST.parent.unlink()
    shutil.copytree(folder, MANIFEST.parent)
    MANIFEST.write_bytes(content + b"\n")


def change_code_digest() -> None:
    """By someone who knows how fingerprints are made."""
    edit(RUN / "run.json", code_digest="0" * 64)
    refingerprint(RUN / "run.json")


def damage_areas() -> None:
    arrays = dict(np.load(EVALUATION / "areas.npz"))
    arrays["boundary_intersection"][:, 0] = 0  # no pixel of the first image is right at a contour
    np.savez_compressed(EVALUATION / "areas.npz", **arrays)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda: flip(RUN / "weights.safetensors"), "weights.safetensors: its sha256 is not that"),
        (lambda: flip(TEACHER / "weights.safetensors"), "cannot be made again: .*not the weights"),
        (change_manifest, "run.json: manifest_sha256 is not that of this checkout"),
        (change_code_digest, "run.json: code_digest is not that of this checkout"),
        (change_recipe, "run.json: recipe: training.power: 0.9, expected 0.8"),
        (damage_areas, "scores.json: boundary_iou"),
        (damage_image, "seed0: evaluated again, areas.npz, .* differs; miou .* published, .* now"),
    ],
)
def test_each_deviation_is_named(damage: Callable[[], None], message: str) -> None:
    damage()
    done = segdistill("check", RUN, "--evaluate")
    assert done.status == 1
    assert re.search(message, done.out, re.M), done.out
    assert all(str(RUN.name) in line for line in done.out.splitlines()[:-1])


def test_training_again_finds_the_same_bits_also_without_the_weights() -> None:
    (RUN / "weights.safetensors").unlink()  # as in a clone without DVC's cache
    assert segdistill("check", RUN, "--retrain").status == 0
    assert "no weights here to evaluate" in refusal("check", RUN, "--evaluate")


def test_training_again_shows_both_scores_of_other_bits() -> None:
    (RUN / "weights.safetensors").unlink()
    log = (RUN / "log.jsonl").read_text()
    (RUN / "log.jsonl").write_text(log.replace('"loss": ', '"loss": 1'))
    edit(RUN / "run.json", environment={"processor": "another"}, weights_sha256="0" * 64)
    done = segdistill("check", RUN, "--retrain")
    assert done.status == 1
    (found,) = (line for line in done.out.splitlines() if "trained again" in line)
    miou = json.loads((EVALUATION / "scores.json").read_text())["miou"]
    assert "trained again, weights_sha256, log.jsonl differs" in found
    assert f"miou {miou} published, {miou} now" in found
    assert "; processor another published, " in found
