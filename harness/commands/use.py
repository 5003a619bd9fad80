"""`python -m harness use NAME`: make a profile the active one."""

import argparse

HELP = "make a profile the active one: copy its grid into params.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("profile", help="name of a file in experiments/profiles/")


def run(args: argparse.Namespace) -> int:
    """Rewrite profile and grid in params.yaml; its other keys stay."""
    from harness.profiles import use_profile

    use_profile(args.profile)
    print(f"params.yaml: profile {args.profile}")
    return 0
