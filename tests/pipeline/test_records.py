"""run.json and scores.json: what is written comes back, whole or not at all."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from results_tree import make_tree

from segdistill.errors import SuiteError
from segdistill.records import (
    MAX_BYTES,
    file_hash,
    read_run,
    read_scores,
    write_bytes,
    write_json,
    write_record,
)


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    """The record of one run of a drawn results folder."""
    make_tree(tmp_path)
    return sorted(tmp_path.rglob("run.json"))[0]


def test_records_come_back_as_they_were(run_path: Path, tmp_path: Path) -> None:
    run = read_run(run_path)
    write_record(tmp_path / "again.json", run)
    assert read_run(tmp_path / "again.json") == run
    scores = read_scores(sorted(tmp_path.rglob("scores.json"))[0])
    write_record(tmp_path / "scores.json", scores)
    assert read_scores(tmp_path / "scores.json") == scores
    content = json.loads((tmp_path / "again.json").read_text())
    assert content["schema"] == 1
    assert (tmp_path / "again.json").read_text().endswith("}\n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 2}, "schema: Input should be 1"),
        ({"surprise": 1}, "surprise: Extra inputs are not permitted"),
        ({"seed": -1}, "seed: Input should be greater than or equal to 0"),
        ({"steps": "many"}, "steps: Input should be a valid integer"),
        ({"kind": "assistant"}, "kind: Input should be 'student' or 'teacher'"),
        ({"seconds": {"total": 1.0}}, "seconds.data: Field required"),
    ],
)
def test_records_that_are_none_are_refused(
    run_path: Path, changes: dict[str, Any], message: str
) -> None:
    content = {**json.loads(run_path.read_text()), **changes}
    run_path.write_text(json.dumps(content))
    with pytest.raises(SuiteError) as caught:
        read_run(run_path)
    assert f"{run_path}: {message}" in str(caught.value)
    assert str(caught.value).endswith("run its stage again")


def test_unreadable_records_are_refused(run_path: Path) -> None:
    for content in (b"", b"{", b"null", b"\xff\xfe", run_path.read_bytes()[:-20]):
        run_path.write_bytes(content)
        with pytest.raises(SuiteError, match=r"run\.json: "):
            read_run(run_path)
    with run_path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(SuiteError, match="larger than 33554432 bytes"):
        read_run(run_path)
    run_path.unlink()
    with pytest.raises(SuiteError, match=r"cannot read \(No such file or directory\)"):
        read_run(run_path)


def test_a_write_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "deep/er/file"
    write_bytes(path, b"long content")
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]
    write_json(path, {"b": 1.0, "a": [None, True]})
    assert json.loads(path.read_text()) == {"b": 1.0, "a": [None, True]}


def test_a_write_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def full(descriptor: int) -> None:
        del descriptor
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SuiteError, match=r"cannot write \(No space left on device\)"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("below", ["", "one", "one/two"])
def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "results").write_text("a file")
    path = tmp_path / "results" / below / "run.json"
    with pytest.raises(SuiteError, match=r"run\.json: cannot write \("):
        write_bytes(path, b"new")
    assert (tmp_path / "results").read_text() == "a file"


def test_file_hash_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    assert file_hash(tmp_path / "file") == hashlib.sha256(b"content").hexdigest()
    with pytest.raises(SuiteError, match="cannot read"):
        file_hash(tmp_path / "none")
