"""The tables in docs/ say what the code and the committed results say."""

import sys
from pathlib import Path

import pytest

from docs import tables as marked_tables
from docs.tables import (
    PAGES,
    ROOT,
    main,
    marked,
    method_table,
    result_table,
    rewritten,
)
from segdistill.errors import SuiteError

SUITE = [
    *("student", "kd", "cwd", "skd", "ifvd", "at", "fitnet", "dist", "mgd", "cirkd"),
    *("dsd", "afdcd", "bpkd", "nfd", "pcd"),
]
TABLE = r"""**camvid: a title**

| method | mIoU, % | gain \[95 %\] | a \| b |
| --- | ---: | ---: | ---: |
| student | **19.49** | *–* | 1 |
| kd | 19.56 | +0.07 | 2 |

- A note.
"""


@pytest.mark.parametrize("name", PAGES, ids=str)
def test_the_committed_pages_hold_the_tables_of_code_and_results(name: Path) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    assert rewritten(page) == page, "run python docs/tables.py --write"


def test_every_table_of_results_in_the_docs_is_marked() -> None:
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert page.count("\n| ---") == len(marked(page, "table")) > 0


def test_every_method_of_the_suite_has_its_section() -> None:
    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    assert marked(page, "options of") == SUITE
    for name in SUITE:
        assert f"## `{name}`: " in page


def test_a_table_names_paper_options_defaults_and_choices() -> None:
    lines = method_table("at").splitlines()
    assert lines[0].startswith("*S. Zagoruyko, N. Komodakis, ")
    assert lines[2] == "| option | default | choices |"
    assert lines[4:] == [
        "| `weight` | `10000` | float |",
        "| `tap` | `head.embedding` | str |",
        "| `ignore` | `keep` | `keep`, `mask` |",
    ]
    assert method_table("student").splitlines()[-1] == "No options."
    assert "| `keep` | `student` | `student`, float |" in method_table("pcd")


def test_a_table_of_results_is_quoted_whole_or_by_columns(tmp_path: Path) -> None:
    (tmp_path / "table.md").write_text(TABLE)
    assert result_table("table.md", tmp_path) == TABLE.split("\n\n")[1]
    assert result_table(r"table.md | method | a \| b", tmp_path).splitlines() == [
        r"| method | a \| b |",
        "| --- | ---: |",
        "| student | 1 |",
        "| kd | 2 |",
    ]


def test_markers_of_what_is_not_there_are_errors(tmp_path: Path) -> None:
    end = "\n<!-- end of table -->"
    with pytest.raises(SuiteError, match=r"docs: unknown method 'fitnt'.*fitnet"):
        rewritten(f"<!-- options of fitnt -->{end}")
    with pytest.raises(SuiteError, match=r"none\.md: cannot be read \(No such file"):
        rewritten(f"<!-- table none.md -->{end}", tmp_path)
    (tmp_path / "table.md").write_text(TABLE)
    with pytest.raises(SuiteError, match=r"table\.md: has no column 'loss'; it has method, mIoU"):
        rewritten(f"<!-- table table.md | loss -->{end}", tmp_path)


def test_check_finds_a_stale_page_and_write_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "table.md").write_text(TABLE)
    page = tmp_path / "page.md"
    page.write_text(
        "before\n<!-- options of kd -->\nold\n<!-- end of table -->\nbetween\n"
        "<!-- table table.md | method -->\nold\n<!-- end of table -->\nafter\n"
    )
    monkeypatch.setattr(marked_tables, "ROOT", tmp_path)
    monkeypatch.setattr(marked_tables, "PAGES", (Path("page.md"),))
    monkeypatch.setattr(sys, "argv", ["marked_tables"])
    assert main() == 1
    assert page.read_text().count("old") == 2
    monkeypatch.setattr(sys, "argv", ["marked_tables", "--write"])
    assert main() == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("| kd |\n<!-- end of table -->\nafter\n")
    assert method_table("kd") in text
    monkeypatch.setattr(sys, "argv", ["marked_tables"])
    assert main() == 0
