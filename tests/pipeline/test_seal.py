"""A seal vouches for files and facts alike."""

import json
from pathlib import Path

import pytest

from segdistill.pipeline.seal import SEAL, read_seal, seal


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "file").write_bytes(b"content")
    seal(tmp_path, {"subset": False})
    return tmp_path


def test_an_intact_seal_says_what_was_sealed(sealed: Path) -> None:
    found = read_seal(sealed)
    assert found is not None
    assert (found.files, found.facts) == (("part/file",), {"subset": False})


@pytest.mark.parametrize("change", [{"facts": {"subset": True}}, {"files": {}}])
def test_a_changed_seal_is_none(sealed: Path, change: dict[str, object]) -> None:
    content = json.loads((sealed / SEAL).read_text())
    (sealed / SEAL).write_text(json.dumps({**content, **change}))
    assert read_seal(sealed) is None
