"""`pytest benchmarks --dist no --benchmark-only`; add `-m "not slow"` to leave out heavy ones."""

import os

import pytest

from harness.instructions import cap_instructions

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    cap_instructions()
    config.addinivalue_line("markers", "slow: gigabytes or minutes")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """As in `python -m harness bench`: processor time is wall time on a free core."""
    import torch

    torch.set_num_threads(1)
