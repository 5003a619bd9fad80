"""From the records of one dataset to its comparison: pairing, intervals, tests, verdicts."""

from collections.abc import Sequence

from harness.recipe import Statistics
from harness.report.claims import Claim
from harness.report.comparison import Comparison, Gain, Row, mean
from harness.report.matrix import STUDENT, Finished, Matrix
from harness.report.pairing import pairing_warnings


def compare_methods(
    matrix: Matrix, dataset: str, claims: Sequence[Claim], settings: Statistics
) -> Comparison:
    """Every method of the grid against the student of the same dataset."""
    del claims
    student = matrix.of(dataset, STUDENT)
    rows = []
    for method in matrix.grid.methods:
        found = matrix.of(dataset, method)
        gain = _gain(found, student) if method != STUDENT else None
        rows.append(Row(method, found, gain, "", ()))
    warnings = pairing_warnings(matrix, dataset)
    return Comparison(dataset, matrix.teacher(dataset), tuple(rows), settings.confidence, warnings)


def _gain(found: dict[int, Finished], student: dict[int, Finished]) -> Gain | None:
    per_seed = {
        seed: (result.scores.miou or 0.0) - (student[seed].scores.miou or 0.0)
        for seed, result in found.items()
        if seed in student
    }
    average = mean(list(per_seed.values()))
    if average is None:
        return None
    return Gain(per_seed, average, None, None, 0.5 ** len(per_seed), None)
