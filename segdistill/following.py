"""End a worker when its parent ends, or the dvc behind the shell of its stage.

Linux alone tells a process of its parent's death; on other systems nothing happens here.
"""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from threading import Thread

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.2
NOBODY = 1  # who adopts orphans


def follow(parent: int) -> None:
    """Receive SIGTERM when the process `parent`, which started this one, dies or if it is dead."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the line above
            os.kill(os.getpid(), signal.SIGTERM)


def follow_dvc() -> None:
    """In a stage, receive SIGTERM when the dvc that runs it dies or if it is dead.

    Between the two stands a shell that may outlive dvc (dash does, bash replaces itself by the
    stage), so a parent-death signal does not do.
    """
    stage = os.environ.get("DVC_STAGE")
    if sys.platform == "linux" and stage:
        runner = _runner(stage)
        Thread(target=_watch, args=(stage, runner), daemon=True).start()


def _watch(stage: str, runner: int) -> None:
    # An orphan is adopted by a process outside of its session, to which dvc belongs.
    orphan = _session(runner) != os.getsid(0)
    while not orphan and _runner(stage) == runner:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _runner(stage: str) -> int:
    """The nearest ancestor that dvc did not start to run `stage`: dvc itself while it lives."""
    pid = os.getppid()
    while f"DVC_STAGE={stage}".encode() in _read(pid, "environ").split(b"\0"):
        pid = _parent(pid)
    return pid


def _parent(pid: int) -> int:
    """By /proc/PID/stat: PID (NAME) STATE PARENT ..., where NAME may hold anything."""
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else NOBODY


def _read(pid: int, file: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes()
    except OSError:
        return b""


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None
