"""Where two nested values differ by more than rounding."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TOLERANCE = 1e-9  # absolute; all values are fractions, counts or text


def differences(found: Any, expected: Any, name: str = "") -> Iterator[str]:
    """One message for every leaf of `found` that is not `expected`'s; `name` leads to it."""
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        for key in dict.fromkeys([*expected, *found]):
            inner = f"{name}.{key}" if name else str(key)
            if key not in found or key not in expected:
                yield f"{inner}: {'missing' if key not in found else 'not expected'}"
            else:
                yield from differences(found[key], expected[key], inner)
    elif _is_list(found) and _is_list(expected) and len(found) == len(expected):
        for index, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
            yield from differences(ours, theirs, f"{name}[{index}]")
    elif not same(found, expected):
        yield f"{name}: {_shown(found)}, expected {_shown(expected)}"


def same(found: Any, expected: Any) -> bool:
    """Whether two leaves are equal, numbers to within TOLERANCE."""
    if _is_number(found) and _is_number(expected):
        # Not the opposite comparison: NaN must differ from everything.
        return bool(found == expected or abs(found - expected) <= TOLERANCE)
    return type(found) is type(expected) and bool(found == expected)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return f"{len(value)} entries" if _is_list(value) else repr(value)
