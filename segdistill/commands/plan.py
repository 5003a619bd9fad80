"""`segdistill plan`: what is left to do, how long it takes, how much disk it needs."""

import argparse

HELP = "list the cells of a profile that are not done, with estimates of time and disk"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--profile", help="profile to plan; None is that of params.yaml")
    times = parser.add_mutually_exclusive_group()
    times.add_argument(
        "--probe",
        action="store_true",
        help="time 20 steps of every method instead of reading earlier runs of the profile",
    )
    times.add_argument(
        "--teraflops",
        type=float,
        help="count operations instead, for a device that sustains so many TFLOP/s",
    )
    parser.add_argument(
        "--devices",
        type=int,
        help="the wall time of `pool` on so many devices; without it, of `dvc repro`",
    )


def run(args: argparse.Namespace) -> int:
    """Print the plan."""
    import shutil
    from dataclasses import replace

    from segdistill.pipeline.forecast import forecast, measured, pooled
    from segdistill.pipeline.plan import plan_lines
    from segdistill.pipeline.states import TO_TRAIN, cell_states
    from segdistill.settings.grid import grid_of
    from segdistill.settings.loading import read_profile

    grid = grid_of(args.profile)
    profile = read_profile(grid.profile)
    cells = list(cell_states(grid))
    waiting = [cell for cell in cells if cell.state in TO_TRAIN]
    costs = measured(grid.profile)
    if args.probe:
        from segdistill.pipeline.probe import probe  # needs torch

        for dataset in dict.fromkeys(cell.dataset for cell in waiting):
            methods = dict.fromkeys(cell.method for cell in waiting if cell.dataset == dataset)
            costs |= probe(grid.profile, dataset, list(methods))
    if args.teraflops is not None:
        require_positive("--teraflops", args.teraflops)
        from segdistill.pipeline.arithmetic import counted_costs  # needs torch

        costs = counted_costs(grid.profile, profile, args.teraflops)
    left = forecast(waiting, costs, profile.execution)
    if args.devices is not None:
        require_positive("--devices", args.devices)
        each = profile.train.devices
        workers = args.devices // each
        require_positive(f"--devices {args.devices} over the {each} of a training", workers)
        left = replace(left, seconds=pooled(waiting, costs, profile.execution.cohort, workers))
    free = shutil.disk_usage(".").free
    print(f"profile {grid.profile}: {len(cells)} cells")
    for line in plan_lines(cells, costs, left, free):
        print(line)
    return 0


def require_positive(name: str, value: float) -> None:
    """Raise SuiteError if `value` is not above 0."""
    from segdistill.errors import SuiteError

    if not value > 0:
        raise SuiteError(f"{name} must be above 0, got {value}")
