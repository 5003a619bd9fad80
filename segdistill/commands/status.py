"""`segdistill status`: the matrix of a profile, a mark a seed."""

import argparse

HELP = "show how far every cell of a profile is, a line a method and dataset, a mark a seed"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--profile", help="profile to show; None is that of params.yaml")


def run(args: argparse.Namespace) -> int:
    """Print the matrix."""
    from segdistill.pipeline.states import cell_states
    from segdistill.pipeline.status import status_lines
    from segdistill.settings.grid import grid_of

    grid = grid_of(args.profile)
    print(f"profile {grid.profile}, seeds {' '.join(map(str, grid.seeds))}")
    for line in status_lines(list(cell_states(grid))):
        print(line)
    return 0
