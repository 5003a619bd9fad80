"""What the suite promises of the cost of losses and steps, and whether a run bears it out."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from harness.bench.losses import LossRow
from harness.bench.steps import NO_ADVERSARY, StepRow


class Bound(NamedTuple):
    """`case` takes at most `limit` times what its literal formula, or else `rival`, takes."""

    case: str
    quantity: Literal["time", "memory"]
    limit: float
    rival: str | None = None  # another case, of the same run


class Verdict(NamedTuple):
    """A bound and the ratio that was measured."""

    bound: Bound
    ratio: float

    @property
    def kept(self) -> bool:
        """Whether the measured ratio lies within the bound."""
        return self.ratio <= self.bound.limit


BOUNDS = (
    Bound("ifvd", "time", 1 / 10),
    Bound("ifvd", "memory", 1 / 10),
    Bound("skd, pairs, no pooling", "time", 1 / 15),
    Bound("skd, pairs, no pooling", "memory", 1 / 30),
    Bound("cirkd, mini-batch", "time", 1.0),
    Bound("cirkd, mini-batch", "memory", 1 / 3),
    Bound("cirkd, memory", "memory", 1 / 5),
    Bound("cwd, features", "time", 1.05),
    Bound("cwd, features of equal width", "time", 1.05),
    Bound("at", "time", 1.05),
    Bound("dist", "time", 1.05),
    Bound("kd", "time", 1.05),
    Bound("pcd, equal width", "time", 3.0, "cwd, features of equal width"),
    Bound("pcd", "time", 1.0, "cwd, features"),
)

# A step over its floor: the teacher's forward, if one is needed, and a plain student's step.
STEP_LIMITS = {
    "student": 1.05,
    "kd": 1.05,
    "at": 1.05,
    "cwd": 1.1,
    "dist": 1.1,
    "pcd": 1.15,
    f"ifvd{NO_ADVERSARY}": 1.15,
    f"skd{NO_ADVERSARY}": 1.15,
}
# A cohort's time over one loading and teacher's forward and the sum of the methods' own parts.
COHORT_LIMIT = 1.1


class StepVerdict(NamedTuple):
    """A method's limit and its step's measured ratio to the floor."""

    method: str
    limit: float
    ratio: float

    @property
    def kept(self) -> bool:
        """Whether the measured ratio lies within the limit."""
        return self.ratio <= self.limit


def step_verdicts(rows: Sequence[StepRow]) -> list[StepVerdict]:
    """Every method among `rows` that has a limit."""
    return [
        StepVerdict(row.method, STEP_LIMITS[row.method], row.over_floor)
        for row in rows
        if row.method in STEP_LIMITS
    ]


def verdicts(rows: Sequence[LossRow]) -> list[Verdict]:
    """Every bound whose cases are among `rows`."""
    by_case = {row.case: row for row in rows}
    known = [
        bound
        for bound in BOUNDS
        if bound.case in by_case and (bound.rival or bound.case) in by_case
    ]
    return [Verdict(bound, _ratio(bound, by_case)) for bound in known]


def _ratio(bound: Bound, by_case: dict[str, LossRow]) -> float:
    own = by_case[bound.case]
    rival = by_case[bound.rival].ours if bound.rival else own.literal
    if bound.quantity == "time":
        return own.ours.seconds / rival.seconds
    return own.ours.memory.peak / rival.memory.peak
