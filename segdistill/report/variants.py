"""Blocks of an experiment that change options of one method, each against the method's default."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from segdistill.errors import SuiteError
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.boundary import RATIOS
from segdistill.evaluation.iou import Counts
from segdistill.report.comparison import Comparison
from segdistill.statistics import Gain, arm_of, measure_gains

# By what a variant is judged: mIoU, and what PCD's abstract claims. Their names and areas.
MEASURES: Mapping[str, Callable[[Areas], Counts]] = {
    "mIoU": lambda areas: areas.pixels,
    f"boundary IoU, {100 * RATIOS[0]:g} % of diagonal": lambda areas: areas.boundary[0],
}


@dataclass(frozen=True)
class Variant:
    """The default of a method, or a block that changes options of it."""

    method: str  # the block
    changes: str  # such as "score: fisher", or "default"
    gains: Mapping[str, Gain] = field(default_factory=dict)  # over the default, by measure


def variants_of(comparison: Comparison) -> dict[str, list[Variant]]:
    """By method: its default, called as the method itself, and the finished variants of it.

    A variant scored on other images than the default is left out; the comparison's warnings name
    it.
    """
    terms = {method: _terms(comparison, method) for method in comparison.rows}
    found = {}
    for base in comparison.rows:
        same = [block for block, used in terms.items() if [t["method"] for t in used] == [base]]
        if base in same:
            blocks = (_variant(comparison, block, base, terms) for block in same if block != base)
            found[base] = [Variant(base, "default"), *(block for block in blocks if block.gains)]
    return {base: variants for base, variants in found.items() if len(variants) > 1}


def _terms(comparison: Comparison, method: str) -> list[dict[str, Any]]:
    """The distillation methods that a block sums, with their fields, as its record holds them."""
    results = comparison.matrix.of(comparison.dataset, method).values()
    terms = next((result.run.config.get("terms") for result in results), None)
    return [term for term in terms or () if isinstance(term, dict) and "method" in term]


def _variant(
    comparison: Comparison, block: str, base: str, terms: Mapping[str, list[dict[str, Any]]]
) -> Variant:
    ours, default = (terms[name][0].get("fields") or {} for name in (block, base))
    changed = [f"{key}: {value}" for key, value in ours.items() if default.get(key) != value]
    changed += [f"{key}: unset" for key in default if key not in ours]
    gains = {name: _gain(comparison, block, base, part) for name, part in MEASURES.items()}
    known = {name: gain for name, gain in gains.items() if gain}
    return Variant(block, ", ".join(changed) or "nothing", known)


def _gain(
    comparison: Comparison, block: str, base: str, part: Callable[[Areas], Counts]
) -> Gain | None:
    """Of the block over the default in the areas that `part` picks; None without a pair."""
    results = [comparison.matrix.of(comparison.dataset, name) for name in (block, base)]
    try:
        ours, default = (arm_of({s: r.areas for s, r in one.items()}, part) for one in results)
        return measure_gains({block: ours}, default, comparison.confidence).get(block)
    except SuiteError:
        return None
