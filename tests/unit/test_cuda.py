"""What only a GPU can show: trainings there repeat themselves bit for bit."""

from pathlib import Path

import pytest
import torch
from harness_cases import TEACHER, Noise, run_config

from distill import method_names
from harness.data.catalogue import dataset_info
from harness.determinism import draw_seed
from harness.nets import build, freeze
from harness.recipe import Execution
from harness.stop import StopRequest
from harness.trainer import Cell, train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("name", method_names())
def test_exact_means_the_same_bits_on_cuda(name: str, tmp_path: Path) -> None:
    device = torch.device("cuda")
    classes = len(dataset_info("scenes_camvid").classes)
    torch.manual_seed(draw_seed(0, "test teacher"))
    teacher = freeze(build(TEACHER, classes)).to(device)
    found = []
    for turn in ("first", "second"):
        cell = Cell(run_config(name), tmp_path / turn)
        cell.folder.mkdir()
        train([cell], Noise(), classes, teacher, Execution(), device, StopRequest())
        weights = (cell.folder / "weights.safetensors").read_bytes()
        found.append((weights, (cell.folder / "log.jsonl").read_bytes()))
    assert found[0] == found[1]
