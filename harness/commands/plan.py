"""`python -m harness plan`: what is left to do, how long it takes, how much disk it needs."""

import argparse

HELP = "list the cells of a profile that are not done, with estimates of time and disk"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--profile", help="profile to plan; None is that of params.yaml")
    parser.add_argument(
        "--probe",
        action="store_true",
        help="time 20 steps of every method instead of reading earlier runs of the profile",
    )


def run(args: argparse.Namespace) -> int:
    """Print the plan."""
    import shutil

    from harness.config import read_profile
    from harness.forecast import forecast, measured
    from harness.grid import grid_of
    from harness.plan import plan_lines
    from harness.states import TO_TRAIN, cell_states

    grid = grid_of(args.profile)
    cells = list(cell_states(grid))
    waiting = [cell for cell in cells if cell.state in TO_TRAIN]
    costs = measured(grid.profile)
    if args.probe:
        from harness.probe import probe  # needs torch

        for dataset in dict.fromkeys(cell.dataset for cell in waiting):
            methods = dict.fromkeys(cell.method for cell in waiting if cell.dataset == dataset)
            costs |= probe(grid.profile, dataset, list(methods))
    left = forecast(waiting, costs, read_profile(grid.profile).execution)
    free = shutil.disk_usage(".").free
    print(f"profile {grid.profile}: {len(cells)} cells")
    for line in plan_lines(cells, costs, left, free):
        print(line)
    return 0
