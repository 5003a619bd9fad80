"""`segdistill status`: how far experiments are, what is missing here, and what is left to do."""

import argparse

HELP = "show how far every cell of an experiment is, what is missing here, and the hours left"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = f"{HELP}. Exit status: 2 if something keeps a cell from being made."
    parser.add_argument(
        "experiments", nargs="*", metavar="EXPERIMENT", help="without any, that of params.yaml"
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
    from segdistill.settings.grid import grid_of
    from segdistill.settings.loading import read_profile

    grid = grid_of(name)
    cells = list(cell_states(grid))
    print(f"experiment {grid.profile}, seeds {' '.join(map(str, grid.seeds))}")
    print(*status_lines(cells), sep="\n")
    missing = list(lacking(grid.profile, cells))
    waiting = [cell for cell in cells if cell.state in TO_TRAIN]
    costs = measured(grid.profile)
    if timed:
        from segdistill.pipeline.probe import probe  # needs torch

        for dataset in dict.fromkeys(cell.dataset for cell in waiting):
            methods = dict.fromkeys(cell.method for cell in waiting if cell.dataset == dataset)
            costs |= probe(grid.profile, dataset, list(methods))
    left = forecast(waiting, costs, read_profile(grid.profile).execution)
    free = shutil.disk_usage(".").free
    if left and left.bytes > free:
        missing.append(f"disk: {(left.bytes - free) / MEBIBYTE:.0f} MiB too few are free")
    for line in (*work_lines(cells, left, free), *(f"missing here: {line}" for line in missing)):
        print(line)
    return 2 if missing else 0
