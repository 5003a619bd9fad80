"""`segdistill use NAME`: make a profile the active one."""

import argparse

HELP = (
    "make a profile the active one: copy its grid into params.yaml, keep what DVC recorded of the "
    "profile before, bring back its own"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("profile", help="name of a file in experiments/profiles/")
    parser.add_argument(
        "--reset", action="store_true", help="copy the grid of the active profile anew, too"
    )


def run(args: argparse.Namespace) -> int:
    """Rewrite profile and grid in params.yaml and switch dvc.lock."""
    from segdistill.pipeline.profiles import use_profile

    own = use_profile(args.profile, reset=args.reset)
    kept = f", with its own {', '.join(own)} (--reset takes the profile's)" if own else ""
    print(f"params.yaml: profile {args.profile}{kept}")
    return 0
