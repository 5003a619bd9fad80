"""dvc.lock holds the active profile's stages; those of the others lie beside their results."""

from pathlib import Path

import pytest

from segdistill.errors import SuiteError
from segdistill.pipeline.recorded import (
    COPY,
    LOCK,
    keep_stages,
    mend_stages,
    require_stages,
    stages_path,
    switch_stages,
)

HEAD = "schema: '2.0'\nstages:\n  digest:\n    cmd: python experiments/digest.py\n"
STAGE = "  train@{0}-camvid-kd-0:\n    cmd: python experiments/train.py {0} camvid kd 0\n"
COMPARE = "  compare@{0}:\n    cmd: python experiments/compare.py --profile {0} --partial\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _lock(*stages: str) -> str:
    return HEAD + "".join(stages)


OWN, OTHER = _lock(STAGE.format("a"), COMPARE.format("a")), _lock(COMPARE.format("a-b"))


def test_stages_go_and_come_back() -> None:
    LOCK.write_text(OWN)
    switch_stages("a-b")
    assert not LOCK.exists()
    LOCK.write_text(OTHER)
    switch_stages("a")
    assert LOCK.read_text() == OWN
    assert stages_path("a-b").read_text() == OTHER
    switch_stages("a-b")
    assert LOCK.read_text() == OTHER


def test_using_the_active_profile_keeps_its_stages() -> None:
    LOCK.write_text(OWN)
    switch_stages("a")
    assert LOCK.read_text() == stages_path("a").read_text() == OWN
    LOCK.unlink()
    switch_stages("a")
    assert LOCK.read_text() == OWN


def test_a_switch_that_was_killed_halfway_loses_nothing() -> None:
    """Whatever params.yaml says by then, a lock goes to the profile whose stages it holds."""
    stages_path("a").parent.mkdir(parents=True)
    stages_path("a").write_text(OWN)
    LOCK.write_text(OTHER)
    switch_stages("a-b")
    assert stages_path("a").read_text() == OWN
    assert stages_path("a-b").read_text() == OTHER


def test_a_lock_of_two_profiles_serves_both() -> None:
    both = _lock(STAGE.format("a"), COMPARE.format("a-b"))
    LOCK.write_text(both)
    switch_stages("c")
    assert stages_path("a").read_text() == stages_path("a-b").read_text() == both


def test_kept_stages_must_be_in_use() -> None:
    require_stages("a")
    LOCK.write_text(OWN)
    switch_stages("a-b")
    with pytest.raises(SuiteError, match="segdistill use a` brings them back"):
        require_stages("a")
    LOCK.write_text(OTHER)
    with pytest.raises(SuiteError, match="holds no stage of profile a, while results/a/stages"):
        require_stages("a")
    require_stages("a-b")
    switch_stages("a")
    require_stages("a")


def test_a_lock_that_a_kill_cut_short_is_whole_again() -> None:
    """DVC writes it in place, so that any first part of it may be what is left."""
    LOCK.write_text(OWN)
    keep_stages()
    for size in range(len(OWN)):
        LOCK.write_text(OWN[:size])
        keep_stages()  # of a torn lock nothing is copied
        assert mend_stages(), OWN[:size]
        assert LOCK.read_text() == OWN
        LOCK.write_text(OWN[:size])
        switch_stages("a")
        assert LOCK.read_text() == stages_path("a").read_text() == OWN
    assert not mend_stages()


def test_a_lock_that_grew_is_not_taken_for_a_torn_one() -> None:
    LOCK.write_text(_lock(STAGE.format("a")))
    keep_stages()
    LOCK.write_text(OWN)
    assert not mend_stages()
    keep_stages()
    assert COPY.read_text() == OWN
    LOCK.write_text(OTHER)  # of another profile, brought back by hand
    assert not mend_stages()


def test_a_lock_that_was_removed_stays_away() -> None:
    LOCK.write_text(OWN)
    keep_stages()
    LOCK.unlink()
    assert not mend_stages()
    assert not COPY.exists()
    LOCK.write_text(_lock())
    assert not mend_stages()


@pytest.mark.parametrize(
    "content", [f"<<<<<<< HEAD\n{OWN}=======\n{OTHER}>>>>>>> branch\n", OWN[:-3]]
)
def test_what_dvc_did_not_write_is_kept_nowhere(content: str) -> None:
    LOCK.write_text(content)
    with pytest.raises(SuiteError, match=r"dvc\.lock: not what DVC wrote .*remove it"):
        switch_stages("a")
    assert not stages_path("a").exists()


def test_a_folder_in_place_of_the_lock_is_named() -> None:
    LOCK.mkdir()
    with pytest.raises(SuiteError, match=r"dvc\.lock: cannot read"):
        switch_stages("a")


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", ".."])
def test_a_foreign_lock_writes_nothing_elsewhere(name: str, tmp_path: Path) -> None:
    LOCK.write_text(_lock(STAGE.format(name)))
    before = set(tmp_path.parent.rglob("stages.lock"))
    switch_stages("a")
    assert set(tmp_path.parent.rglob("stages.lock")) == before
