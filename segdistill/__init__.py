"""Everything a run needs that is not a method: data, networks, training, metrics, reports.

`import segdistill` is quick: what it offers is imported when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segdistill.report.collect import results

__all__ = ["results"]


def __getattr__(name: str) -> Any:
    if name == "results":
        from segdistill.report.collect import results

        return results
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
