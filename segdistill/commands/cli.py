"""`segdistill COMMAND`: every command is a light module of segdistill/commands/."""

import argparse
import importlib

from segdistill.leaving import leave_with
from segdistill.training.instructions import cap_instructions

COMMANDS = (
    "data",
    "weights",
    "new-method",
    "status",
    "run",
    "show",
    "check",
    "score",
)


def main() -> int:
    """Parse the command line and run the command it names."""
    parser = argparse.ArgumentParser(
        prog="segdistill", description="The benchmark suite's own commands."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"segdistill.commands.{name.replace('-', '_')}")
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        module.configure(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args()
    cap_instructions()
    status: int = args.run(args)
    return status


def run() -> None:
    """Run `main` and exit with its status."""
    leave_with(main)
