"""What a run ran on, as recorded with its results."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CODE = (".", ":!params.yaml", ":!dvc.lock", ":!results")  # for git: what decides a result
PACKAGES = ("torch", "torchvision", "onedl-mmsegmentation", "onedl-mmcv", "numpy", "scipy",
            "opencv-python", "pyvips", "pillow")  # fmt: skip


def describe_environment(device: str, threads: int) -> dict[str, object]:
    """Versions, processor and the vector instructions that torch uses of it, device and threads."""
    import torch

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count() or 1,
        "threads": threads,
        "device": device,
        "packages": {name: package_version(name) for name in PACKAGES},
    }


def processor() -> str:
    """The processor's model name."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def package_version(name: str) -> str:
    """The installed version of a distribution, `absent` if there is none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def git_commit() -> str | None:
    """The commit checked out here, with `+` if code or recipes differ; None outside git.

    params.yaml and dvc.lock, which running alone changes, do not count.
    """
    try:
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", *CODE)
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + ("+" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, check=True, text=True)
    return done.stdout.strip()
