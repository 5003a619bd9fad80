"""What was measured, as tables to print and as plain values to keep."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.bench.bounds import COHORT_LIMIT, StepVerdict, Verdict
from harness.bench.cases import IMAGES
from harness.bench.cohort import Together
from harness.bench.losses import LossRow
from harness.bench.steps import StepRow
from harness.learner import PHASES
from harness.report.numbers import significant
from harness.report.table import Entry, Table, Value

MIB = 2**20
LOSS_HEADER = (
    "term", "widths", "map", "ms", "literal ms", "time ratio", "MiB", "literal MiB",
    "memory ratio", "largest, MiB an image", "over floor",
)  # fmt: skip
LOSS_NOTES = (
    "Forward and backward of the term alone, batch 4, float32, one thread, processor time; ours, "
    "the literal formula and the floor take turns. A ratio below 1 is less than the literal "
    "formula takes.",
    "MiB: most bytes held at a time beyond the inputs, gradients included (torch's allocator). "
    "largest: the largest single tensor, for one image.",
    "Floor: both maps and one gradient read and written once.",
    "literal: the paper's formula written plainly (class loops, n x n maps). A map below 64x128 "
    "is used where the literal formula would take gigabytes or minutes there.",
    "cirkd, memory: queues of 4000 and 400 a class, half full.",
)
STEP_NOTES = (
    "One training step; every phase is its least over the steps, in wall time. method: its terms "
    "forward, and the discriminator's step. backward: student and terms together.",
    "over floor: processor time over that of a teacher forward, if the method needs one, and a "
    "plain student step, in turns with the method's.",
    "data: bytes to normalised images; nothing is read or augmented. Random images and weights.",
)


def loss_table(rows: Sequence[LossRow], notes: Sequence[str]) -> Table:
    """Every term beside its literal formula."""
    return Table(
        name="losses",
        title="Cost of the losses against their literal formulas",
        header=LOSS_HEADER,
        rows=tuple(_loss_entries(row) for row in rows),
        values=tuple(_loss_values(row) for row in rows),
        notes=(*LOSS_NOTES, *notes),
    )


def bound_table(found: Sequence[Verdict]) -> Table:
    """Every bound with what was measured."""
    rows = [
        (
            verdict.bound.case,
            verdict.bound.quantity,
            verdict.bound.rival or "its literal formula",
            f"≤ {significant(verdict.bound.limit)}",
            significant(verdict.ratio),
            "yes" if verdict.kept else "no",
        )
        for verdict in found
    ]
    return Table(
        name="bounds",
        title="Bounds on the cost of the losses",
        header=("term", "quantity", "relative to", "bound", "measured", "kept"),
        rows=tuple(tuple(Entry(text) for text in row) for row in rows),
        values=tuple({**v.bound._asdict(), "ratio": v.ratio, "kept": str(v.kept)} for v in found),
        notes=(),
    )


def step_table(rows: Sequence[StepRow], title: str, notes: Sequence[str]) -> Table:
    """Every method's step by phase."""
    return Table(
        name="steps",
        title=title,
        header=(
            "method",
            *(f"{phase} ms" for phase in PHASES),
            "step ms",
            "processor ms",
            "over floor",
        ),
        rows=tuple(_step_entries(row) for row in rows),
        values=tuple(_step_values(row) for row in rows),
        notes=(*STEP_NOTES, *notes),
    )


def step_bound_table(found: Sequence[StepVerdict]) -> Table:
    """Every limit on a step with what was measured."""
    rows = [
        (v.method, f"≤ {significant(v.limit)}", significant(v.ratio), "yes" if v.kept else "no")
        for v in found
    ]
    return Table(
        name="bounds",
        title="Bounds on the cost of a step over its floor",
        header=("method", "bound", "measured", "kept"),
        rows=tuple(tuple(Entry(text) for text in row) for row in rows),
        values=tuple({**v._asdict(), "kept": str(v.kept)} for v in found),
        notes=(),
    )


