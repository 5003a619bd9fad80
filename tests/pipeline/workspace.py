"""A copy of the project with git and DVC around it, in which the pipeline can run for real."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from segdistill.records import RunRecord, ScoreRecord, read_run, read_scores

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ("results/", "data/camvid/", "dvc.lock")
OTHERS = re.compile(
    r"experiments/(?!smoke)[\w-]+/"
)  # DVC loads every experiment with every command
DATASET = "scenes_camvid"
EXPERIMENT = "tiny"
RECIPES = """\
experiment: tiny
about: The fewest steps that run every stage.
note: Synthetic data and a handful of steps.
datasets: [scenes_camvid]
methods: [student, kd]
seeds: [0]
data:
  scenes_camvid: {crop: [64, 64], limit: {train: 6, val: 2, test: 2}}
networks:
  teacher: {decoder: pspnet, backbone: resnet, depth: 18, width: 8, head_width: 8}
  student: {decoder: pspnet, backbone: resnet, depth: 18, width: 8, head_width: 4}
teacher: {steps: 3, batch: 2, learning_rate: 0.02, log_every: 1}
train: {steps: 3, batch: 2, learning_rate: 0.02, log_every: 1}
evaluate: {pictures: 1, latency_runs: 1}
execution: {cohort: true, processes: 1, checkpoint_every: 1}
statistics: {resamples: 500, confidence: 0.95, seed: 0}
options:
  student: {}
  kd: {}
"""


@dataclass
class Workspace:
    """A project folder and the commands that are run in it."""

    root: Path

    def run(self, *command: str, status: int = 0) -> str:
        """Run `python COMMAND`; both streams as text. Fails on another exit status."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout[-3000:]
        return done.stdout

    def repro(self, *arguments: str) -> set[str]:
        """`dvc repro`; the stages that ran, without `digest`, which always does."""
        output = self.run("-m", "dvc", "repro", *arguments)
        ran = set(re.findall(r"Running stage '([^']+)'", output))
        return {name for name in ran if name.rpartition(":")[2] != "digest"}

    def git(self, *arguments: str) -> str:
        """Run git, as somebody; its output."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=self.environment(),
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def changes(self) -> list[str]:
        """Tracked files that differ from the last commit."""
        return self.git("diff", "--name-only").split()

    def environment(self) -> dict[str, str]:
        """This folder's code and no other's, on this Python."""
        people = {f"GIT_{role}_{what}": "tests@localhost"
                  for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}  # fmt: skip
        python = Path(sys.executable).parent
        return {
            **os.environ,
            **people,
            "PATH": f"{python}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "DVC_SITE_CACHE_DIR": str(self.root / ".git/dvc-site-cache"),
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the first `old` in a file, which must be there."""
        path = self.root / file
        source = path.read_text(encoding="utf-8")
        assert old in source, file
        path.write_text(source.replace(old, new, 1), encoding="utf-8")

    def set(self, **values: Any) -> None:
        """Change keys of params.yaml."""
        yaml, path = YAML(), self.root / "params.yaml"
        document = yaml.load(path.read_text(encoding="utf-8"))
        document.update(values)
        yaml.dump(document, path)

    def record(self, method: str, seed: int) -> RunRecord:
        """The run.json of a cell."""
        return read_run(self.results / f"runs/{DATASET}/{method}/seed{seed}/run.json")

    def scores(self, method: str, seed: int) -> ScoreRecord:
        """The scores.json of a cell."""
        return read_scores(self.results / f"evals/{DATASET}/{method}/seed{seed}/scores.json")

    @property
    def results(self) -> Path:
        """The results of the experiment that the tests run."""
        return self.root / "results" / EXPERIMENT


def cells(kind: str, methods: list[str], seeds: list[int]) -> set[str]:
    """Names of the stages `kind` of the matrix."""
    return {f"{kind}@{DATASET}-{m}-{s}" for m in methods for s in seeds}


def both(methods: list[str], seeds: list[int]) -> set[str]:
    """Names of the stages that train and evaluate cells, and of the one that compares them."""
    return cells("train", methods, seeds) | cells("evaluate", methods, seeds) | {COMPARE}


COMPARE = "compare"


def copy_project(destination: Path) -> Workspace:
    """The working tree, tracked files and new ones, without anything it has generated."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        left_out = name.startswith(GENERATED) or OTHERS.match(name)
        if not left_out and (ROOT / name).is_file():
            (destination / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, destination / name)
    workspace = Workspace(destination)
    (destination / "params.yaml").write_text(RECIPES)
    workspace.git("init", "-q", "-b", "main")
    workspace.git("add", "-A")
    workspace.git("commit", "-q", "-m", "Start")
    return workspace
