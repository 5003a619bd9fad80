"""Write what code every stage of the active profile can reach: results/digests/KIND.txt."""

import argparse
from pathlib import Path

from harness.config import PROFILES, method_terms, read_params, read_profile
from harness.digest import code_digest
from harness.errors import exit_with
from harness.recorded import require_stages
from harness.records import write_bytes

FOLDER = Path("results/digests")


def main() -> int:
    """One file a stage kind, and one a method for training."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    params = read_params()
    require_stages(params.profile)
    profile = read_profile(params.profile)
    for kind in ("prepare", "teacher", "evaluate", "compare"):
        write_bytes(FOLDER / f"{kind}.txt", code_digest(kind).encode())
    for key in params.methods:
        terms = method_terms(profile, key, PROFILES / f"{params.profile}.yaml")
        digest = code_digest("train", [term.method for term in terms])
        write_bytes(FOLDER / f"train-{key}.txt", digest.encode())
    return 0


if __name__ == "__main__":
    exit_with(main)
