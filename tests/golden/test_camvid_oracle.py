"""A published checkpoint's label maps must score what its authors' evaluation gives."""

import argparse
import json
from pathlib import Path

import pytest

from segdistill.commands import score

STEM = "camvid_test_predictions_61.4"


@pytest.mark.shared
def test_a_published_checkpoint_scores_its_published_miou(
    shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = json.loads((shared / "golden" / f"{STEM}.json").read_text())
    parser = argparse.ArgumentParser()
    score.configure(parser)
    folder, file = str(shared / "data/camvid"), str(shared / "golden" / f"{STEM}.npz")
    options = ["--dataset=camvid", "--root", folder, "--split=test", "--predictions", file]

    assert score.run(parser.parse_args(options)) == 0

    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {"miou", "iou", "pixel_accuracy", "absent_classes"}
    assert printed["miou"] == pytest.approx(expected["miou"], abs=1e-9, rel=0)
    assert list(printed["iou"].values()) == pytest.approx(expected["iou"], abs=1e-9, rel=0)
    assert printed["pixel_accuracy"] == pytest.approx(expected["pixel_accuracy"], abs=1e-9, rel=0)
    assert round(100 * printed["miou"], 1) == float(expected["published_miou"])
    assert printed["absent_classes"] == []
