"""The process that trains: `python -m segdistill.pipeline.worker NAME DATASET SEED METHOD...`, or
one of the recipe's `devices` that torchrun starts with the same module and arguments.

All METHODS share one loader and one teacher forward per batch. Finished trainings and their
evaluations stay in the scratch folder, from where the stages publish them.
"""

import argparse
import logging
import os
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from segdistill.data.catalogue import dataset_info
from segdistill.data.manifest import read_manifest
from segdistill.data.opening import open_data
from segdistill.data.stream import order_hash
from segdistill.distill import load
from segdistill.errors import SuiteError
from segdistill.evaluation.evaluate import Subject, evaluate_file
from segdistill.evaluation.truth import Truth
from segdistill.leaving import leave_with
from segdistill.pipeline.cells import PlannedCell, plan
from segdistill.pipeline.environment import describe_environment
from segdistill.pipeline.evaluations import PlannedEvaluation, plan_evaluation
from segdistill.pipeline.failures import note_failure
from segdistill.pipeline.lock import locked
from segdistill.pipeline.seal import seal
from segdistill.records import ScoreRecord
from segdistill.settings.cell import Cell, manifest_path
from segdistill.settings.loading import read_experiment
from segdistill.settings.schema import DataSource
from segdistill.stop import StopRequest
from segdistill.training import session
from segdistill.training.instructions import cap_instructions
from segdistill.training.loop import SUMMARY, TrainingJob
from segdistill.training.process_group import SINGLE_PROCESS, ProcessGroup, joined

WEIGHTS = "weights.safetensors"


def main() -> int:
    """Train and evaluate what the command line names."""
    parser = argparse.ArgumentParser(prog="segdistill.pipeline.worker", description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("dataset")
    parser.add_argument("seed", type=int)
    parser.add_argument("methods", nargs="+", metavar="METHOD")
    args = parser.parse_args()
    cap_instructions()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    stop = StopRequest()
    stop.listen()
    with joined() as ranks:
        work(args.experiment, args.dataset, args.seed, args.methods, stop, ranks)
    return 0


def work(
    experiment: str,
    dataset: str,
    seed: int,
    methods: Sequence[str],
    stop: StopRequest,
    ranks: ProcessGroup = SINGLE_PROCESS,
) -> None:
    """Train the cells that are not trained yet, then evaluate those not evaluated yet.

    All ranks train; the first one alone holds the locks, writes and evaluates.
    """
    device = pick_device()
    planned = [plan(Cell(experiment, dataset, method, seed)) for method in methods]
    with ExitStack() as locks:
        for cell in planned if ranks.leads else ():
            locks.enter_context(locked(cell.scratch))
        ranks.wait()
        waiting = [cell for cell in planned if not cell.trained]
        ranks.wait()
        if waiting:
            with noted_failures(waiting if ranks.leads else ()):
                train_cells(waiting, device, stop, ranks)
    if not ranks.leads:
        return
    truths: dict[str, Truth] = {}
    for cell in planned:
        stop.leave_if_requested()
        evaluate_cell(cell.cell, cell, truths)


@contextmanager
def noted_failures(cells: Sequence[PlannedCell]) -> Iterator[None]:
    """Of every one of `cells` that an error within leaves untrained, keep the reason."""
    try:
        yield
    except Exception as error:
        for cell in cells:
            if not cell.trained:
                note_failure(cell.cell.run_dir, _reason(error, cell))
        raise


def _reason(error: Exception, cell: PlannedCell) -> str:
    """The error's lines on `cell`, or all of them if none names it; one line."""
    lines = str(error).splitlines() or [type(error).__name__]
    own = [line for line in lines if line.startswith(f"{cell.cell}:")]
    return "; ".join(own or lines)


def evaluate_cell(
    cell: Cell,
    planned: PlannedCell | None = None,
    truths: MutableMapping[str, Truth] | None = None,
) -> None:
    """Evaluate a cell's weights, published or still in the scratch folder of its training."""
    trained = planned is not None and planned.trained
    waiting = planned.scratch / WEIGHTS if planned and trained else None
    evaluation = plan_evaluation(cell, waiting)
    if not evaluation.done:
        evaluate_plan(evaluation, waiting or cell.run_dir / WEIGHTS, truths)


def evaluate_plan(
    planned: PlannedEvaluation, weights: Path, truths: MutableMapping[str, Truth] | None = None
) -> ScoreRecord:
    """Evaluate the file `weights`, whose hash the plan names, into the plan's scratch folder."""
    config, folder = planned.config, planned.scratch
    subset = _is_subset(config.dataset, config.data)
    subject = Subject(config.cell, subset, planned.weights_sha256)
    with locked(folder):
        record = evaluate_file(
            weights, config, planned.recipe, subject, folder, pick_device(), truths
        )
        seal(folder, {})
        return record


def pick_device() -> torch.device:
    """This process's GPU if the machine has any, else the CPU.

    Raises SuiteError, in all of torchrun's processes here, if they are more than its GPUs.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    wanted, found = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count()
    if wanted > found:
        raise SuiteError(
            f"{wanted} devices wanted, but torch can use {found} of this machine's GPUs; lower "
            "`devices` in the experiment, or hide the GPUs (CUDA_VISIBLE_DEVICES='')"
        )
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def train_cells(
    cells: Sequence[PlannedCell],
    device: torch.device,
    stop: StopRequest,
    ranks: ProcessGroup = SINGLE_PROCESS,
) -> None:
    """Train `cells`, all of one dataset and seed, into their scratch folders, and seal them."""
    config = cells[0].config
    if ranks.world != config.training.devices:
        raise SuiteError(
            f"experiment {config.experiment}: it says devices: {config.training.devices}, but "
            f"{ranks.world} processes were started"
        )
    jobs = [TrainingJob(cell.config, cell.scratch) for cell in cells]
    if ranks.leads:  # results that were damaged must not be taken for those of this process
        for cell in cells:
            _remove(cell.scratch / SUMMARY)
    teacher = config.cell.teacher.run_dir / WEIGHTS
    execution = read_experiment(config.experiment).execution
    try:
        session.run(jobs, teacher, execution, device, stop, ranks)
    finally:  # one that failed leaves the others' results in place
        for cell in cells:
            if ranks.leads and (cell.scratch / SUMMARY).is_file():
                _describe(cell, device)


def _describe(cell: PlannedCell, device: torch.device) -> None:
    """Seal the results with what run.json needs and only this process knows."""
    config, training = cell.config, cell.config.training
    images = len(open_data(config.dataset, config.data, config.data.train_split))
    methods = [load(term.method) for term in config.terms]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    seal(
        cell.scratch,
        {
            "order_sha256": order_hash(images, config.seed, training.batch, training.steps),
            "subset": _is_subset(config.dataset, config.data),
            "synthetic": dataset_info(config.dataset).synthetic,
            "paper": "; ".join(method.paper for method in methods),
            "reconstructed": any(method.reconstructed for method in methods),
            "environment": describe_environment(name, training.threads),
        },
    )


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SuiteError(f"{path}: cannot remove ({error.strerror})") from error


def _is_subset(dataset: str, source: DataSource) -> bool:
    """Whether the recipe limits the data or the data are not the whole release."""
    limited = any(value is not None for value in source.limit.model_dump().values())
    return limited or read_manifest(manifest_path(dataset)).subset


if __name__ == "__main__":
    leave_with(main)
