"""What steps cost on a GPU, as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.bench.ceilings import PRECISIONS
from harness.bench.gpu import FLOOR, STEPS, GpuRow
from harness.report.numbers import significant
from harness.report.table import Entry, Table, Value

GIB = 2**30
NOTES = (
    "A training step, wall time, several in a row without waiting between them: batch from pinned "
    "memory, teacher's forward where the method needs one, student, method, backward, optimiser. "
    "Random images and weights.",
    f"{FLOOR}: teacher's forward and plain student's step. peak: most bytes that torch's allocator "
    "had given out at a time, cuDNN's workspace included. waits: how often the host waits for the "
    "device within a step.",
    "TFLOP/s: operations of convolutions and matrix products, two a multiply-accumulate; of "
    "products: over what a product of 8192 x 8192 matrices reaches here. of copy: bytes that the "
    "operators read and write, each tensor once, over what a copy of 1 GiB moves. of both: the "
    "time that the operators take if each runs at the ceiling that binds it, over that measured.",
)


def gpu_table(rows: Sequence[GpuRow], title: str, notes: Sequence[str]) -> Table:
    """Every method's step by precision and level of determinism, all at one crop."""
    return Table(
        name="gpu",
        title=title,
        header=(
            "precision", "determinism", "method", "images / s", "step ms", "over floor",
            "peak GiB", "TFLOP/s", "of products %", "of copy %", "of both %", "waits",
        ),
        rows=tuple(_entries(row) for row in rows),
        values=tuple(_values(row) for row in rows),
        notes=(*NOTES, *_ceiling_notes(rows), *notes),
    )  # fmt: skip


def gpu_note(environment: Mapping[str, Any]) -> str:
    """One line about the machine."""
    packages = environment["packages"]
    return (
        f"{environment['device']}; {environment['processor']}, {environment['cores']} cores; "
        f"Python {environment['python']}, torch {packages['torch']}; best of "
        f"{environment['repeats']} rounds of {STEPS} steps."
    )


def _ceiling_notes(rows: Sequence[GpuRow]) -> list[str]:
    found = {row.variant.determinism: row.ceilings for row in rows}
    return [
        f"Ceilings, {level}: copy {significant(ceilings.copy / 1e9)} GB/s, products "
        + ", ".join(
            f"{significant(ceilings.products[dtype] / 1e12)} TFLOP/s in {name}"
            for name, dtype in PRECISIONS.items()
        )
        + "."
        for level, ceilings in found.items()
    ]


def _entries(row: GpuRow) -> tuple[Entry, ...]:
    values = _values(row)
    texts = [str(values[name]) for name in ("precision", "determinism", "method")]
    numbers = (
        values["images_per_second"], 1e3 * row.seconds, row.seconds / row.floor, row.peak / GIB,
        row.operations / row.seconds / 1e12, *(100 * share for share in _shares(row)),
    )  # fmt: skip
    texts += [significant(float(number)) for number in numbers if number is not None]
    return tuple(Entry(text) for text in (*texts, str(row.waits)))


def _shares(row: GpuRow) -> tuple[float, float, float]:
    products = row.ceilings.products[PRECISIONS[row.variant.precision]]
    return (
        row.operations / row.seconds / products,
        row.bytes / row.seconds / row.ceilings.copy,
        row.least / row.seconds,
    )


def _values(row: GpuRow) -> dict[str, Value]:
    of_products, of_copy, of_both = _shares(row)
    height, width = row.variant.crop
    return {
        "crop": f"{height}x{width}",
        "precision": row.variant.precision,
        "determinism": row.variant.determinism,
        "method": row.method,
        "batch": row.batch,
        "images_per_second": row.batch / row.seconds,
        "seconds": row.seconds,
        "floor_seconds": row.floor,
        "peak_bytes": row.peak,
        "operations": row.operations,
        "bytes": row.bytes,
        "of_products": of_products,
        "of_copy": of_copy,
        "of_both": of_both,
        "waits": row.waits,
        "copy_bytes_per_second": row.ceilings.copy,
        "products_per_second": row.ceilings.products[PRECISIONS[row.variant.precision]],
    }
