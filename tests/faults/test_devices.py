"""A training on two processes under torchrun: stopped, started again, with the same bits."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML

from segdistill.pipeline.cells import plan
from segdistill.records import read_run
from segdistill.settings.cell import Cell
from segdistill.settings.loading import PARAMS

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    torch.cuda.device_count() == 1, reason="two devices, where there is one GPU"
)
PATIENCE = 300.0  # seconds; far more than anything here takes


def stage() -> subprocess.Popen[str]:
    script = str(REPOSITORY / "experiments/train.py")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(
        [sys.executable, script, "smoke", "scenes_camvid", "pcd", "0"],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def share_the_batch() -> None:
    yaml = YAML()
    recipe = yaml.load(PARAMS)
    recipe["train"].update(steps=24, devices=2)
    yaml.dump(recipe, PARAMS)
    shutil.rmtree("results/smoke/runs")


def test_two_devices_stop_and_go_on_with_the_same_bits(project: Path) -> None:
    del project
    share_the_batch()
    planned = plan(Cell("smoke", "scenes_camvid", "pcd", 0))
    process = stage()
    deadline = time.monotonic() + PATIENCE
    while not list(planned.scratch.glob("checkpoint-*.pt")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, printed = process.communicate(timeout=PATIENCE)
    assert process.returncode == 75, printed
    assert not planned.trained
    hashes = []
    for _ in range(2):
        process = stage()
        _, printed = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, printed
        record = read_run(planned.cell.run_dir / "run.json")
        assert record.config["training"]["devices"] == 2
        assert record.steps == 24
        hashes.append((record.weights_sha256, (planned.cell.run_dir / "log.jsonl").read_bytes()))
        shutil.rmtree(planned.scratch)
    assert hashes[0] == hashes[1]
