"""The few numbers that `dvc metrics show` and `dvc exp show` list, one small file a method.

summary.json holds everything, which in DVC's tables would be a thousand columns.
"""

import json
from collections.abc import Sequence

from segdistill.report.comparison import Comparison, Row, mean
from segdistill.report.files import Files
from segdistill.report.tables.metric_tables import Measure, boundary_of, defined, object_iou_of
from segdistill.report.tables.table import Value

# Names without dots and blanks, which DVC's command line would split.
MEASURES: dict[str, Measure] = {
    "boundary_iou": boundary_of("0.005"),
    "small_iou": object_iou_of("small"),
    "discriminability": lambda result: result.scores.discriminability,
}


def metric_files(comparisons: Sequence[Comparison]) -> Files:
    """METHOD.json for every method with a result: by dataset, fractions; absent if undefined."""
    found: dict[str, dict[str, dict[str, Value]]] = {}
    for comparison in comparisons:
        for row in (row for row in comparison.rows if row.results):
            found.setdefault(row.method, {})[comparison.dataset] = _numbers(row)
    return {
        f"{method}.json": (json.dumps(numbers, indent=1) + "\n").encode()
        for method, numbers in found.items()
    }


def _numbers(row: Row) -> dict[str, Value]:
    gain = row.gain
    interval = gain.interval if gain else None
    numbers: dict[str, Value] = {
        "miou": row.mean,
        "gain": gain.mean if gain else None,
        "gain_low": interval.low if interval else None,
        "gain_high": interval.high if interval else None,
        "seeds": len(row.results),
    }
    group = list(row.results.values())
    numbers |= {name: mean(defined(group, measure)) for name, measure in MEASURES.items()}
    return {name: value for name, value in numbers.items() if value is not None}
