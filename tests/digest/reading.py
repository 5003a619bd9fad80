"""Within one process a digest reads each file once; tests that edit files forget what was read."""

from segdistill import definitions
from segdistill.digest import walk


def forget() -> None:
    """Read files again."""
    definitions._parsed.cache_clear()
    walk._codebase.cache_clear()
