"""What training the methods of a seed together saves, and that it changes no bit."""

from collections.abc import Sequence
from typing import NamedTuple

from harness.config import RunConfig
from harness.recipe import Execution
from harness.trials import Trial, run_trials


class Together(NamedTuple):
    """The same trainings one by one and as a cohort."""

    alone: tuple[Trial, ...]
    cohort: tuple[Trial, ...]
    alone_wall: float  # seconds, with what a training needs before its first step
    cohort_wall: float

    @property
    def over_parts(self) -> float:
        """The cohort's time over one loading and teacher's forward and the methods' own parts."""
        return _shared_once(self.cohort) / _shared_once(self.alone)

    @property
    def over_separate(self) -> float:
        """The cohort's wall time over that of the trainings one by one."""
        return self.cohort_wall / self.alone_wall

    @property
    def same_bits(self) -> bool:
        """Whether every training has the same weights both ways."""
        return [run.sha256 for run in self.alone] == [run.sha256 for run in self.cohort]


def measure_cohort(configs: Sequence[RunConfig], steps: int) -> Together:
    """`configs`, all of one dataset and seed, trained for `steps` both ways.

    Raises SuiteError without the data.
    """
    alone = [run_trials([config], steps, Execution()) for config in configs]
    cohort = run_trials(configs, steps, Execution())
    return Together(
        alone=tuple(run for trials in alone for run in trials.runs),
        cohort=cohort.runs,
        alone_wall=sum(trials.wall for trials in alone),
        cohort_wall=cohort.wall,
    )


def _shared_once(runs: Sequence[Trial]) -> float:
    """Seconds of all own parts and of one loading and teacher's forward."""
    shared = max(run.seconds.data + run.seconds.teacher for run in runs)
    return shared + sum(run.own for run in runs)
