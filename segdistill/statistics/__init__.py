"""What a table may say: paired gains, their intervals and tests, verdicts (docs/statistics.md).

    arms = {method: arm_of(areas_by_seed) for method, areas_by_seed in ...}
    gains = measure_gains(others, arms["student"])         # Gain: mean, interval, p, adjusted_p
    judge(gain.interval, len(gain.seeds), published=0.021)  # Verdict
    crossed_bootstrap([arms["cwd"]], arms["student"])      # draws of the gain, for pictures

Everything follows from the per-image areas (segdistill.evaluation.areas) of the evaluations.
"""

from segdistill.statistics.across import interquartile_mean, probability_of_improvement
from segdistill.statistics.arms import Arm, arm_of
from segdistill.statistics.bootstrap import crossed_bootstrap, percentile_interval
from segdistill.statistics.crossed import Interval, crossed_interval
from segdistill.statistics.flips import max_t_p_values, sign_flip_p_value
from segdistill.statistics.gains import Gain, measure_gains
from segdistill.statistics.ranks import best_and_second
from segdistill.statistics.verdict import MIN_SEEDS, NOT_ENOUGH_SEEDS, Verdict, judge

__all__ = [
    "MIN_SEEDS",
    "NOT_ENOUGH_SEEDS",
    "Arm",
    "Gain",
    "Interval",
    "Verdict",
    "arm_of",
    "best_and_second",
    "crossed_bootstrap",
    "crossed_interval",
    "interquartile_mean",
    "judge",
    "max_t_p_values",
    "measure_gains",
    "percentile_interval",
    "probability_of_improvement",
    "sign_flip_p_value",
]
