"""The report as Chromium sees it; skipped where there is none."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from results_tree import make_tree

from segdistill.report.compare import build_report

DATA = "scenes_camvid"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
           "--allow-file-access-from-files", "--enable-logging=stderr", "--log-level=0",
           "--virtual-time-budget=2000")  # fmt: skip
DESKTOP, PHONE = (1280, 900), (390, 844)
DARK, LIGHT = 0, 1  # Blink's preferredColorScheme
OWN = "not an origin"  # initiator of Chromium's own requests, such as for updates
# Writes how wide the page in a frame of a phone's width would like to be.
FRAME = """<iframe id="page" src="{page}" width="{width}" height="800"></iframe><script>
onload = () => {{ const root = document.getElementById("page").contentDocument.documentElement;
document.title = "wide " + root.scrollWidth; }};</script>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@dataclass(frozen=True)
class Seen:
    """What came of opening a page."""

    console: list[str]
    requests: list[str]
    corner: int  # brightness, 0..255


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    tree = make_tree(root, (DATA,), ("student", "kd"), (0, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        build_report(None, Path("results"))
    return tree.folder / "report.html"


def chromium(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(CHROMIUM), *OPTIONS, *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def look(page: Path, size: tuple[int, int], scheme: int, folder: Path) -> Seen:
    picture, log = folder / "screen.png", folder / "net.json"
    done = chromium(
        page,
        f"--window-size={size[0]},{size[1]}",
        f"--screenshot={picture}",
        f"--log-net-log={log}",
        f"--blink-settings=preferredColorScheme={scheme}",
    )
    requests = [
        event["params"]["url"]
        for event in json.loads(log.read_text())["events"]
        if event.get("params", {}).get("initiator", OWN) != OWN
    ]
    with Image.open(picture) as screen:
        assert screen.size == size
        corner = int(screen.convert("L").getpixel((2, 2)))  # type: ignore[arg-type]
    return Seen(re.findall(r".*CONSOLE.*", done.stderr), requests, corner)


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, LIGHT), (PHONE, DARK)])
def test_a_page_opens_without_error_or_request(
    page: Path, size: tuple[int, int], scheme: int, tmp_path: Path
) -> None:
    seen = look(page, size, scheme, tmp_path)
    assert seen.console == []
    assert seen.requests == []
    assert seen.corner < 64 if scheme == DARK else seen.corner > 192


def test_errors_and_requests_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text('<img src="http://host.invalid/x.png"><script>absent();</script>')
    seen = look(page, PHONE, LIGHT, tmp_path)
    assert len(seen.console) == 1
    assert set(seen.requests) == {"http://host.invalid/x.png"}


def test_a_phone_need_not_scroll_sideways(page: Path, tmp_path: Path) -> None:
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(page=page.as_uri(), width=PHONE[0]))
    shown = chromium(frame, "--dump-dom").stdout
    found = re.search(r"<title>wide (\d+)</title>", shown)
    assert found is not None
    assert int(found[1]) <= PHONE[0]
