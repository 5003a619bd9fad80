"""Fixtures that every test folder uses."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from segdistill.training.instructions import cap_instructions

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """One thread a test process: several run at once, and spinning threads slow each other.

    Kernels as the commands have them, so that a worker's bits are those of the test's process.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cap_instructions()
    settings.register_profile("suite", deadline=None)  # time says nothing on a busy machine
    settings.register_profile("thorough", deadline=None, max_examples=2000)
    if config.getoption("--hypothesis-profile") is None:
        settings.load_profile("suite")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data; a user's clone has none, and the test is skipped.

    Where the folder exists, nothing skips: an incomplete one is a failure.
    """
    folder = Path(os.environ.get("SUITE_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no development data at {folder} (set SUITE_SHARED)")
    if not (folder / "golden").is_dir():
        pytest.fail(f"{folder}: there, but without its folder golden/")
    return folder
