"""Cityscapes through its authors' download tool: without the tool, without a login, and broken."""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from archive_server import ArchiveServer, serve
from command_line import refusal, segdistill
from release_files import cityscapes_files, contents, make_zip

from segdistill.data import cityscapes
from segdistill.data.download import releases, space
from segdistill.data.download.releases import Archive, Release

IMAGES, LABELS = "leftImg8bit_trainvaltest.zip", "gtFine_trainvaltest.zip"
GET = ("data", "cityscapes", "--from", "download")
BY_HAND = f"get {IMAGES} and {LABELS} by hand from https://example.org/ and give them with --from"
TOOL = "cityscapesscripts.download.downloader"


class Tool(ModuleType):
    """Stands in for the authors' tool: the same two functions, nothing of the network."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(TOOL)
        self.files = dict(files)
        self.login_fault: BaseException | None = None
        self.fault: Exception | None = None
        self.asked: list[tuple[str, bool]] = []

    def login(self) -> str:
        if self.login_fault:
            raise self.login_fault
        return "session"

    def download_packages(
        self, *, session: str, package_names: list[str], destination_path: str, resume: bool = False
    ) -> None:
        assert session == "session"
        (name,) = package_names
        self.asked.append((name, resume))
        path = Path(destination_path) / name
        if self.fault:
            path.write_bytes(self.files[name][:100])
            raise self.fault
        path.write_bytes(self.files[name])


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The two archives of six images, in an empty working directory."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("CITYSCAPES_ROOT", raising=False)
    files = zip((IMAGES, LABELS), cityscapes_files(tmp_path), strict=True)
    found = {name: make_zip(tmp_path / name, content).read_bytes() for name, content in files}
    published = tuple(
        Archive(name, "https://example.org/", len(content), None, hashlib.md5(content).hexdigest())
        for name, content in found.items()
    )
    monkeypatch.setitem(releases.RELEASES, "cityscapes", Release(published))
    for split in cityscapes.LAYOUT.counts:
        monkeypatch.setitem(cityscapes.LAYOUT.counts, split, 3)  # type: ignore[arg-type]
    return found


@pytest.fixture
def tool(archives: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Tool:
    stand_in = Tool(archives)
    package = ModuleType("cityscapesscripts")
    monkeypatch.setitem(sys.modules, "cityscapesscripts", package)
    monkeypatch.setitem(sys.modules, "cityscapesscripts.download", ModuleType("download"))
    monkeypatch.setitem(sys.modules, TOOL, stand_in)
    return stand_in


def complete() -> None:
    assert contents(Path("data/cityscapes/files")) == contents(Path("../cityscapes"))
    assert Path("data/cityscapes/MANIFEST.json").is_file()


def fails_then_works(tool: Tool, message: str, by_hand: str = BY_HAND) -> None:
    found = refusal(*GET)
    assert message in found, found
    assert by_hand in found
    assert not Path("data/cityscapes/files").exists()
    tool.login_fault = tool.fault = None
    assert segdistill(*GET).status == 0
    complete()


def test_both_archives_come_and_are_put_together(tool: Tool) -> None:
    done = segdistill(*GET)
    assert done.status == 0, done.err
    complete()
    assert tool.asked == [(IMAGES, False), (LABELS, False)]


@pytest.mark.usefixtures("archives")
def test_without_the_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cityscapesscripts", None)
    found = refusal(*GET)
    assert found.startswith("cityscapes: downloads need the package cityscapesscripts (")
    assert f"pip install 'segdistill[cityscapes]', or {BY_HAND}" in found
    assert contents(Path()) == {}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (EOFError(), "cityscapes: no login was given; run this in a terminal, or store a login"),
        (KeyboardInterrupt(), "cityscapes: no login was given"),
        (Exception("Bad credentials."), "cityscapes: the login failed (Bad credentials.); check"),
        (ConnectionError("no\nnetwork"), "cityscapes: the login failed (no network)"),
        (ValueError(), "cityscapes: the login failed (ValueError)"),
    ],
)
def test_without_a_login(tool: Tool, fault: BaseException, message: str) -> None:
    tool.login_fault = fault
    fails_then_works(tool, message)


def test_a_transfer_that_breaks_goes_on(tool: Tool) -> None:
    tool.fault = ConnectionError("cut")
    fails_then_works(tool, f"cityscapes: {IMAGES} did not come (cut); run the same command again")
    assert tool.asked == [(IMAGES, False), (IMAGES, True), (LABELS, False)]


def test_a_transfer_whose_checksum_is_wrong_starts_over(tool: Tool) -> None:
    tool.fault = Exception("MD5 sum of downloaded file does not match.")
    fails_then_works(tool, f"{IMAGES} did not come (MD5 sum of downloaded file does not match.)")
    assert tool.asked == [(IMAGES, False), (IMAGES, False), (LABELS, False)]


def test_a_full_disk(tool: Tool) -> None:
    tool.fault = OSError(28, "No space left on device")
    found = refusal(*GET)
    assert f"partial/{IMAGES}: cannot be written (No space left on device); make room" in found


def test_another_file_under_the_right_name(tool: Tool) -> None:
    good = tool.files[LABELS]
    tool.files[LABELS] = b"<html>login</html>"
    found = refusal(*GET)
    assert f"what came is not {LABELS}: its md5 is not" in found
    tool.files[LABELS] = good
    assert segdistill(*GET).status == 0
    complete()
    assert tool.asked == [(IMAGES, False), (LABELS, False), (LABELS, False)]


def test_archives_that_are_there_need_no_login(tool: Tool, archives: dict[str, bytes]) -> None:
    folder = Path("data/cityscapes/downloads")
    folder.mkdir(parents=True)
    for name, content in archives.items():
        (folder / name).write_bytes(content)
    tool.login_fault = EOFError()
    assert segdistill(*GET).status == 0
    complete()


def test_too_little_room_is_said_before_the_login(
    tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool.login_fault = AssertionError("asked too early")
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    assert f"{IMAGES} and {LABELS} and what is unpacked of them needs" in refusal(*GET)


@pytest.fixture
def site(archives: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[ArchiveServer]:
    """The tool itself, with a session that finds a server on this machine in place of the site."""
    downloader = pytest.importorskip(TOOL, reason="the optional cityscapesscripts is not installed")
    both = b"".join(archives.values())
    with serve(both) as server:
        monkeypatch.setattr(downloader, "login", lambda: Session(server, archives))
        yield server


class Session:
    """What the tool asks of its site: the list of packages, an md5 sum, a file from a byte on."""

    def __init__(self, server: ArchiveServer, archives: dict[str, bytes]) -> None:
        import requests

        self.server, self.names = server, list(archives)
        self.archives = archives
        self.real = requests.Session()
        self.real.trust_env = False

    def get(self, url: str, headers: Any = None, **options: Any) -> Any:
        page, _, wanted = url.rpartition("/")[2].partition("=")
        if page == "?list":
            packages = [{"name": name, "packageID": index, "size": "1KB"}
                        for index, name in enumerate(self.names)]  # fmt: skip
            return SimpleNamespace(raise_for_status=lambda: None, json=lambda: packages)
        name = self.names[int(wanted)]
        if "md5-sum" in url:
            text = hashlib.md5(self.archives[name]).hexdigest()
            return SimpleNamespace(raise_for_status=lambda: None, text=f"{text} {name}")
        self.server.content = self.archives[name]
        return self.real.get(self.server.url, headers=headers, **options)


def test_the_tool_itself_downloads_and_resumes(site: ArchiveServer) -> None:
    site.script = ["cut"]
    found = refusal(*GET)
    assert f"cityscapes: {IMAGES} did not come (" in found
    assert not Path("data/cityscapes/files").exists()
    assert segdistill(*GET).status == 0
    complete()
    assert site.asked[0] is None
    assert site.asked[1] != "bytes=0-"


def test_the_tool_itself_is_refused(site: ArchiveServer) -> None:
    site.script = [401]
    assert "did not come (401 Client Error" in refusal(*GET)
    assert segdistill(*GET).status == 0
    complete()
