"""`segdistill new-method NAME`: start a method from the smallest complete one."""

import argparse
from pathlib import Path

HELP = "copy the smallest complete method to baselines/NAME.py"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("name", help="the method's name in recipes and results, such as my_method")
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="folder to write into; None = baselines/"
    )


def run(args: argparse.Namespace) -> int:
    """Write the file and say what comes next."""
    from segdistill.commands.scaffold import write_method

    path = write_method(args.name, args.into)
    print(f"{path}: written; name it in a recipe under `methods:` and run pytest tests/contract")
    return 0
