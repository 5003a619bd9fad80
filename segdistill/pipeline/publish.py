"""From the scratch folder to results/: every file whole, the record last. Starts without torch."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from segdistill.errors import SuiteError
from segdistill.following import follow
from segdistill.pipeline.cells import PlannedCell, unfinished_cohort
from segdistill.pipeline.cohorts import cohorts
from segdistill.pipeline.environment import git_commit
from segdistill.pipeline.evaluations import RECORD, PlannedEvaluation
from segdistill.pipeline.failures import forget_failure
from segdistill.pipeline.lock import remove_temporaries
from segdistill.pipeline.seal import Sealed, read_seal
from segdistill.records import RunRecord, Seconds, write_bytes, write_record
from segdistill.settings.loading import read_experiment
from segdistill.stop import EXIT_CODE, StopRequest

POLL_SECONDS = 0.05
COHORT = "SUITE_COHORT"  # the variable by which `segdistill run` keeps its jobs apart
SEED_ALONE = "seed"


def ensure_trained(planned: PlannedCell) -> None:
    """Train `planned`, with its cohort if the experiment says so, unless it is done already."""
    if planned.trained:
        return
    # A job of `segdistill run` is one process, and so are the others.
    alone = os.environ.get(COHORT) == SEED_ALONE
    processes = 1 if alone else read_experiment(planned.cell.experiment).execution.processes
    found = unfinished_cohort(planned)
    cells = [c for c in found if not alone or c.config.seed == planned.config.seed]
    try:
        run_workers(_worker_arguments(cells, processes), processes, planned.config.training.devices)
    except SuiteError:
        if not planned.trained:  # else another cell of the cohort failed, as its stage will say
            raise


def publish_run(planned: PlannedCell) -> None:
    """Write weights.safetensors, log.jsonl and run.json of a trained cell into results/."""
    facts = _read_seal(planned.scratch).facts
    summary = json.loads((planned.scratch / "summary.json").read_text(encoding="utf-8"))
    config = planned.config
    folder = planned.cell.run_dir
    remove_temporaries(folder)
    _copy(planned.scratch / "weights.safetensors", folder)
    _copy(planned.scratch / "log.jsonl", folder)
    record = RunRecord(
        schema=1,
        kind="teacher" if planned.cell.is_teacher else "student",
        experiment=planned.cell.experiment,
        dataset=config.dataset,
        method=config.method,
        seed=config.seed,
        note=read_experiment(planned.cell.experiment).note,
        config=config.as_dict(),
        fingerprint=planned.fingerprint,
        code_digest=planned.code,
        manifest_sha256=planned.data,
        teacher_sha256=planned.teacher,
        pretrained_sha256=planned.pretrained,
        determinism=config.training.determinism,
        git_commit=git_commit(),
        seconds=Seconds(**summary.pop("seconds")),
        **summary,
        **facts,
    )
    write_record(folder / "run.json", record)
    forget_failure(folder)


def publish_evaluation(plan: PlannedEvaluation) -> None:
    """Copy the files of a finished evaluation into results/."""
    sealed, folder = _read_seal(plan.scratch), plan.cell.evaluation_dir
    try:
        if folder.is_dir():
            shutil.rmtree(folder)
        (folder / "pictures").mkdir(parents=True)
    except OSError as error:
        raise SuiteError(f"{folder}: cannot be replaced ({error.strerror})") from error
    for name in sealed.files:
        if name != RECORD:
            _copy(plan.scratch / name, (folder / name).parent)
    _copy(plan.scratch / RECORD, folder)


def run_workers(jobs: Sequence[Sequence[str]], processes: int, devices: int = 1) -> None:
    """Run `python -m segdistill.pipeline.worker` for each of `jobs`, at most `processes` at once.

    With several `devices` torchrun starts as many workers for every job. A signal to stop is
    passed on. Raises Stopped if one was stopped, SuiteError if one failed, both after all have
    ended.
    """
    stop = StopRequest()
    stop.listen()
    waiting = [[*_launcher(devices), "-m", "segdistill.pipeline.worker", *job] for job in jobs]
    running: list[subprocess.Popen[bytes]] = []
    failed = told = False
    killed: set[signal.Signals] = set()
    while waiting or running:
        while waiting and len(running) < processes:
            running.append(_start(waiting.pop(0)))
        if stop.requested and not told:
            told = True  # once: a second signal would disturb torchrun while it stops its workers
            waiting.clear()
            for process in running:
                process.terminate()
        time.sleep(POLL_SECONDS)
        stop.requested = stop.requested or any(p.poll() == EXIT_CODE for p in running)
        # Once stopping, torchrun ends with a status of its own.
        failed = failed or (
            not stop.requested and any(process.poll() not in (None, 0) for process in running)
        )
        killed |= {signal.Signals(-p.returncode) for p in running if (p.returncode or 0) < 0}
        running = [process for process in running if process.poll() is None]
    stop.leave_if_requested()
    if killed:
        names = ", ".join(sorted(one.name for one in killed))
        raise SuiteError(f"a training was killed by {names}; by SIGKILL often for want of memory")
    if failed:
        raise SuiteError("a training failed; its message is above")


def _launcher(devices: int) -> list[str]:
    if devices == 1:
        return [sys.executable]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(devices)]
    return [sys.executable, *torchrun]


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    # OpenMP's threads spin by default, which slows every other process on the same cores.
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    return subprocess.Popen(command, env=environment, preexec_fn=partial(_prepare, os.getpid()))


def _prepare(parent: int) -> None:
    """In the worker from its first moment on, since importing torch takes it seconds.

    Ctrl-C reaches it too, but it is `parent` that tells it to stop.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    follow(parent)


def _worker_arguments(cells: Sequence[PlannedCell], processes: int) -> list[list[str]]:
    """What every job's worker is told; the asked-for cell comes first."""
    first = cells[0].config
    names = [(cell.config.seed, cell.config.method) for cell in cells]
    return [
        [first.cell.experiment, first.dataset, str(seed), *methods]
        for seed, methods in cohorts(names, processes)
    ]


def _read_seal(folder: Path) -> Sealed:
    sealed = read_seal(folder)
    if sealed is None:
        raise SuiteError(f"{folder}: damaged; run the same command again to compute it anew")
    return sealed


def _copy(source: Path, folder: Path) -> None:
    write_bytes(folder / source.name, source.read_bytes())
