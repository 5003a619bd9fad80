"""Variants of one method beside its default: what each changes, and what that brings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from segdistill.errors import SuiteError
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.boundary import RATIOS
from segdistill.evaluation.iou import Counts
from segdistill.report.comparison import Comparison, Row
from segdistill.report.tables.table import Value
from segdistill.statistics import Gain, arm_of, measure_gains

# By what a variant is judged: mIoU, and what PCD's abstract claims.
MEASURES: Mapping[str, Callable[[Areas], Counts]] = {
    "mIoU": lambda areas: areas.pixels,
    f"boundary IoU, {RATIOS[0]:.1%} of diagonal": lambda areas: areas.boundary[0],
}


@dataclass(frozen=True)
class Variant:
    """One block of the recipe that changes options of the default."""

    row: Row
    changes: str  # such as "score: fisher"
    gains: Mapping[str, Gain]  # over the default, by name of MEASURES


@dataclass(frozen=True)
class Ablation:
    """A method's default and its variants on one dataset."""

    method: str
    dataset: str
    base: Row
    variants: tuple[Variant, ...]

    def values(self) -> tuple[dict[str, Value], ...]:
        """The exact numbers, fractions, a row a variant and measure."""
        return tuple(
            {
                "dataset": self.dataset,
                "method": self.method,
                "variant": variant.row.method,
                "changes": variant.changes,
                "measure": measure,
                "n": len(gain.seeds),
                "difference": gain.mean,
                "low": gain.interval.low if gain.interval else None,
                "high": gain.interval.high if gain.interval else None,
            }
            for variant in self.variants
            for measure, gain in variant.gains.items()
        )


def ablations(comparison: Comparison) -> list[Ablation]:
    """One for every method of which the default and another variant are finished.

    The default is the block that is called as its method. A variant scored on other images than
    the default is left out; the comparison's warnings name it.
    """
    terms = {row.method: _terms(row) for row in comparison.rows if row.results}
    found = []
    for base in comparison.rows:
        if [term.get("method") for term in terms.get(base.method, [])] != [base.method]:
            continue
        others = [
            row
            for row in comparison.rows
            if row is not base
            and [term.get("method") for term in terms.get(row.method, [])] == [base.method]
        ]
        variants = [variant for row in others if (variant := _variant(row, base, comparison))]
        if variants:
            found.append(Ablation(base.method, comparison.dataset, base, tuple(variants)))
    return found


def _variant(row: Row, base: Row, comparison: Comparison) -> Variant | None:
    changes = _changes(_fields(row), _fields(base))
    try:
        gains = {
            measure: gain
            for measure, part in MEASURES.items()
            if (gain := _gain(row, base, part, comparison.confidence))
        }
    except SuiteError:
        return None
    return Variant(row, changes, gains) if gains else None


def _gain(row: Row, base: Row, part: Callable[[Areas], Counts], confidence: float) -> Gain | None:
    """Of the row over the default in the areas that `part` picks; None without a shared seed."""
    ours, theirs = (
        arm_of({seed: result.areas for seed, result in one.results.items()}, part)
        for one in (row, base)
    )
    return measure_gains({row.method: ours}, theirs, confidence).get(row.method)


def _terms(row: Row) -> list[dict[str, Any]]:
    config = next(iter(row.results.values())).run.config
    terms = config.get("terms")
    return [term for term in terms if isinstance(term, dict)] if isinstance(terms, list) else []


def _fields(row: Row) -> dict[str, Any]:
    fields = _terms(row)[0].get("fields")
    return fields if isinstance(fields, dict) else {}


def _changes(ours: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    """The options that differ; one that only the default sets is back at its class's value."""
    changed = [f"{key}: {value}" for key, value in ours.items() if base.get(key) != value]
    changed += [f"{key}: unset" for key in base if key not in ours]
    return ", ".join(changed) or "nothing"
