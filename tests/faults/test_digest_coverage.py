"""Whatever code a stage's command runs is in its digest, or named here with a reason."""

import json
import os
from pathlib import Path

import pytest
from command_line import python
from small_project import make_project

from segdistill.definitions import PACKAGES, Codebase
from segdistill.digest.choices import evaluation_choices, training_choices
from segdistill.digest.walk import OPERATIONAL, reached
from segdistill.distill import method_names
from segdistill.settings.cell import TEACHER, Cell
from segdistill.settings.loading import run_config

ROOT = Path(__file__).resolve().parents[2]
DATASET = "scenes_camvid"
# Run by the command, but outside of the path that begins at the digest's roots.
AROUND = {
    "segdistill.pipeline.cells": "fingerprints, folders and what is trained already",
    "segdistill.digest.choices": "the choices by name, for the digest itself",
    "segdistill.definitions": "the digest itself",
    "segdistill.digest.walk": "the digest itself",
    "segdistill.digest.structure": "the digest itself",
    "segdistill.pipeline.environment": "what run.json says of the machine",
    "segdistill.pipeline.evaluations": "keys of evaluations and what is scored already",
    "segdistill.pipeline.failures": "why a training left no result",
    "segdistill.following": "ends a worker with its parent",
    "segdistill": "the public face, which imports nothing by itself",
    "segdistill.leaving": "exit codes",
    "segdistill.pipeline.lock": "one process a run",
    "segdistill.settings.cell": "names and folders",
    "segdistill.settings.methods": "options, whose values are in the fingerprint",
    "segdistill.settings.schema": "settings, whose values are in the fingerprint",
    "segdistill.pipeline.seal": "hashes of finished files",
    "segdistill.stop": "when a run pauses, which changes no bit",
    "segdistill.models.vision": "lets torchvision be imported on a CPU build of torch",
    "segdistill.data.describe": "the form of a manifest, whose hash is in the fingerprint",
    "segdistill.data.manifest": "reads a manifest, whose hash is in the fingerprint",
    "segdistill.pipeline.worker": "locks, devices, seals around the trainings",
    "segdistill.data.stream:order_hash": "the order of the images as run.json tells it",
    "segdistill.training.process_group:joined": "makes the process group that a training is given",
}
# Notes every function of ours that runs, as FILE QUALIFIED-NAME, and runs the worker.
WATCHED = """
import inspect, json, runpy, sys, threading
seen, root, log = set(), sys.argv[1], sys.argv[2]
def watch(frame, event, _):
    code = frame.f_code
    is_function = code.co_flags & inspect.CO_OPTIMIZED  # bodies of modules and classes are not
    if event == "call" and is_function and code.co_filename.startswith(root):
        seen.add((code.co_filename, code.co_qualname))
sys.argv = ["worker", *sys.argv[3:]]
threading.setprofile(watch)
sys.setprofile(watch)
try:
    runpy.run_module("segdistill.pipeline.worker", run_name="__main__", alter_sys=True)
finally:
    sys.setprofile(None)
    loaded = [name for name, module in sys.modules.items() if getattr(module, "__file__", None)]
    with open(log, "w") as file:
        json.dump([sorted(seen), loaded], file)
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, drawn: Path) -> Path:
    """A project whose teacher and one student a method were trained by the watched worker."""
    folder = tmp_path_factory.mktemp("watched")
    methods = method_names()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        make_project(folder, "smoke", DATASET, methods, 0, drawn)
    for log, names in (("teacher.json", ["teacher"]), ("students.json", methods)):
        words = [str(ROOT), str(folder / log), "smoke", DATASET, "0", *names]
        done = python("-c", WATCHED, *words, cwd=folder)
        assert done.returncode == 0, done.stderr
        if names == ["teacher"]:
            publish = python("experiments/train.py", "smoke", DATASET, "teacher", cwd=folder)
            assert publish.returncode == 0, publish.stderr
    return folder


@pytest.mark.parametrize("log", ["teacher.json", "students.json"])
def test_all_that_runs_is_covered_or_named(
    watched: Path, log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(watched)
    config = run_config(Cell("smoke", DATASET, TEACHER, 0))
    runs = [("train", training_choices(config)), ("evaluate", evaluation_choices(config))]
    if log == "students.json":
        configs = [run_config(Cell("smoke", DATASET, name, 0)) for name in method_names()]
        runs = [("train", training_choices(config)) for config in configs]
        runs.append(("evaluate", evaluation_choices(configs[0])))
    covered = {d for run in runs for d in reached(*run).definitions}
    called, loaded = json.loads((watched / log).read_text())
    named = AROUND.keys() | OPERATIONAL.keys()
    ours = {name for name in loaded if name.partition(".")[0] in PACKAGES and _defines(name)}
    assert ours - {d.module for d in covered} - named == set()
    single = [name for name in named if ":" in name]
    covered |= set(reached("train", single).definitions)
    missed = set()
    for file, qualified in called:
        name = str(Path(file).relative_to(ROOT).with_suffix("")).replace(os.sep, ".")
        name = name.removesuffix(".__init__")
        definition = qualified.partition(".")[0]
        at_import = definition.startswith("<")  # as part of a constant
        if not at_import and name not in named and (name, definition) not in covered:
            missed.add(f"{name}:{definition}")
    assert missed == set()
    assert len(called) > 100


def _defines(name: str) -> bool:
    """Whether a module has anything of its own, not only what it passes on."""
    module = Codebase(PACKAGES).module(name)
    return module is not None and module.bindings.keys() > {"__all__"}
