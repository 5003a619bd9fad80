"""The process that is killed: trains, evaluates and publishes as the stages do."""

import logging
import os
from collections.abc import Sequence
from functools import partial
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from segdistill.leaving import leave_with
from segdistill.pipeline.cells import plan
from segdistill.pipeline.evaluations import plan_evaluation
from segdistill.pipeline.publish import publish_evaluation, publish_run
from segdistill.settings.cell import Cell
from segdistill.stop import StopRequest

CONTINUING = "continuing from step"  # what the trainer logs when it resumes


def start_victim(
    workspace: Path, experiment: str, dataset: str, seed: int, methods: Sequence[str]
) -> ForkServerProcess:
    """A new process at work in `workspace`; what it prints is appended to output.txt there.

    Forked from a server that has imported everything, so that signals hit the work, not imports.
    """
    # Asked for its GPUs the usual way, CUDA refuses to work in what is forked afterwards.
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    context = get_context("forkserver")
    context.set_forkserver_preload(["segdistill.pipeline.worker"])
    process = context.Process(target=_main, args=(workspace, experiment, dataset, seed, methods))
    process.start()
    return process


def _main(
    workspace: Path, experiment: str, dataset: str, seed: int, methods: Sequence[str]
) -> None:
    os.chdir(workspace)
    with Path("output.txt").open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    leave_with(partial(_work_and_publish, experiment, dataset, seed, methods))


def _work_and_publish(experiment: str, dataset: str, seed: int, methods: Sequence[str]) -> int:
    from segdistill.pipeline.worker import work  # the server has imported it

    stop = StopRequest()
    stop.listen()
    work(experiment, dataset, seed, methods, stop)
    for method in methods:
        cell = Cell(experiment, dataset, method, seed)
        publish_run(plan(cell))
        publish_evaluation(plan_evaluation(cell))
    return 0
