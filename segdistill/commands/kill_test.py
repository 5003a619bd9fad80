"""`segdistill kill-test`: kill trainings at random moments and compare their results."""

import argparse
from pathlib import Path

HELP = "kill small trainings at random moments; every one must end with the same bits"
COLUMNS = ("method", "runs", "kills", "torn", "resumed", "lost", "corrupt")


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--runs", type=int, default=8, help="trainings, the methods in turn")
    parser.add_argument("--kills", type=int, default=2, help="times that each is killed, at most")
    parser.add_argument(
        "--methods",
        nargs="+",
        default=["student", "skd", "cirkd", "pcd"],
        metavar="METHOD",
        help="methods to train",
    )
    parser.add_argument("--signal", choices=("KILL", "TERM"), default="KILL", help="what is sent")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--profile", default="smoke", help="a file in experiments/profiles/")
    parser.add_argument("--dataset", default="scenes_camvid", help="a dataset of the profile")


def run(args: argparse.Namespace) -> int:
    """Print a line a method; 0 if every result is that of an uninterrupted run, else 1."""
    import signal
    import tempfile

    from segdistill.check.killing import KillTest, kill_test
    from segdistill.errors import SuiteError

    if args.runs < 1:
        raise SuiteError(f"--runs {args.runs}: nothing would be tested; give 1 or more")
    number = signal.Signals[f"SIG{args.signal}"]
    data = Path("data") / args.dataset
    print(*(f"{name:>9}" for name in COLUMNS))
    faults = 0
    with tempfile.TemporaryDirectory(prefix="kill-test-") as folder:
        test = KillTest(Path(folder), args.profile, args.dataset, number, args.kills)
        for tally in kill_test(test, data, args.methods, args.runs, args.seed):
            print(*(f"{getattr(tally, name):>9}" for name in COLUMNS), flush=True)
            print(*tally.messages, sep="\n", end="\n" if tally.messages else "")
            faults += tally.lost + tally.corrupt
    return 1 if faults else 0
