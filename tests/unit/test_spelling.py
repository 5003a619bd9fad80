"""Code is spelled alike by every Python, so that digests do not depend on which one runs."""

import ast
import sys
from pathlib import Path

import pytest

from harness.digest import PACKAGES
from harness.spelling import spelled

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f\"{x['a']}\"", "f\"{x['a']}\""),
        ("f'{name}: {x!r:>{width}}'", "f'{name}: {x!r:>{width}}'"),
        ('f"it\'s {x}"', 'f"it\'s {x}"'),
        ("f'{a}{{b}}\\n'", "f'{a}{{b}}\\n'"),
        ("f'{(1 if a else 2)}'", "f'{(1 if a else 2)}'"),
        ("f'{ {1: 2}[x] }'", "f'{ {1: 2}[x]}'"),
        ('f\'{", ".join(f"{y:.2f}" for y in z)}\'', "f\"{', '.join((f'{y:.2f}' for y in z))}\""),
        ("x = 'plain'", "x = 'plain'"),
    ],
)
def test_formatted_text_has_the_quotes_of_python_3_11(source: str, expected: str) -> None:
    assert spelled(ast.parse(source)) == expected


def test_text_with_every_kind_of_quotes() -> None:
    quotes = "'''" + '\\"\\"\\"'
    assert (
        spelled(ast.parse('f"' + quotes + '{x}"')) == "f'''" + quotes.replace("\\", "") + "{x}'''"
    )


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="since 3.12 it spells otherwise")
def test_this_project_is_spelled_as_python_3_11_does() -> None:
    for package in sorted(PACKAGES):
        for path in (ROOT / package).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            assert spelled(ast.parse(source)) == ast.unparse(ast.parse(source)), path
