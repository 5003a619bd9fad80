"""docs/methods.md says what the code says."""

import sys
from pathlib import Path

import pytest

from harness.errors import SuiteError
from harness.report import method_tables
from harness.report.method_tables import PAGE, documented, main, method_table, rewritten

SUITE = [
    *("student", "kd", "cwd", "skd", "ifvd", "at", "fitnet", "dist", "mgd", "cirkd"),
    *("dsd", "afdcd", "bpkd", "nfd", "pcd"),
]


def test_the_committed_page_holds_the_tables_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert rewritten(page) == page, "run python -m harness.report.method_tables --write"


def test_every_method_of_the_suite_has_its_section() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert documented(page) == SUITE
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


def test_a_marker_of_no_method_is_an_error() -> None:
    with pytest.raises(SuiteError, match=r"methods\.md: unknown method 'fitnt'.*fitnet"):
        rewritten("<!-- options of fitnt -->\n<!-- end of options -->")


def test_check_finds_a_stale_page_and_write_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "methods.md"
    page.write_text("before\n<!-- options of kd -->\nold\n<!-- end of options -->\nafter\n")
    monkeypatch.setattr(method_tables, "PAGE", page)
    monkeypatch.setattr(sys, "argv", ["method_tables"])
    assert main() == 1
    assert "old" in page.read_text()
    monkeypatch.setattr(sys, "argv", ["method_tables", "--write"])
    assert main() == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert method_table("kd") in text
    monkeypatch.setattr(sys, "argv", ["method_tables"])
    assert main() == 0
