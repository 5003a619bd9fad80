"""Which device a worker takes."""

import pytest
import torch

from segdistill.errors import SuiteError
from segdistill.pipeline.worker import pick_device


@pytest.fixture
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "set_device", lambda _: None)


@pytest.mark.usefixtures("one_gpu")
def test_it_takes_the_gpu_that_there_is() -> None:
    assert pick_device() == torch.device("cuda", 0)


@pytest.mark.usefixtures("one_gpu")
@pytest.mark.parametrize("rank", ["0", "1"])
def test_more_devices_than_gpus_are_refused_by_every_process(
    rank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", rank)
    with pytest.raises(SuiteError, match="2 devices wanted, but torch can use 1 of this"):
        pick_device()
