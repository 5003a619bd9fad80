"""PNG files whose bytes depend on no library: stored, not compressed.

Encoders may choose other bytes for equal pixels from one release to the next; the drawn
datasets are known by the hash of their files, so these are written by the format's plainest form.
"""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE = 0, 2, 3
_BLOCK = 65535  # longest stored block of the deflate format


def encode_png(pixels: NDArray[np.uint8], palette: NDArray[np.uint8] | None = None) -> bytes:
    """A PNG of H W 3 (RGB) or H W (grey, or indices into `palette`, up to 256 x 3)."""
    kind = _RGB if pixels.ndim == 3 else _GREY if palette is None else _PALETTE
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, -1)
    filtered = np.hstack([np.zeros((height, 1), np.uint8), rows])  # filter 0 before every row
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)),
            b"" if palette is None else _chunk(b"PLTE", palette.tobytes()),
            _chunk(b"IDAT", _stored(filtered.tobytes())),
            _chunk(b"IEND", b""),
        )
    )


def write_png(
    path: Path, pixels: NDArray[np.uint8], palette: NDArray[np.uint8] | None = None
) -> None:
    """Write `encode_png(pixels, palette)` to `path`, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(pixels, palette))


def _stored(content: bytes) -> bytes:
    """`content` as a zlib stream of stored blocks (RFC 1950, RFC 1951 section 3.2.4)."""
    parts = [b"\x78\x01"]
    for start in range(0, len(content), _BLOCK):
        block = content[start : start + _BLOCK]
        last = start + _BLOCK >= len(content)
        parts += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    return b"".join([*parts, struct.pack(">I", zlib.adler32(content))])


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
