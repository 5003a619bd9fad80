"""Write what every stage of the active profile depends on beside its files: the code it can reach
and imported teachers, as results/digests/KIND.txt.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from harness.cells import TEACHER, run_folder
from harness.config import PROFILES, method_terms, read_params, read_profile, teacher_run
from harness.digest import code_digest
from harness.errors import SuiteError
from harness.leaving import leave_with
from harness.recipe import Params, TeacherTraining
from harness.recorded import keep_stages, mend_stages, require_stages
from harness.records import file_hash, read_run, write_bytes

FOLDER = Path("results/digests")


def main() -> int:
    """One file a stage kind, and one a method for training."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    params = read_params()
    if mend_stages():
        raise SuiteError("dvc.lock: a kill had cut it short; it is whole again, run dvc once more")
    require_stages(params.profile)
    keep_stages()
    profile = read_profile(params.profile)
    for kind in ("prepare", "teacher", "evaluate", "compare"):
        lines = imported(params) if kind == "teacher" else ()
        write_bytes(FOLDER / f"{kind}.txt", "".join([code_digest(kind), *lines]).encode())
    for key in params.methods:
        terms = method_terms(profile, key, PROFILES / f"{params.profile}.yaml")
        digest = code_digest("train", [term.method for term in terms])
        write_bytes(FOLDER / f"train-{key}.txt", digest.encode())
    return 0


def imported(params: Params) -> Iterator[str]:
    """A line `FILE SHA256` for every teacher that is imported.

    A clone that lacks the file has the hash from the teacher's record.
    """
    for dataset in params.datasets:
        training = teacher_run(params.profile, dataset).training
        if isinstance(training, TeacherTraining) and training.source:
            source = Path(training.source)
            known = file_hash(source) if source.is_file() else _recorded(params.profile, dataset)
            yield f"{source} {known}\n"


def _recorded(profile: str, dataset: str) -> str | None:
    try:
        record = read_run(run_folder(profile, dataset, TEACHER, 0) / "run.json")
    except SuiteError:
        return None
    return record.pretrained_sha256


if __name__ == "__main__":
    leave_with(main)
