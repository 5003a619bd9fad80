"""Reading published gains, and the names under which published networks go."""

from pathlib import Path
from typing import Any, cast

import pytest

from segdistill.errors import SuiteError
from segdistill.records import RunRecord
from segdistill.report.claims import COLUMNS, read_claims
from segdistill.report.matrix import Finished
from segdistill.report.pairing import published_pair

ROOT = Path(__file__).resolve().parents[2]
ROW = "camvid,DeepLabV3-R101,PSPNet-R18,cirkd,test,paper,https://example.org,mIoU,68.65,1.92"


def _write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n", encoding="utf-8")
    return path


def test_percent_becomes_fractions(tmp_path: Path) -> None:
    (claim,) = read_claims(_write(tmp_path / "claims.csv", ROW))
    assert claim.gain == pytest.approx(0.0192, abs=1e-15)
    assert claim.value == pytest.approx(0.6865, abs=1e-15)
    assert claim.pair == "DeepLabV3-R101 → PSPNet-R18"


def test_rows_without_a_gain_in_miou_are_no_claims(tmp_path: Path) -> None:
    without = ROW.removesuffix("1.92")
    other = ROW.replace("mIoU", "pixel accuracy")
    assert read_claims(_write(tmp_path / "claims.csv", without, other)) == ()


def test_a_file_that_a_spreadsheet_saved(tmp_path: Path) -> None:
    path = _write(tmp_path / "claims.csv", ROW)
    plain = read_claims(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_claims(path) == plain != ()


def test_no_file_means_no_claims(tmp_path: Path) -> None:
    assert read_claims(tmp_path / "claims.csv") == ()


@pytest.mark.parametrize("bad", ["much", "nan", "inf", "192"])
def test_a_bad_number_is_named_with_its_line(tmp_path: Path, bad: str) -> None:
    path = _write(tmp_path / "claims.csv", ROW, ROW.replace("1.92", bad))
    with pytest.raises(SuiteError, match=rf"claims.csv:3: gain: '{bad}' is not a number"):
        read_claims(path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("dataset,method\ncamvid,kd\n")
    with pytest.raises(SuiteError, match="no column 'teacher'"):
        read_claims(path)


def test_the_claims_of_the_project_can_be_read() -> None:
    claims = read_claims(ROOT / "experiments" / "claims.csv")
    assert claims
    assert all(claim.source and abs(claim.gain) < 0.2 for claim in claims)


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (
            {"decoder": "deeplabv3", "backbone": "resnet", "depth": 101, "width": 64},
            "DeepLabV3-R101",
        ),
        ({"decoder": "pspnet", "backbone": "resnet", "depth": 18, "width": 16}, "PSPNet-R18 w16"),
        ({"decoder": "deeplabv3", "backbone": "mobilenet_v2", "widen": 1.0}, "DeepLabV3-MBV2"),
        ({"decoder": "pspnet", "backbone": "mobilenet_v2", "widen": 0.5}, "PSPNet-MBV2 x0.5"),
        (None, ""),
    ],
)
def test_networks_go_by_their_published_names(network: dict[str, Any] | None, name: str) -> None:
    run = cast(Any, RunRecord).model_construct(config={"teacher": network, "student": network})
    found = Finished(run, cast(Any, None), cast(Any, None))
    assert published_pair(found) == (name, name)
