"""Write what the stages of an experiment depend on beside their files, as results/NAME/digests/:
the digest of the code that each can reach, and the hashes of imported teachers.
"""

import argparse

from segdistill.digest.choices import evaluation_choices, training_choices
from segdistill.digest.walk import code_digest
from segdistill.errors import SuiteError
from segdistill.leaving import leave_with
from segdistill.records import file_hash, read_run, write_bytes
from segdistill.settings.cell import RESULTS, Cell
from segdistill.settings.loading import RunConfig, read_experiment, student_run, teacher_run


def main() -> int:
    """One file a stage kind and data set, and one a method for training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", help="an experiment's name")
    experiment = read_experiment(parser.parse_args().experiment)
    digests = {"compare": code_digest("compare")}
    for dataset in experiment.datasets:
        teacher = teacher_run(experiment, dataset)
        digests |= {
            f"{dataset}/teacher": code_digest("train", training_choices(teacher)) + _file(teacher),
            f"{dataset}/evaluate_teacher": code_digest("evaluate", evaluation_choices(teacher)),
        }
        for method in experiment.methods:
            cell = Cell(experiment.name, dataset, method, experiment.seeds[0])
            student = student_run(experiment, cell)
            digests[f"{dataset}/train-{method}"] = code_digest("train", training_choices(student))
            digests[f"{dataset}/evaluate"] = code_digest("evaluate", evaluation_choices(student))
    for name, digest in digests.items():
        path = RESULTS / experiment.name / "digests" / f"{name}.txt"
        write_bytes(path, f"{digest}\n".encode())
    return 0


def _file(teacher: RunConfig) -> str:
    """` FILE SHA256` for a teacher that is taken from a file.

    A clone that lacks the file has the hash from the teacher's record.
    """
    if teacher.source is None:
        return ""
    known = file_hash(teacher.source) if teacher.source.is_file() else _recorded(teacher.cell)
    return f" {teacher.source} {known}"


def _recorded(cell: Cell) -> str | None:
    try:
        return read_run(cell.run_dir / "run.json").pretrained_sha256
    except SuiteError:
        return None


if __name__ == "__main__":
    leave_with(main)
