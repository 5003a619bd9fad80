"""`segdistill status`: how far experiments are, what is missing here, and what is left to do."""

import argparse

HELP = "show how far every cell of an experiment is, what is missing here, and the hours left"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = f"{HELP}. Exit status: 2 if something keeps a cell from being made."
    parser.add_argument(
        "experiments", nargs="*", metavar="EXPERIMENT", help="without any, the default one"
    )
    parser.add_argument(
        "--probe",
        action="store_true",
        help="forecast from 20 steps of every method, not from earlier runs on such a machine",
    )


def run(args: argparse.Namespace) -> int:
    """Print the matrix of every experiment; 2 if one lacks something here, else 0."""
    return max(_show(name, args.probe) for name in args.experiments or [None])


def _show(name: str | None, timed: bool) -> int:
    import shutil

    from segdistill.pipeline.forecast import forecast, measured
    from segdistill.pipeline.needs import lacking
    from segdistill.pipeline.states import TO_TRAIN, cell_states
    from segdistill.pipeline.status import MEBIBYTE, status_lines, work_lines
    from segdistill.settings.loading import read_experiment

    experiment = read_experiment(name)
    states = list(cell_states(experiment))
    print(f"experiment {experiment.name}, seeds {' '.join(map(str, experiment.seeds))}")
    print(*status_lines(states), sep="\n")
    missing = list(lacking(experiment, states))
    waiting = [found for found in states if found.state in TO_TRAIN]
    costs = measured(experiment.name)
    if timed:
        from segdistill.pipeline.probe import probe  # needs torch

        for dataset in dict.fromkeys(found.cell.dataset for found in waiting):
            here = [found.cell for found in waiting if found.cell.dataset == dataset]
            costs |= probe(experiment, dataset, list(dict.fromkeys(cell.method for cell in here)))
    left = forecast(waiting, costs, experiment.execution)
    free = shutil.disk_usage(".").free
    if left and left.bytes > free:
        missing.append(f"disk: {(left.bytes - free) / MEBIBYTE:.0f} MiB too few are free")
    for line in (*work_lines(states, left, free), *(f"missing here: {line}" for line in missing)):
        print(line)
    return 2 if missing else 0
