"""The tables of options in docs/methods.md, made from the methods' own code.

`python -m harness.report.method_tables --write` rewrites them; without `--write` it only checks.
"""

import argparse
import re
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from distill import UnknownMethodError, load
from harness.errors import SuiteError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "methods.md"
MARKED = re.compile(r"<!-- options of (\S+) -->\n.*?<!-- end of options -->", re.DOTALL)


def method_table(name: str) -> str:
    """Markdown: the paper of the method `name`, then its options with defaults and choices.

    Raises distill.UnknownMethodError if there is no such method.
    """
    method = load(name)
    lines = [f"*{method.paper}*", ""]
    options = fields(method.Config)
    if not options:
        return "\n".join([*lines, "No options."])
    types = get_type_hints(method.Config)
    rows = [
        f"| `{option.name}` | {_default(option)} | {_choices(types[option.name])} |"
        for option in options
    ]
    return "\n".join([*lines, "| option | default | choices |", "| --- | --- | --- |", *rows])


def rewritten(page: str) -> str:
    """`page` with every marked table made anew.

    Raises SuiteError if a marker names no method.
    """
    try:
        return MARKED.sub(_block, page)
    except UnknownMethodError as error:
        raise SuiteError(f"docs/methods.md: {error}") from error


def documented(page: str) -> list[str]:
    """The methods that have a marked table in `page`, in its order."""
    return MARKED.findall(page)


def _block(match: re.Match[str]) -> str:
    name = match[1]
    return f"<!-- options of {name} -->\n{method_table(name)}\n<!-- end of options -->"


def _default(option: Field[Any]) -> str:
    return "required" if option.default is MISSING else f"`{_text(option.default)}`"


def _choices(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return ", ".join(f"`{_text(choice)}`" for choice in get_args(hint))
    parts = get_args(hint) or (hint,)
    return ", ".join(_choices(part) if get_origin(part) else part.__name__ for part in parts)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def main() -> int:
    """0 if the page holds the tables of today's code, or was rewritten; 1 if it does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="rewrite the page (default: check)")
    written = parser.parse_args().write
    page = PAGE.read_text(encoding="utf-8")
    fresh = rewritten(page)
    if written:
        PAGE.write_text(fresh, encoding="utf-8")
    elif fresh != page:
        print(f"{PAGE.name}: stale; run python -m harness.report.method_tables --write")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
