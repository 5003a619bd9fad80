"""A training on two processes under torchrun: stopped, started again, with the same bits."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from harness.cells import plan_student
from harness.records import read_run

REPOSITORY = Path(__file__).resolve().parents[2]
TWO = "train: {steps: 24, batch: 2, learning_rate: 0.02, log_every: 2, devices: 2}"
PATIENCE = 300.0  # seconds; far more than anything here takes


def stage() -> subprocess.Popen[str]:
    script = str(REPOSITORY / "experiments/train.py")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(
        [sys.executable, script, "smoke", "scenes_camvid", "pcd", "0"],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def share_the_batch() -> None:
    path = Path("experiments/profiles/smoke.yaml")
    lines = [line for line in path.read_text().splitlines() if not line.startswith("train:")]
    path.write_text("\n".join([*lines, TWO]) + "\n")
    shutil.rmtree("results/smoke/runs")


def test_two_devices_stop_and_go_on_with_the_same_bits(project: Path) -> None:
    del project
    share_the_batch()
    cell = plan_student("smoke", "scenes_camvid", "pcd", 0)
    process = stage()
    deadline = time.monotonic() + PATIENCE
    while not list(cell.scratch.glob("checkpoint-*.pt")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, printed = process.communicate(timeout=PATIENCE)
    assert process.returncode == 75, printed
    assert not cell.trained
    hashes = []
    for _ in range(2):
        process = stage()
        _, printed = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, printed
        record = read_run(cell.output / "run.json")
        assert record.config["training"]["devices"] == 2
        assert record.steps == 24
        hashes.append((record.weights_sha256, (cell.output / "log.jsonl").read_bytes()))
        shutil.rmtree(cell.scratch)
    assert hashes[0] == hashes[1]
