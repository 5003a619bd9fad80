"""Where two nested values differ by more than rounding."""

from collections.abc import Iterator
from typing import Any

TOLERANCE = 1e-9  # absolute; all values are fractions, counts or text


def differences(found: Any, expected: Any, name: str = "") -> Iterator[str]:
    """One message for every leaf of `found` that is not `expected`'s; `name` leads to it."""
    ours, theirs = _items(found), _items(expected)
    if ours is None or theirs is None:
        if not _same(found, expected):
            yield f"{name}: {found!r:.80}, expected {expected!r:.80}"
        return
    for key in dict.fromkeys([*theirs, *ours]):
        inner = f"{name}.{key}" if name else str(key)
        if key not in ours or key not in theirs:
            yield f"{inner}: {'missing' if key not in ours else 'not expected'}"
        else:
            yield from differences(ours[key], theirs[key], inner)


def _items(value: Any) -> dict[Any, Any] | None:
    """The parts of a mapping or a list; None for a leaf."""
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    return value if isinstance(value, dict) else None


def _same(found: Any, expected: Any) -> bool:
    """Whether two leaves are equal, numbers to within TOLERANCE."""
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in (found, expected)):
        # Not the opposite comparison: NaN must differ from everything.
        return bool(found == expected or abs(found - expected) <= TOLERANCE)
    return type(found) is type(expected) and bool(found == expected)
