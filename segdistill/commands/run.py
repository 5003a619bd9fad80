"""`segdistill run`: make an experiment, several jobs at once."""

import argparse

HELP = "make an experiment, several jobs at once, here or on a Slurm cluster"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = (
        f"{HELP}. A job is the teacher of a dataset, then all students of a dataset and seed. "
        "Exit status: 0 all done, 2 something failed, 75 stopped as asked."
    )
    parser.add_argument(
        "experiment", nargs="?", metavar="EXPERIMENT", help="without it, the default one"
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
    parser.add_argument("--slurm", action="store_true", help="submit the jobs to Slurm")
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="submitit's parameters, such as slurm_partition=gpu gpus_per_node=1 timeout_min=240",
    )


def run(args: argparse.Namespace) -> int:
    """Run the matrix; 0 if every cell is finished, 2 if not."""
    import os
    from dataclasses import replace

    from segdistill.errors import SuiteError
    from segdistill.pipeline.devices import places, visible_gpus
    from segdistill.pipeline.pool import (
        LOGS,
        YEAR,
        Pool,
        make_executor,
        parse_parameters,
        run_matrix,
    )
    from segdistill.settings.loading import read_experiment
    from segdistill.stop import StopRequest

    if args.jobs is not None and args.jobs < 1:
        raise SuiteError(f"--jobs {args.jobs}: at least one")
    experiment = read_experiment(args.experiment)
    stop = StopRequest()
    stop.listen(with_parent=False)  # outlives the shell of a login, as `nohup` asks
    train, cores = experiment.train, os.cpu_count() or 1
    here = Pool(
        executor=make_executor("local", {"timeout_min": YEAR}),
        places=places(args.jobs, visible_gpus(), cores, train.devices, train.threads),
        stop=stop,
        flags=("--keep-going",) * args.keep_going + ("--allow-missing",) * args.allow_missing,
        keep_going=args.keep_going,
    )
    pool = here
    if args.slurm:
        many = args.jobs or len(experiment.datasets) * (1 + len(experiment.seeds))
        executor = make_executor("slurm", parse_parameters(args.set))
        pool = replace(here, executor=executor, places=[None] * many)
    failures = run_matrix(experiment, here, pool)
    for name, reason in failures.items():
        print(f"{name}: {reason}")
    print(f"{len(failures)} failed; output in {LOGS}/" if failures else "all cells are finished")
    return 2 if failures else 0
