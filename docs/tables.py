"""The tables in docs/ between markers, made from the methods' code and the committed results.

`<!-- options of METHOD -->` takes a method's options, `<!-- table FILE | COLUMN | ... -->` a table
of results with the named columns, all without any.
`python docs/tables.py --write` rewrites them, else it only checks.
"""

import argparse
import re
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from segdistill.distill import UnknownMethodError, load
from segdistill.errors import SuiteError

ROOT = Path(__file__).resolve().parents[1]
PAGES = (Path("docs/methods.md"), Path("docs/results.md"))
MARKED = re.compile(r"<!-- (options of|table) ([^\n]+) -->\n.*?<!-- end of table -->", re.DOTALL)
CELL_BORDER = re.compile(r"(?<!\\)\|")


def rewritten(page: str, root: Path = ROOT) -> str:
    """`page` with every marked table made anew; files of results are named from `root`.

    Raises SuiteError if a marker names no method, no table or no column of it.
    """

    def block(match: re.Match[str]) -> str:
        kind, named = match.groups()
        table = method_table(named) if kind == "options of" else result_table(named, root)
        return f"<!-- {kind} {named} -->\n{table}\n<!-- end of table -->"

    try:
        return MARKED.sub(block, page)
    except UnknownMethodError as error:
        raise SuiteError(f"docs: {error}") from error


def result_table(named: str, root: Path) -> str:
    """The Markdown table of the file that `named` begins with, its columns those that follow."""
    file, *wanted = (part.strip() for part in named.split(" | "))
    try:
        lines = (root / file).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SuiteError(f"{file}: cannot be read ({error.strerror})") from error
    rows = [_cells(line) for line in lines if line.startswith("|")]
    header = rows[0] if rows else []
    if missing := [column for column in wanted if column not in header]:
        raise SuiteError(f"{file}: has no column {missing[0]!r}; it has {', '.join(header)}")
    places = [header.index(column) for column in wanted] or range(len(header))
    return "\n".join(f"| {' | '.join(row[place] for place in places)} |" for row in rows)


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


def marked(page: str, kind: str) -> list[str]:
    """What the markers of `kind` ("options of" or "table") in `page` name, in its order."""
    return [named for found, named in MARKED.findall(page) if found == kind]


def main() -> int:
    """0 if the pages hold the tables of today, or were rewritten; 1 if one does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="rewrite the pages (default: check)")
    written = parser.parse_args().write
    status = 0
    for name in PAGES:
        path = ROOT / name
        page = path.read_text(encoding="utf-8")
        fresh = rewritten(page, ROOT)
        if fresh == page:
            continue
        if written:
            path.write_text(fresh, encoding="utf-8")
        else:
            print(f"{name}: stale; run python docs/tables.py --write")
            status = 1
    return status


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in CELL_BORDER.split(line)[1:-1]]


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


if __name__ == "__main__":
    raise SystemExit(main())
