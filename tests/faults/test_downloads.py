"""Downloads that go wrong: a clear line, status 2, no partial dataset, and a retry that works."""

import hashlib
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from archive_server import ArchiveServer, serve
from command_line import refusal, segdistill
from release_files import camvid_files, contents, make_zip

from segdistill.data.download import archive, releases, space
from segdistill.data.download import download as downloading
from segdistill.data.download.releases import Archive, Release
from segdistill.data.readers import camvid

NAME = "camvid-release.zip"
PAGE = "https://example.org/camvid"
ARCHIVE = Path("data/camvid/downloads") / NAME
PART = ARCHIVE.with_name(f"{NAME}.part")
GET = ("data", "camvid", "--from", "download")
BY_HAND = f"get {NAME} by hand from {PAGE} and give it with --from"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArchiveServer]:
    """The release of a CamVid of nine images, in an empty working directory."""
    path = make_zip(tmp_path / NAME, camvid_files(tmp_path))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in ("CAMVID_ROOT", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(downloading, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(downloading, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(downloading, "CHUNK", 1000)
    for split in camvid.LAYOUT.counts:
        monkeypatch.setitem(camvid.LAYOUT.counts, split, 3)  # type: ignore[arg-type]
    with serve(path.read_bytes(), NAME) as server:
        publish(monkeypatch, server)
        yield server


def publish(monkeypatch: pytest.MonkeyPatch, server: ArchiveServer, checked: bool = True) -> None:
    """Let `--from download` get CamVid from `server`."""
    digest = hashlib.md5(server.content).hexdigest() if checked else None
    published = Archive(NAME, PAGE, len(server.content), server.url, digest)
    monkeypatch.setitem(releases.RELEASES, "camvid", Release((published,)))


def nothing_but_downloads() -> None:
    assert {path.parent for path in Path("data").rglob("*") if path.is_file()} <= {PART.parent}


def complete() -> None:
    """The dataset is there, and nothing half-done beside it."""
    assert contents(Path("data/camvid/files")) == contents(Path("../camvid"))
    assert Path("data/camvid/MANIFEST.json").is_file()
    assert not PART.exists()
    assert not Path("data/camvid/.work").exists()


def fails_then_works(server: ArchiveServer, message: str) -> None:
    """The command fails with `message`, leaves no dataset, and works when it is given again."""
    found = refusal(*GET)
    assert message in found, found
    assert BY_HAND in found
    nothing_but_downloads()
    server.script.clear()
    assert segdistill(*GET).status == 0
    complete()


def test_a_good_server(server: ArchiveServer) -> None:
    done = segdistill(*GET)
    assert done.status == 0, done.err
    complete()
    assert server.asked == [None]
    assert f"{NAME} (MiB)" in done.err


def test_a_cut_is_resumed_from_the_byte_where_it_was(server: ArchiveServer) -> None:
    server.script = ["cut", "cut"]
    assert segdistill(*GET).status == 0
    complete()
    half = len(server.content) // 2
    more = half + (len(server.content) - half) // 2
    assert server.asked == [None, f"bytes={half}-", f"bytes={more}-"]


def test_a_cut_is_resumed_by_the_next_command(server: ArchiveServer) -> None:
    server.script = ["cut", 503, 503, 503]
    fails_then_works(server, "the server fails (HTTP 503); run the same command again, which goes")
    half = len(server.content) // 2
    assert server.asked[-1] == f"bytes={half}-"


def test_a_server_without_ranges_starts_over(server: ArchiveServer) -> None:
    server.script = ["cut", "no ranges"]
    assert segdistill(*GET).status == 0
    complete()


def test_a_range_that_was_not_asked_for_is_not_appended(server: ArchiveServer) -> None:
    server.script = ["cut", "wrong range"]
    fails_then_works(server, "what came is not camvid-release.zip: its md5 is")


def test_a_length_that_is_not_stated(server: ArchiveServer) -> None:
    server.script = ["chunked"]
    assert segdistill(*GET).status == 0
    complete()


def test_a_cut_without_a_length_is_noticed(server: ArchiveServer) -> None:
    server.script = ["chunked cut", "no ranges"]
    assert segdistill(*GET).status == 0
    complete()
    assert len(server.asked) == 2


def test_wrong_checksum(server: ArchiveServer) -> None:
    server.script = ["changed"]
    fails_then_works(server, "what came is not camvid-release.zip: its md5 is")


def test_a_resumed_file_that_was_changed_meanwhile(server: ArchiveServer) -> None:
    PART.parent.mkdir(parents=True)
    PART.write_bytes(b"of an older release")
    fails_then_works(server, "it was removed. Run the same command again")
    assert server.asked == ["bytes=19-", None]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (401, "asks for a login (HTTP 401)"),
        (403, "refuses (HTTP 403)"),
        (404, "is not there (HTTP 404)"),
        (410, "is gone (HTTP 410)"),
        (418, "answers with an error (HTTP 418)"),
    ],
)
def test_a_server_that_refuses(server: ArchiveServer, state: int, message: str) -> None:
    server.script = [state]
    fails_then_works(server, f"{server.url}: {message}; {BY_HAND}")


@pytest.mark.parametrize("state", [429, 500, 502, 503])
def test_a_server_that_fails_for_a_moment(server: ArchiveServer, state: int) -> None:
    server.script = [state, state]
    assert segdistill(*GET).status == 0
    complete()


def test_a_server_that_stalls(server: ArchiveServer) -> None:
    server.script = ["stall", *["stall"] * 20]
    server.content = server.content[:256]  # few halves, so that it soon brings nothing more
    found = refusal(*GET)
    assert "stalled: nothing came for 0.3 s; run the same command again" in found
    nothing_but_downloads()
    assert PART.stat().st_size > 128


def test_a_stall_is_resumed(server: ArchiveServer) -> None:
    server.script = ["stall"]
    assert segdistill(*GET).status == 0
    complete()
    assert server.asked == [None, f"bytes={len(server.content) // 2}-"]


def test_nobody_there(server: ArchiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    good = server.url
    server.url = "http://127.0.0.1:9/nothing.zip"
    publish(monkeypatch, server)
    found = refusal(*GET)
    assert "cannot be reached (" in found
    assert BY_HAND in found
    server.url = good
    publish(monkeypatch, server)
    assert segdistill(*GET).status == 0
    complete()


@pytest.mark.parametrize("checked", [True, False])
def test_a_login_page_in_place_of_the_archive(
    server: ArchiveServer, checked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, server, checked)
    server.script = ["page"]
    fails_then_works(server, "its md5 is" if checked else "it is no zip or tar archive")


def test_whole_but_not_yet_moved(server: ArchiveServer) -> None:
    PART.parent.mkdir(parents=True)
    PART.write_bytes(server.content)
    assert segdistill(*GET).status == 0
    complete()
    assert server.asked == [f"bytes={len(server.content)}-"]


def test_more_than_there_is(server: ArchiveServer) -> None:
    PART.parent.mkdir(parents=True)
    PART.write_bytes(server.content + b"more")
    assert segdistill(*GET).status == 0
    complete()


def test_an_archive_that_is_there_is_not_fetched_again(server: ArchiveServer) -> None:
    ARCHIVE.parent.mkdir(parents=True)
    ARCHIVE.write_bytes(server.content)
    assert segdistill(*GET).status == 0
    complete()
    assert server.asked == []


def test_an_archive_that_was_damaged_since_is_removed(server: ArchiveServer) -> None:
    ARCHIVE.parent.mkdir(parents=True)
    ARCHIVE.write_bytes(server.content[:-1])
    fails_then_works(server, "what came is not camvid-release.zip")


@pytest.mark.usefixtures("server")
def test_too_little_room_is_said_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(space.shutil, "disk_usage", lambda _: Little)
        found = refusal(*GET)
    assert f"{NAME} and what is unpacked of it needs 0.00 GiB, only 0.00 GiB are free" in found
    assert "--destination" in found
    assert contents(Path("data")) == {}
    assert segdistill(*GET).status == 0
    complete()


class Little:
    free = 100


@pytest.mark.usefixtures("server")
def test_files_that_are_not_the_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    archives = releases.RELEASES["camvid"].archives
    monkeypatch.setitem(releases.RELEASES, "camvid", Release(archives, contents="0" * 64))
    found = refusal(*GET)
    assert "camvid: the files that came are not those of the release; to use them" in found
    nothing_but_downloads()
    assert segdistill("data", "camvid", "--from", ARCHIVE).status == 0  # a deliberate choice
    complete()


@pytest.mark.usefixtures("server")
def test_installed_data_are_not_downloaded_over() -> None:
    assert segdistill(*GET).status == 0
    assert "data/camvid/files: exists already; remove it to download again" in refusal(*GET)
    complete()


def test_download_stands_alone(server: ArchiveServer) -> None:
    found = refusal(*GET, "camvid.zip")
    assert found == "--from download takes no other source beside it"
    assert server.asked == []


@contextmanager
def quota(size: int) -> Iterator[None]:
    """No file that this process writes may become larger than `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_quota_that_ends_the_download(server: ArchiveServer) -> None:
    with quota(2000):
        found = refusal(*GET)
    assert f"{PART}: cannot be written (File too large); make room" in found
    nothing_but_downloads()
    assert segdistill(*GET).status == 0
    complete()
    assert server.asked[-1] == "bytes=2000-"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with 64 KiB, where the machine lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command here")
    if done.returncode:
        pytest.skip(f"no right to mount a small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_is_too_small(server: ArchiveServer, small_disk: Path) -> None:
    """The check before the download sees it; nothing is written."""
    server.content += bytes(40_000)
    found = refusal(*GET, "--destination", small_disk / "camvid")
    assert "needs 0.00 GiB, only 0.00 GiB are free; make room" in found
    assert contents(small_disk) == {}


def test_a_disk_that_fills_up_meanwhile(
    server: ArchiveServer, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program takes the room after the check."""
    other = small_disk / "other"
    with monkeypatch.context() as patch:
        patch.setattr(downloading, "require_space", lambda *_: other.write_bytes(bytes(57_344)))
        found = refusal(*GET, "--destination", small_disk / "camvid")
    assert "cannot be written (No space left on device); make room" in found
    other.unlink()
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert segdistill(*GET, "--destination", small_disk / "camvid").status == 0
    assert contents(small_disk / "camvid/files") == contents(Path("../camvid"))
    assert server.asked[-1] != "bytes=0-"


@pytest.mark.usefixtures("server")
def test_a_disk_that_fills_up_while_unpacking(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(archive, "require_space", lambda *_: None)
    command = ("data", "camvid", "--from", tmp_path / NAME, "--destination", small_disk / "camvid")
    (small_disk / "other").write_bytes(bytes(45_056))
    assert "cannot be written (No space left on device); make room" in refusal(*command)
    assert [path.name for path in (small_disk / "camvid").rglob("*") if path.is_file()] == []
    (small_disk / "other").unlink()
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert segdistill(*command).status == 0
    assert contents(small_disk / "camvid/files") == contents(Path("../camvid"))
