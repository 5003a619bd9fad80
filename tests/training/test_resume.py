"""Checkpoints: whole or not there, verified, and never more than data."""

import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from harness_cases import STATEFUL, StopAfter, results, run, run_config
from hypothesis import given, settings
from hypothesis import strategies as st

from segdistill.settings.schema import Execution
from segdistill.stop import Stopped
from segdistill.training.checkpoint import KEPT, drop_checkpoints, load_checkpoint, save_checkpoint


def state(step: int) -> dict[str, Any]:
    return {"step": step, "weights": torch.full((100,), float(step)), "rows": [{"loss": 1.5}]}


def checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*.pt"))


def damage(path: Path, place: int | None = None) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if place is None else place] ^= 1
    path.write_bytes(content)


def test_the_newest_checkpoint_comes_back_and_few_are_kept(tmp_path: Path) -> None:
    for step in range(1, 6):
        save_checkpoint(tmp_path, step, state(step))
    found = load_checkpoint(tmp_path)
    assert found is not None
    assert found["step"] == 5
    assert torch.equal(found["weights"], torch.full((100,), 5.0))
    assert [path.name for path in checkpoints(tmp_path)] == [
        "checkpoint-00000004.pt",
        "checkpoint-00000005.pt",
    ][-KEPT:]
    drop_checkpoints(tmp_path)
    assert load_checkpoint(tmp_path) is None


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_or_cut_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    save_checkpoint(folder, 1, state(1))
    save_checkpoint(folder, 2, state(2))
    newest = checkpoints(folder)[-1]
    size = newest.stat().st_size
    place = data.draw(st.integers(0, size - 1))
    if data.draw(st.booleans()):
        damage(newest, place)
    else:
        newest.write_bytes(newest.read_bytes()[:place])
    found = load_checkpoint(folder)
    assert found is not None
    # The byte after the digest separates it from the content and carries nothing.
    assert found["step"] == (2 if place == 64 and newest.stat().st_size == size else 1)


def test_a_damaged_newest_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_checkpoint(tmp_path, 1, state(1))
    save_checkpoint(tmp_path, 2, state(2))
    damage(checkpoints(tmp_path)[-1])
    load_checkpoint(tmp_path)
    assert "checkpoint-00000002.pt: damaged" in caplog.text


class Bomb:
    """Unpickled carelessly, it writes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.mark, "executed")


def forged(folder: Path, step: int, content: bytes) -> None:
    """A checkpoint whose digest is right."""
    digest = hashlib.sha256(content).hexdigest().encode()
    (folder / f"checkpoint-{step:08d}.pt").write_bytes(digest + b"\n" + content)


def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    archive = io.BytesIO()
    torch.save({"step": 9, "bomb": Bomb(mark)}, archive)
    assert not mark.exists()
    save_checkpoint(tmp_path, 1, state(1))
    for step, content in enumerate((archive.getvalue(), pickle.dumps(Bomb(mark))), 2):
        forged(tmp_path, step, content)
    found = load_checkpoint(tmp_path)
    assert found is not None
    assert found["step"] == 1
    assert not mark.exists()
    torch.load(io.BytesIO(archive.getvalue()), weights_only=False)
    assert mark.exists()  # it was live


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04]\x94.", b"\x80\x02c", b"N."])
def test_forged_content_of_any_kind_is_passed_over(tmp_path: Path, content: bytes) -> None:
    save_checkpoint(tmp_path, 1, state(1))
    forged(tmp_path, 2, content)
    found = load_checkpoint(tmp_path)
    assert found is not None
    assert found["step"] == 1


def test_a_damaged_newest_checkpoint_costs_steps_but_no_bits(tmp_path: Path) -> None:
    configs = [run_config(name) for name in STATEFUL]
    expected = {f.name: results(f) for f in run(tmp_path / "whole", configs)}
    with pytest.raises(Stopped):
        run(tmp_path / "hurt", configs, Execution(checkpoint_every=1), StopAfter(3))
    for config in configs:
        kept = checkpoints(tmp_path / "hurt" / config.method)
        assert len(kept) == KEPT
        damage(kept[-1])
    for folder in run(tmp_path / "hurt", configs):
        assert results(folder) == expected[folder.name], folder.name
