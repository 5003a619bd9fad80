"""What the training process refuses before it loads anything."""

import pytest
import torch
from harness_cases import run_config

from harness.errors import SuiteError
from harness.worker import _refuse_inexact


def test_a_pspnet_cannot_be_exact_on_cuda() -> None:
    with pytest.raises(SuiteError, match="determinism: seeded"):
        _refuse_inexact(run_config(), torch.device("cuda"))


def test_everything_can_be_exact_on_the_cpu() -> None:
    _refuse_inexact(run_config(), torch.device("cpu"))
