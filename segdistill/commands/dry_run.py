"""`segdistill dry-run PROFILE`: check a profile before a large machine is at hand."""

import argparse

HELP = "build a profile's networks and take one step of every method, on random data"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("profile", nargs="?", help="its name; without it the active profile")
    parser.add_argument("--dataset", help="whose classes the steps have; without it the first")


def run(args: argparse.Namespace) -> int:
    """A line a network and a line a method; 2 if one is not as it must be."""
    from segdistill.dryrun.networks import build_networks
    from segdistill.dryrun.steps import CROP, step_methods
    from segdistill.settings.loading import data_source, read_params, read_profile

    name = args.profile or read_params().profile
    profile = read_profile(name)
    dataset = args.dataset or profile.grid.datasets[0]
    data_source(profile, dataset, name)
    faults = 0
    for built in build_networks(profile):
        print(built.line, flush=True)
        faults += len(built.faults)
    print(f"one step each on {dataset}, crops of {CROP[0]}x{CROP[1]}:", flush=True)
    for stepped in step_methods(name, profile, dataset):
        print(stepped.line, flush=True)
        faults += len(stepped.faults)
    print(f"{faults} faults" if faults else f"profile {name} is ready to run")
    return 2 if faults else 0
