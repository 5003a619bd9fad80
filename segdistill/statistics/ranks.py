"""Which methods lead, without splitting those whose difference is within its interval."""

from collections.abc import Mapping

from segdistill.statistics.arms import Arm
from segdistill.statistics.gains import Gain, measure_gains
from segdistill.statistics.verdict import MIN_SEEDS


def best_and_second(
    arms: Mapping[str, Arm], confidence: float = 0.95
) -> tuple[list[str], list[str]]:
    """The method of highest mean mIoU and those tied with it, then the same of all others.

    Tied is whose difference from the leader has an interval over seeds and images that holds 0.
    Methods with too few seeds for a claim are not ranked. Both are empty if all are tied.
    """
    ranked = {method: arm for method, arm in arms.items() if len(arm.seeds) >= MIN_SEEDS}
    best = _leaders(ranked, confidence)
    if len(best) == len(ranked):
        return [], []
    others = {method: arm for method, arm in ranked.items() if method not in best}
    return best, _leaders(others, confidence)


def _leaders(arms: Mapping[str, Arm], confidence: float) -> list[str]:
    if not arms:
        return []
    leader = max(arms, key=lambda method: float(arms[method].mious().mean()))
    leads = {
        method: measure_gains({leader: arms[leader]}, arm, confidence).get(leader)
        for method, arm in arms.items()
        if method != leader
    }
    return [leader, *(method for method, lead in leads.items() if lead and _may_be_zero(lead))]


def _may_be_zero(lead: Gain) -> bool:
    interval = lead.interval
    return interval is not None and interval.over == "seeds and images" and interval.holds(0)