def cohort_table(found: Together, steps: int, notes: Sequence[str]) -> Table:
    """Every method's time a step alone, and that of all together."""
    rows = [
        _cohort_values(run.method, run.seconds.data, run.seconds.teacher, run.own, steps)
        for run in found.alone
    ]
    data, teacher = (
        max(getattr(run.seconds, phase) for run in found.cohort) for phase in ("data", "teacher")
    )
    own = sum(run.own for run in found.cohort)
    rows.append(_cohort_values("all in a cohort", data, teacher, own, steps))
    bits = "the same" if found.same_bits else "NOT the same"
    return Table(
        name="cohort",
        title="A seed's methods trained together and one by one",
        header=("method", "data ms", "teacher ms", "own ms"),
        rows=tuple(
            tuple(Entry(v if isinstance(v, str) else significant(v)) for v in row.values())
            for row in rows
        ),
        values=tuple(rows),
        notes=(
            f"Means over {steps} steps. own: student, method and optimiser.",
            f"The cohort takes {significant(found.over_parts)} times one loading and teacher's "
            f"forward and the sum of the methods' own parts (bound: {COHORT_LIMIT}), and "
            f"{significant(found.over_separate)} times the wall time of the trainings one by one. "
            f"Weights: {bits} both ways.",
            *notes,
        ),
    )


def _cohort_values(
    name: str, data: float, teacher: float, own: float, steps: int
) -> dict[str, str | float]:
    parts = {"data_ms": data, "teacher_ms": teacher, "own_ms": own}
    return {"method": name} | {part: 1e3 * seconds / steps for part, seconds in parts.items()}


def plain_values(tables: Sequence[Table]) -> dict[str, list[Mapping[str, Value]]]:
    """The exact values of the tables by name, for JSON."""
    return {table.name: list(table.values) for table in tables}


def environment_note(environment: Mapping[str, Any]) -> str:
    """One line about the machine."""
    packages = environment["packages"]
    load = environment["load"]
    return (
        f"{environment['processor']}, {environment['cores']} cores, {environment['threads']} "
        f"thread(s); Python {environment['python']}, torch {packages['torch']}; best of "
        f"{environment['repeats']}; load {load[0]:.1f} before, {load[1]:.1f} after."
    )


def _loss_entries(row: LossRow) -> tuple[Entry, ...]:
    ours, literal = row.ours, row.literal
    texts = (
        row.case, _pair(row.widths, "/"), _pair(row.size, "x"),
        significant(1e3 * ours.seconds), significant(1e3 * literal.seconds),
        significant(row.time_ratio), significant(ours.memory.peak / MIB),
        significant(literal.memory.peak / MIB), significant(row.memory_ratio),
        significant(ours.memory.largest / MIB / IMAGES),
        significant(row.over_floor),
    )  # fmt: skip
    return tuple(Entry(text) for text in texts)


def _loss_values(row: LossRow) -> dict[str, Value]:
    return {
        "term": row.case,
        "method": row.method,
        "widths": _pair(row.widths, "/"),
        "map": _pair(row.size, "x"),
        "seconds": row.ours.seconds,
        "literal_seconds": row.literal.seconds,
        "time_ratio": row.time_ratio,
        "peak_bytes": row.ours.memory.peak,
        "literal_peak_bytes": row.literal.memory.peak,
        "largest_bytes": row.ours.memory.largest,
        "memory_ratio": row.memory_ratio,
        "floor_seconds": row.floor_seconds,
        "over_floor": row.over_floor,
    }


def _step_entries(row: StepRow) -> tuple[Entry, ...]:
    milliseconds = [1e3 * row.own.phases[phase] for phase in PHASES]
    milliseconds += [1e3 * row.own.seconds, 1e3 * row.own.processor]
    texts = (row.method, *map(significant, milliseconds), significant(row.over_floor))
    return tuple(Entry(text) for text in texts)


def _step_values(row: StepRow) -> dict[str, Value]:
    return {
        "method": row.method,
        **{f"{phase}_seconds": row.own.phases[phase] for phase in PHASES},
        "seconds": row.own.seconds,
        "processor_seconds": row.own.processor,
        "floor_processor_seconds": row.floor.processor,
        "over_floor": row.over_floor,
    }


def _pair(values: tuple[int, int], sign: str) -> str:
    return f"{values[0]}{sign}{values[1]}"
