"""Give committed runs the digest of today's code, after a rewriting that changes no bit.

Proof comes first: `segdistill check --retrain` of one run a method must find the same bits. A run
is restamped only if all that its fingerprint covers beside the code is as it was; its record keeps
the old digest, the commit and the reason.
"""

import argparse
from pathlib import Path

from segdistill.errors import SuiteError
from segdistill.leaving import leave_with
from segdistill.pipeline.cells import fingerprint_of, plan
from segdistill.pipeline.environment import git_commit
from segdistill.records import Restamp, read_run, write_record
from segdistill.settings.cell import RESULTS, TEACHER, Cell


def main() -> int:
    """Rewrite code_digest and fingerprint of every run of the experiments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiments", nargs="+", metavar="EXPERIMENT", help="below results/")
    parser.add_argument("--why", required=True, help="what was rewritten and how it was proven")
    args = parser.parse_args()
    commit, count = git_commit(), 0
    for experiment in args.experiments:
        for path in sorted((RESULTS / experiment).glob("*/*/**/run.json")):
            count += restamp(path, commit, args.why)
    print(f"{count} runs restamped")
    return 0


def restamp(path: Path, commit: str | None, why: str) -> bool:
    """Restamp the run recorded at `path`; whether it had to be.

    Raises SuiteError if more than the code differs.
    """
    record = read_run(path)
    seed = 0 if record.kind == TEACHER else record.seed
    now = plan(Cell(record.experiment, record.dataset, record.method, seed))
    if record.code_digest == now.code:
        return False
    hashes = record.manifest_sha256, record.teacher_sha256, record.pretrained_sha256
    if fingerprint_of(record.config, now.code, *hashes) != now.fingerprint:
        raise SuiteError(f"{path}: recipe, data, teacher or backbone changed; train it again")
    stamp = Restamp(code_digest=record.code_digest, git_commit=commit, why=why)
    new = {
        "code_digest": now.code,
        "fingerprint": now.fingerprint,
        "restamps": (*record.restamps, stamp),
    }
    write_record(path, record.model_copy(update=new))
    return True


if __name__ == "__main__":
    leave_with(main)
