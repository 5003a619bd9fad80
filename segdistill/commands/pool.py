"""`segdistill pool`: run the active profile's matrix in parallel."""

import argparse

HELP = "run every stage of the active profile, several jobs at once, here or on a Slurm cluster"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = (
        f"{HELP}. A job is a teacher, a cell, or with `execution.cohort` all cells of a seed. "
        "Exit status: 0 all done, 2 something failed, 75 stopped as asked."
    )
    parser.add_argument(
        "-j",
        "--jobs",
        type=int,
        metavar="N",
        help="jobs at once; None is one a GPU, or what the cores hold; on Slurm all",
    )
    parser.add_argument(
        "--keep-going", action="store_true", help="after a failure, run whatever does not need it"
    )
    parser.add_argument(
        "--allow-missing", action="store_true", help="as for dvc: keep results whose files are away"
    )
    parser.add_argument(
        "--slurm", action="store_true", help="submit job arrays; needs the extra `slurm`"
    )
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="submitit's parameters, such as slurm_partition=gpu gpus_per_node=1 timeout_min=240",
    )


def run(args: argparse.Namespace) -> int:
    """Run the matrix; 0 if every cell is finished, 2 if not."""
    from functools import partial

    from segdistill.errors import SuiteError
    from segdistill.pipeline.parallel.local import run_local
    from segdistill.pipeline.parallel.matrix import Runner, report, run_matrix
    from segdistill.pipeline.parallel.places import (
        available_cores,
        default_count,
        places,
        visible_gpus,
    )
    from segdistill.pipeline.parallel.process import Options
    from segdistill.settings.grid import grid_of
    from segdistill.settings.loading import read_profile
    from segdistill.stop import StopRequest

    if args.jobs is not None and args.jobs < 1:
        raise SuiteError(f"--jobs {args.jobs}: at least one")
    grid = grid_of()
    gpus, cores = visible_gpus(), available_cores()
    training = read_profile(grid.profile).train
    count = args.jobs or default_count(gpus, cores, training)
    options = Options(args.keep_going, args.allow_missing)
    stop = StopRequest()
    stop.listen(with_parent=False)  # outlives the shell of a login, as `nohup` asks
    here = places(count, gpus, cores, training.devices)
    run: Runner = partial(run_local, places=here, options=options, stop=stop)
    if args.slurm:
        from segdistill.pipeline.parallel.cluster import Cluster, parse_parameters

        cluster = Cluster("slurm", parse_parameters(args.set), args.jobs)
        run = partial(cluster.run, options=options, stop=stop)
    failures = run_matrix(grid, here[0], options, stop, run)
    for line in report(failures):
        print(line)
    return 2 if failures else 0
