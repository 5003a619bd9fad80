"""Arbitrary bytes in every file that is read: SuiteError or a good value, never anything else."""

import contextlib
import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_files import write_dataset
from hypothesis import given
from hypothesis import strategies as st

from segdistill.data.manifest import read_manifest, verify
from segdistill.data.preparation import prepare
from segdistill.data.splits import Split, open_split
from segdistill.errors import SuiteError
from segdistill.evaluation.areas import Areas, Measure
from segdistill.evaluation.predictions import score_predictions
from segdistill.models.weights import read_tensors, save_weights
from segdistill.pipeline.seal import SEAL, read_seal, seal
from segdistill.records import read_run, read_scores
from segdistill.settings.loading import read_experiment
from segdistill.training.checkpoint import load_checkpoint, save_checkpoint

REPOSITORY = Path(__file__).resolve().parents[2]
Edit = tuple[float, int, bytes]  # where (fraction of the file), bytes removed, bytes inserted

edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=4
)
words = st.sampled_from(
    [
        "null",
        "-1",
        "1e999",
        ".nan",
        "[]",
        "{}",
        "''",
        "../../x",
        "&a",
        "*a",
        "!!python/name:os.x",
        ": ",
    ]
)
short = st.text(st.characters(exclude_categories=("C", "Z")), max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | short,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(short, inner, max_size=3),
    max_leaves=5,
)


def edited(content: bytes, changes: Sequence[Edit]) -> bytes:
    for fraction, removed, inserted in changes:
        place = int(fraction * len(content))
        content = content[:place] + inserted + content[place + removed :]
    return content


def read_safely(read: Callable[[], object]) -> object:
    """What `read` returns, or None if it refuses as it should: in one or two lines."""
    message = "one line"
    try:
        return read()
    except SuiteError as error:
        message = str(error)
        return None
    finally:
        assert 1 <= len(message.splitlines()) <= 2


