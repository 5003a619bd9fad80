"""`segdistill doctor`: whether this machine can run a profile, and how to mend it."""

import argparse

HELP = "check packages, device, disk, data, backbones, folders, git and DVC for a profile"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--profile", help="profile to check; None is that of params.yaml")


def run(args: argparse.Namespace) -> int:
    """Print what was found; 0 if the profile can run, else 2."""
    from segdistill.diagnosis import examine, report_lines

    findings = list(examine(args.profile))
    for line in report_lines(findings):
        print(line)
    return 2 if any(finding.health == "missing" for finding in findings) else 0
