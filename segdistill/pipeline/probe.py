"""Timing of a profile's trainings by running each for a few steps."""

from collections.abc import Sequence

from segdistill.pipeline.cells import TEACHER
from segdistill.pipeline.forecast import Cost, Key
from segdistill.pipeline.trials import Trial, run_trials
from segdistill.settings.loading import read_profile, student_run, teacher_run
from segdistill.settings.schema import TeacherTraining

STEPS = 20
COPIES = 3  # of the weights: published, in the scratch folder, in DVC's cache


def probe(profile: str, dataset: str, methods: Sequence[str]) -> dict[Key, Cost]:
    """Costs of `methods` ("teacher" among them or not) on `dataset`, from STEPS steps of each.

    Raises SuiteError if the data are not there.
    """
    execution = read_profile(profile).execution
    students = [student_run(profile, dataset, m, 0) for m in methods if m != TEACHER]
    teacher = teacher_run(profile, dataset)
    imported = isinstance(teacher.training, TeacherTraining) and teacher.training.source
    costs: dict[Key, Cost] = {}
    for cohort in ([teacher] if TEACHER in methods and not imported else [], students):
        if cohort:
            trials = run_trials(cohort, STEPS, execution).runs
            costs |= {(dataset, trial.method): _cost(trial) for trial in trials}
    return costs


def _cost(trial: Trial) -> Cost:
    return Cost.of(trial.seconds, trial.steps, COPIES * trial.size)
