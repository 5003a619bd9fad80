"""The file that the tests of settings change."""

from pathlib import Path
from typing import Any

import pytest
from smoke_params import FILE, ROOT, load_yaml


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The smoke experiment as plain values; the working folder is empty."""
    monkeypatch.chdir(tmp_path)
    value: dict[str, Any] = load_yaml(ROOT / FILE)
    return value
