"""The verdict on a published gain; this rule was fixed before any run.

The first line that applies:

1. no claim published                  nothing was published to compare with
2. not enough seeds for a claim        fewer than 5 seeds
3. undecided                           the interval holds both 0 and the published gain
4. reproduced                          the interval holds the published gain
5. exceeded                            the interval lies above the published gain
6. partly                              the interval lies above 0
7. not reproduced                      otherwise

Ends count as held. The interval is that of the mean gain over seeds and images, conditional on
the one teacher of the dataset.
"""

from enum import StrEnum

from segdistill.statistics.crossed import Interval

MIN_SEEDS = 5  # the sign flip's smallest p is 1/2^5 = 0.031; with 4 seeds it is 0.063
NOT_ENOUGH_SEEDS = "not enough seeds for a claim"


class Verdict(StrEnum):
    """What a measured gain says about a published one."""

    NO_CLAIM = "no claim published"
    NOT_ENOUGH = NOT_ENOUGH_SEEDS
    UNDECIDED = "undecided"
    REPRODUCED = "reproduced"
    EXCEEDED = "exceeded"
    PARTLY = "partly"
    NOT_REPRODUCED = "not reproduced"


def judge(interval: Interval | None, seeds: int, published: float | None) -> Verdict:
    """The verdict on the gain `published` (a fraction; None if none was) of `seeds` seeds."""
    if published is None:
        return Verdict.NO_CLAIM
    if interval is None or seeds < MIN_SEEDS:
        return Verdict.NOT_ENOUGH
    if interval.holds(published):
        return Verdict.UNDECIDED if interval.holds(0) else Verdict.REPRODUCED
    if interval.low > published:
        return Verdict.EXCEEDED
    return Verdict.PARTLY if interval.low > 0 else Verdict.NOT_REPRODUCED
