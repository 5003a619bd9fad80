"""A table as plain text, Markdown, CSV and LaTeX (booktabs)."""

import csv
import io
import re
from collections.abc import Mapping, Sequence

import pandas as pd

from segdistill.report.tables.table import Entry, Mark, Table, Value

LATEX = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "{}$&#%_"},
        "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
        "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
        "±": r"$\pm$", "−": r"$-$", "×": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$",
        "→": r"$\to$", "·": r"$\cdot$", "–": "--", "[": "{[}", "]": "{]}", "\n": " ",
    }
)  # fmt: skip
LATEX_MARKS: dict[Mark, str] = {"best": r"\textbf{%s}", "second": r"\underline{%s}"}
MARKDOWN_MARKS: dict[Mark, str] = {
    "best": "**%s**",
    "second": "<ins>%s</ins>",
    "missing": "*%s*",
    "failed": "*%s*",
}
PLAIN_MARKS: dict[Mark, str] = {"best": "** ", "second": "* "}
MOST_COLUMNS = 5  # wider tables are scaled to the text


def markdown(table: Table) -> str:
    """GitHub-flavoured Markdown with the notes below."""
    lines = [
        f"**{_markdown_text(table.title)}**",
        "",
        _markdown_row([_markdown_text(name) for name in table.header]),
        _markdown_row(["---"] + ["---:"] * (len(table.header) - 1)),
        *(_markdown_row([_markdown_entry(entry) for entry in row]) for row in table.rows),
        "",
        *(f"- {_markdown_text(note)}" for note in (*table.notes, *table.sources)),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def plain(table: Table) -> str:
    """The title and aligned columns, for a terminal; marks are stars."""
    rows = [[f"{PLAIN_MARKS.get(entry.mark, '')}{entry.text}" for entry in row]
            for row in table.rows]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(table.header))
    return f"{table.title}\n{frame.to_string(index=False)}\n"


def latex(table: Table) -> str:
    """A `table` environment; the first line names the packages that it needs."""
    wide = len(table.header) > MOST_COLUMNS
    lines = [
        r"% \usepackage{booktabs,graphicx,textcomp} \usepackage[T1]{fontenc}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(table.title)}}}",
        rf"\label{{tab:{re.sub('[^a-z0-9]+', '-', table.name.lower())}}}",
        *([r"\resizebox{\linewidth}{!}{%"] if wide else []),
        rf"\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
        r"\toprule",
        _latex_row([latex_text(name) for name in table.header]),
        r"\midrule",
        *(_latex_row([_latex_entry(entry) for entry in row]) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}" + ("}" if wide else ""),
        *(rf"\par\footnotesize {latex_text(note)}" for note in (*table.notes, *table.sources)),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def values_csv(values: Sequence[Mapping[str, Value]]) -> bytes:
    """Exact values as CSV, columns in the order of first appearance; empty where there is none."""
    stream = io.StringIO()
    names = dict.fromkeys(name for row in values for name in row)
    writer = csv.DictWriter(stream, list(names), lineterminator="\n")
    writer.writeheader()
    writer.writerows(values)
    return stream.getvalue().encode()


def latex_text(text: str) -> str:
    """`text` with everything LaTeX would interpret escaped."""
    return text.translate(LATEX)


def _latex_entry(entry: Entry) -> str:
    return LATEX_MARKS.get(entry.mark, "%s").replace("%s", latex_text(entry.text))


def _latex_row(entries: list[str]) -> str:
    return " & ".join(entries) + r" \\"


def _markdown_text(text: str) -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")
    return re.sub(r"([\\`*_|\[\]])", r"\\\1", safe)


def _markdown_entry(entry: Entry) -> str:
    return MARKDOWN_MARKS.get(entry.mark, "%s").replace("%s", _markdown_text(entry.text))


def _markdown_row(entries: list[str]) -> str:
    return "| " + " | ".join(entries) + " |"
