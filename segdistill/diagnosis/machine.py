"""Device, cores, memory, disk, git and DVC."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from segdistill.diagnosis.finding import Finding
from segdistill.pipeline.environment import git_commit, processor

GIBIBYTE = 1 << 30
LITTLE_MEMORY = 3 * GIBIBYTE  # a training process of the default profile needs about one
LITTLE_DISK = 2 * GIBIBYTE  # the default profile writes a tenth of it


def machine_findings() -> Iterator[Finding]:
    """What the machine has, and whether the tools around the suite work."""
    yield device_finding()
    yield Finding("cores", "ok", f"{os.cpu_count() or 1} of {processor()}")
    yield amount_finding("memory", memory(), LITTLE_MEMORY, "close other programs")
    free = shutil.disk_usage(".").free
    yield amount_finding("disk", free, LITTLE_DISK, "free some, .scratch/ of old runs first")
    yield git_finding()
    yield dvc_finding()


def device_finding() -> Finding:
    """What torch computes on."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return Finding("torch", "missing", f"does not import ({error})", "install it anew")
    if torch.cuda.is_available():
        name, count = torch.cuda.get_device_name(0), torch.cuda.device_count()
        return Finding("device", "ok", f"{name}, {count} of them; torch {torch.__version__}")
    return Finding("device", "ok", f"cpu, torch {torch.__version__}")


def amount_finding(subject: str, amount: int, little: int, mend: str) -> Finding:
    """An amount in bytes, noted if it is below `little`."""
    text = f"{amount / GIBIBYTE:.1f} GiB"
    return Finding(subject, "note", text, mend) if amount < little else Finding(subject, "ok", text)


def memory() -> int:
    """Bytes of memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def git_finding() -> Finding:
    """Which commit the results will name."""
    commit = git_commit()
    if commit is None:
        return Finding("git", "note", "no commit", "clone the project, so that results name one")
    if commit.endswith("+"):
        text = f"{commit[:-1]}, with changed files"
        return Finding("git", "note", text, "commit them, so that results name what made them")
    return Finding("git", "ok", commit)


def _mend_of_dvc() -> str:
    if git_commit() is None:
        return "clone the project, or `git init` here: DVC asks for a repository"
    return "segdistill use PROFILE, which mends what a kill left of DVC's files"


def dvc_finding() -> Finding:
    """Whether `dvc repro` can start here."""
    if not Path(".dvc").is_dir() or not Path("dvc.yaml").is_file():
        return Finding("dvc", "missing", "no .dvc/ or dvc.yaml here", "go to the project's folder")
    if shutil.which("dvc") is None:
        return Finding("dvc", "missing", "not on the PATH", "activate the environment")
    done = subprocess.run(["dvc", "--version"], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Finding("dvc", "missing", f"does not start ({reason})", "install it anew")
    command = ["dvc", "status", "digest"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode:
        errors = [line for line in asked.stderr.splitlines() if line.startswith("ERROR: ")]
        reason = (errors or ["no message"])[0].removeprefix("ERROR: ")
        return Finding("dvc", "missing", reason, _mend_of_dvc())
    state = "with dvc.lock" if Path("dvc.lock").is_file() else "nothing run yet"
    return Finding("dvc", "ok", f"{done.stdout.strip()}, {state}")
