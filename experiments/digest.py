"""Write what the stages of a profile depend on beside their files, as results/digests/PROFILE/:
the digest of the code that each can reach, and the hashes of imported teachers.
"""

import argparse
from pathlib import Path

from segdistill.digest.choices import evaluation_choices, reader_module, training_choices
from segdistill.digest.walk import code_digest
from segdistill.errors import SuiteError
from segdistill.leaving import leave_with
from segdistill.pipeline.cells import TEACHER, run_folder
from segdistill.pipeline.recorded import keep_stages, mend_stages, require_stages
from segdistill.records import file_hash, read_run, write_bytes
from segdistill.settings.loading import RunConfig, read_params, student_run, teacher_run

FOLDER = Path("results/digests")


def main() -> int:
    """One file a stage kind and data set, and one a method for training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", help="the active profile")
    profile = parser.parse_args().profile
    params = read_params()
    if mend_stages():
        raise SuiteError("dvc.lock: a kill had cut it short; it is whole again, run dvc once more")
    require_stages(profile)
    keep_stages()
    digests = {"compare": code_digest("compare")}
    for dataset in params.datasets:
        teacher = teacher_run(profile, dataset)
        digests |= {
            f"{dataset}/prepare": code_digest("prepare", [reader_module(dataset)]),
            f"{dataset}/teacher": code_digest("train", training_choices(teacher)) + _file(teacher),
            f"{dataset}/evaluate_teacher": code_digest("evaluate", evaluation_choices(teacher)),
        }
        for method in params.methods:
            student = student_run(profile, dataset, method, params.seeds[0])
            digests[f"{dataset}/train-{method}"] = code_digest("train", training_choices(student))
            digests[f"{dataset}/evaluate"] = code_digest("evaluate", evaluation_choices(student))
    for name, digest in digests.items():
        write_bytes(FOLDER / profile / f"{name}.txt", f"{digest}\n".encode())
    return 0


def _file(teacher: RunConfig) -> str:
    """` FILE SHA256` for a teacher that is taken from a file.

    A clone that lacks the file has the hash from the teacher's record.
    """
    if teacher.source is None:
        return ""
    known = file_hash(teacher.source) if teacher.source.is_file() else _recorded(teacher)
    return f" {teacher.source} {known}"


def _recorded(teacher: RunConfig) -> str | None:
    try:
        record = read_run(run_folder(teacher.profile, teacher.dataset, TEACHER, 0) / "run.json")
    except SuiteError:
        return None
    return record.pretrained_sha256


if __name__ == "__main__":
    leave_with(main)
