"""DVC's list of who is at work: what a kill left of it is removed, a whole one is not touched."""

import threading
import time
from pathlib import Path

import pytest

from segdistill.pipeline import rwlock
from segdistill.pipeline.rwlock import RWLOCK, drop_torn_rwlock, is_torn


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rwlock, "WAIT_SECONDS", 0.3)
    RWLOCK.parent.mkdir(parents=True)


def test_no_list_is_no_torn_one() -> None:
    assert not is_torn()
    drop_torn_rwlock()
    RWLOCK.parent.rmdir()
    assert not is_torn()


@pytest.mark.parametrize("content", ["", '{"/data": {"read": [', "\xff"])
def test_a_torn_list_goes(content: str) -> None:
    RWLOCK.write_text(content, encoding="latin-1")
    assert is_torn()
    drop_torn_rwlock()
    assert not RWLOCK.exists()


def test_a_list_that_is_being_written_stays() -> None:
    RWLOCK.touch()

    def write() -> None:
        time.sleep(0.1)
        RWLOCK.write_text("{}")

    writer = threading.Thread(target=write)
    writer.start()
    drop_torn_rwlock()
    writer.join()
    assert RWLOCK.read_text() == "{}"
