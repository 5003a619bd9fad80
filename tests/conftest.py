"""Fixtures that every test folder uses."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """Keep OpenMP from spinning in this process and in every process a test starts."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data; a user's clone has none, and the test is skipped."""
    folder = Path(os.environ.get("SUITE_SHARED", ROOT.parent / "shared"))
    if not (folder / "golden").is_dir():
        pytest.skip(f"no development data at {folder} (set SUITE_SHARED)")
    return folder
