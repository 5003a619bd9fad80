"""What the loaders cost, as tables."""

from collections.abc import Sequence

from harness.bench.loader import OURS, PARTS, RIVAL, DecoderRow, LoaderRow
from harness.report.numbers import significant
from harness.report.table import Entry, Table, Value

DECODERS = {RIVAL: "OpenCV, Pillow", OURS: "libvips"}


def loader_table(rows: Sequence[LoaderRow], title: str, notes: Sequence[str]) -> Table:
    """Every loader with its throughput, the ratio to mmsegmentation's, and where its time goes."""
    rival = next(row.seconds for row in rows if row.name == RIVAL)
    return Table(
        name="loader",
        title=title,
        header=(
            "loader", "decoder", "samples / s", "over mmsegmentation", "ms",
            *(f"{part} ms" for part in PARTS),
        ),
        rows=tuple(_entries(row, rival) for row in rows),
        values=tuple(_values(row, rival) for row in rows),
        notes=(
            "One core, one thread, processor time; the loaders take turns on the same files with "
            "the same draws. Labels are equal and images within one grey level, in every sample.",
            "ms: a whole sample, from file to tensor; its parts are measured apart.",
            *notes,
        ),
    )  # fmt: skip


def decoder_table(rows: Sequence[DecoderRow], notes: Sequence[str]) -> Table:
    """Every decoder's time for one image."""
    return Table(
        name="decoders",
        title="Decoding one of the images",
        header=("decoder", "ms"),
        rows=tuple((Entry(row.name), Entry(significant(1e3 * row.seconds))) for row in rows),
        values=tuple({"decoder": row.name, "seconds": row.seconds} for row in rows),
        notes=tuple(notes),
    )


def _entries(row: LoaderRow, rival: float) -> tuple[Entry, ...]:
    parts = (significant(1e3 * row.parts[part]) for part in PARTS)
    texts = (
        row.name, DECODERS.get(row.name, "none"), significant(1 / row.seconds),
        significant(rival / row.seconds), significant(1e3 * row.seconds), *parts,
    )  # fmt: skip
    return tuple(Entry(text) for text in texts)


def _values(row: LoaderRow, rival: float) -> dict[str, Value]:
    return {
        "loader": row.name,
        "samples_per_second": 1 / row.seconds,
        "over_mmsegmentation": rival / row.seconds,
        "seconds": row.seconds,
        **{
            f"{part.replace(', ', '_').replace(' ', '_')}_seconds": row.parts[part]
            for part in PARTS
        },
    }
