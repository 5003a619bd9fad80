"""The public face: what a reader of results, a user of a loss and an author of a method need.

Everything is imported when it is first asked for, so that `import segdistill` costs nothing.

Example:
    >>> import segdistill
    >>> segdistill.load_method("cwd").Config(weight=50.0, tap="head.embedding").temperature
    4.0
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segdistill.distill import Distiller, NetSpec, View
    from segdistill.distill import load as load_method
    from segdistill.report.collect import results

__all__ = ["Distiller", "NetSpec", "View", "load_method", "results"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'segdistill' has no attribute {name!r}")
    if name == "results":
        from segdistill.report.collect import results

        return results
    from segdistill import distill

    return distill.load if name == "load_method" else getattr(distill, name)


def __dir__() -> list[str]:
    return __all__
