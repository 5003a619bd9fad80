"""Checkpoints that survive a kill at any moment: written whole, verified, the last one kept.

A checkpoint is one file: a line with the sha256 of the rest, then torch's own format, which is
read with `weights_only=True` so that nothing in it can be executed.
"""

import hashlib
import io
import logging
from pathlib import Path
from typing import Any

import torch

from segdistill.records import write_bytes

KEPT = 2
DIGEST_BYTES = 65  # 64 hexadecimal digits and a newline
log = logging.getLogger(__name__)


def save_checkpoint(folder: Path, step: int, state: dict[str, Any]) -> None:
    """Write `state` after `step` steps; older checkpoints go once this one reads back well."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    path = folder / f"checkpoint-{step:08d}.pt"
    write_bytes(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    if _verified(path) is not None:
        for old in _checkpoints(folder)[:-KEPT]:
            old.unlink(missing_ok=True)


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The newest intact checkpoint's state, or None; a damaged one is named and passed over."""
    for path in reversed(_checkpoints(folder)):
        content = _verified(path)
        if content is not None:
            try:
                state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            except Exception:  # whatever a forged file makes the reader stumble over
                state = None
            if isinstance(state, dict):
                return state
        log.warning("%s: damaged, going back to the checkpoint before it", path)
    return None


def drop_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of a finished run."""
    for path in _checkpoints(folder):
        path.unlink(missing_ok=True)


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*.pt"))


def _verified(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, body = content[: DIGEST_BYTES - 1], content[DIGEST_BYTES:]
    return body if hashlib.sha256(body).hexdigest().encode() == digest else None
