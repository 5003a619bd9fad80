"""Entry point of `segdistill`."""

from segdistill.commands.cli import run

run()
