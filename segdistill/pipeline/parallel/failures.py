"""Which cells of a job failed, why, and the command for each, by what dvc printed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from segdistill.pipeline.parallel.jobs import Job
from segdistill.stop import EXIT_CODE

RUNNING = re.compile(r"^Running stage '([^']+)'")
FAILED = re.compile(r"^ERROR: failed to reproduce\b(.*)")
STOPPED = f"exited with {EXIT_CODE}"


@dataclass(frozen=True)
class Failure:
    """One cell, or another stage, that did not come to its end."""

    name: str
    reason: str
    command: str


def was_stopped(log: str) -> bool:
    """Whether a stage saved its state because it was asked to stop."""
    return STOPPED in log


def failures(job: Job, log: str) -> Iterator[Failure]:
    """The cells of a failed `job` that are at fault; all of them if dvc did not say which."""
    named = [name for line in log.splitlines() for name in _failed(line)]
    reasons = _reasons(log)
    lines = [line for line in log.splitlines() if line.strip()]
    groups: dict[str, list[str]] = {}
    for stage in [stage for stage in job.stages if stage in named] or job.stages:
        groups.setdefault(stage.partition("@")[2] or stage, []).append(stage)
    for name, stages in groups.items():
        known = [reasons[stage] for stage in stages if stage in reasons]
        reason = (known or _dvc_error(lines) or lines[-1:] or ["no message"])[0]
        yield Failure(name, reason, command(stages))


def not_started(job: Job, reason: str) -> Failure:
    """A job that was never begun."""
    return Failure(job.name, reason, command(job.stages))


def command(stages: list[str] | tuple[str, ...]) -> str:
    """What makes these stages again."""
    return f"dvc repro -s {' '.join(stages)}"


def _failed(line: str) -> list[str]:
    """Stages named by dvc's last word: `ERROR: failed to reproduce stages: 'a' and 'b'`."""
    found = FAILED.match(line)
    before_cause = found[1].partition(": failed to")[0] if found else ""
    return re.findall(r"'([^']+)'", before_cause)


def _dvc_error(lines: list[str]) -> list[str]:
    """dvc's first error with the line after it, such as who is at work: `(PID 12): dvc repro`."""
    first = next((i for i, line in enumerate(lines) if line.startswith("ERROR: ")), None)
    if first is None:
        return []
    words = " ".join(line.strip() for line in lines[first : first + 2])
    return [words.removeprefix("ERROR: ")]


def _reasons(log: str) -> dict[str, str]:
    """The first error that each stage printed, without the word `error`."""
    reasons: dict[str, str] = {}
    stage = ""
    for line in log.splitlines():
        if found := RUNNING.match(line):
            stage = found[1]
        elif line.startswith("error: "):
            reasons.setdefault(stage, line.removeprefix("error: "))
    return reasons