class Files:
    """One valid file of every kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "fuzzed"
        root = write_dataset("camvid", folder / "camvid", count=2)
        self.manifest = prepare("camvid", root, folder / "manifest", subset=True).read_bytes()
        self.root = root
        self.split: Split = open_split("camvid", root, "test")
        labels = [np.zeros_like(self.split.read(index).label) for index in range(2)]
        self.predictions = npz(names=np.array(self.split.names), predictions=np.stack(labels))
        measure = Measure(self.split.info.classes)
        for name, label in zip(self.split.names, labels, strict=True):
            measure.add(name, label, label)
        measure.finish().save(self.path)
        self.areas = self.path.read_bytes()
        save_weights(self.path, torch.nn.Linear(2, 2))
        self.weights = self.path.read_bytes()
        self.path.unlink()
        self.params = (REPOSITORY / "experiments/smoke/params.yaml").read_bytes()

    def write(self, content: bytes) -> Path:
        self.path.write_bytes(content)
        return self.path


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("fuzz"))


def test_what_is_whole_is_read(files: Files, record: dict[str, Any]) -> None:
    """A reader that refuses everything would pass all tests below."""
    assert read_manifest(files.write(files.manifest)).dataset == "camvid"
    assert score_predictions(files.write(files.predictions), files.split)["miou"] is not None
    assert len(Areas.load(files.write(files.areas)).names) == 2
    assert set(read_tensors(files.write(files.weights))) == {"weight", "bias"}
    assert read_run(files.write(json.dumps(record).encode())).dataset == "camvid"


@given(changes=edits, word=words, where=st.floats(0, 1))
def test_experiments(files: Files, changes: list[Edit], word: str, where: float) -> None:
    with contextlib.chdir(files.folder):
        for content in (
            edited(files.params, changes),
            edited(files.params, [(where, 3, word.encode())]),
        ):
            Path("params.yaml").write_bytes(content)
            read_safely(lambda: read_experiment(None))
        Path("params.yaml").write_bytes(files.params)
        assert read_safely(lambda: read_experiment(None)) is not None


@given(changes=edits)
def test_manifests(files: Files, changes: list[Edit]) -> None:
    path = files.write(edited(files.manifest, changes))
    if read_safely(lambda: read_manifest(path)) is not None:
        read_safely(lambda: verify(path, files.root))


@given(key=st.sampled_from(["dataset", "splits", "files", "duplicates"]), value=json_values)
def test_manifests_with_foreign_values(files: Files, key: str, value: object) -> None:
    content = {**json.loads(files.manifest), key: value}
    path = files.write(json.dumps(content).encode())
    if read_safely(lambda: read_manifest(path)) is not None:
        read_safely(lambda: verify(path, files.root))


@given(changes=edits)
def test_predictions(files: Files, changes: list[Edit]) -> None:
    path = files.write(edited(files.predictions, changes))
    read_safely(lambda: score_predictions(path, files.split))


@given(
    shape=st.lists(st.integers(0, 3), max_size=4),
    kind=st.sampled_from(["u1", "i8", "f4", "?", "U3", "S2", "c8", "M8[s]"]),
    names=st.sampled_from(["U4", "i4", "S4"]),
)
def test_predictions_of_any_type(files: Files, shape: list[int], kind: str, names: str) -> None:
    count = shape[0] if shape else 0
    content = npz(names=np.zeros(count, names), predictions=np.zeros(shape, kind))
    assert read_safely(lambda: score_predictions(files.write(content), files.split)) is None


def test_more_pixels_than_fit_in_memory(files: Files) -> None:
    with zipfile.ZipFile(files.path, "w") as archive:
        for name, kind, shape in (("names", "<U1", (2,)), ("predictions", "|u1", (2, 1 << 50, 9))):
            header = io.BytesIO()
            values = {"descr": kind, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(header, values)
            archive.writestr(f"{name}.npy", header.getvalue() + bytes(8))
    with pytest.raises(SuiteError, match="fuzzed"):
        score_predictions(files.path, files.split)
    with pytest.raises(SuiteError, match="fuzzed"):
        Areas.load(files.path)


@given(changes=edits)
def test_areas(files: Files, changes: list[Edit]) -> None:
    read_safely(lambda: Areas.load(files.write(edited(files.areas, changes))))


@given(changes=edits)
def test_weights(files: Files, changes: list[Edit]) -> None:
    read_safely(lambda: read_tensors(files.write(edited(files.weights, changes))))


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    path = REPOSITORY / "results/camvid/teachers/camvid/run.json"
    return json.loads(path.read_text()) if path.is_file() else {"schema": 1, "kind": "student"}


@given(changes=edits, key=short, value=json_values)
def test_records(
    files: Files, record: dict[str, Any], changes: list[Edit], key: str, value: object
) -> None:
    for content in (
        edited(json.dumps(record).encode(), changes),
        json.dumps({**record, key: value}).encode(),
    ):
        path = files.write(content)
        read_safely(partial(read_run, path))
        read_safely(partial(read_scores, path))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
@given(changes=edits)
def test_checkpoints(files: Files, changes: list[Edit]) -> None:
    folder = files.folder / "checkpoints"
    folder.mkdir(exist_ok=True)
    save_checkpoint(folder, 1, {"step": 1, "net": {"weight": torch.ones(2)}})
    path = folder / "checkpoint-00000001.pt"
    whole = path.read_bytes()
    path.write_bytes(edited(whole, changes))
    found = load_checkpoint(folder)
    assert found is None or found["net"]["weight"].tolist() == [1, 1]
    assert path.read_bytes() != whole or found is not None
    body = edited(whole[65:], changes)  # with a digest that is right, as no accident makes it
    path.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    load_checkpoint(folder)


@given(changes=edits)
def test_seals(files: Files, changes: list[Edit]) -> None:
    folder = files.folder / "sealed"
    folder.mkdir(exist_ok=True)
    (folder / "log.jsonl").write_text("{}")
    seal(folder, {"steps": 1})
    whole = (folder / SEAL).read_bytes()
    (folder / SEAL).write_bytes(edited(whole, changes))
    found = read_seal(folder)
    assert found is None or (found.files, found.facts) == (("log.jsonl",), {"steps": 1})


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname"])
def test_a_seal_names_no_file_outside_its_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("")
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / name
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    content = {"files": {name: digest}, "facts": {}}
    own = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    (folder / SEAL).write_text(json.dumps({**content, "sha256": own}))
    assert read_seal(folder) is None


class Malicious:
    """Unpickled, it would leave a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
@pytest.mark.parametrize("inside", [True, False])
def test_a_malicious_pickle_does_nothing(inside: bool, files: Files, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    buffer = io.BytesIO()
    if inside:
        torch.save({"step": Malicious(trace)}, buffer)
    else:
        pickle.dump(Malicious(trace), buffer)
    body = buffer.getvalue()
    digest = hashlib.sha256(body).hexdigest().encode()
    (tmp_path / "checkpoint-00000001.pt").write_bytes(digest + b"\n" + body)
    assert load_checkpoint(tmp_path) is None
    path = files.write(body)
    objects = npz(predictions=np.array([Malicious(trace)], dtype=object))
    readers: list[Callable[[], object]] = [
        lambda: read_tensors(path),
        lambda: score_predictions(path, files.split),
        lambda: Areas.load(path),
        lambda: score_predictions(files.write(objects), files.split),
        lambda: Areas.load(files.write(objects)),
    ]
    for read in readers:
        with pytest.raises(SuiteError):
            read()
    assert not trace.exists()
