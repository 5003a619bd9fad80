"""How numbers are printed: fractions become percent here and nowhere else."""

from collections.abc import Callable
from dataclasses import dataclass

from segdistill.statistics import Gain

MISSING = "–"
CROSSED = "seeds and images"  # what an interval must be over to rank or to judge


@dataclass(frozen=True)
class Spread:
    """A metric over the seeds of a method."""

    mean: float
    std: float | None  # sample standard deviation; None for one value
    n: int  # values
    of: int  # finished seeds, of which some may lack the metric


@dataclass(frozen=True)
class Count:
    """How many of the planned seeds are finished."""

    n: int
    of: int

    def __str__(self) -> str:
        return str(self.n) if self.n == self.of else f"{self.n} of {self.of}"


def percent(fraction: float, digits: int = 2) -> str:
    """0.7231 -> "72.31"."""
    return f"{100 * fraction:.{digits}f}"


def spread(value: Spread, write: Callable[[float], str] = percent) -> str:
    """Mean ± standard deviation; says n where only some of the seeds have a value."""
    text = write(value.mean) + ("" if value.std is None else f" ± {write(value.std)}")
    return text if value.n == value.of else f"{text} (n = {value.n})"


def points(fraction: float) -> str:
    """A difference of two fractions in percentage points, always signed."""
    text = f"{abs(100 * fraction):.2f}"
    if float(text) == 0:
        return text
    return ("−" if fraction < 0 else "+") + text


def gain_text(gain: Gain) -> str:
    """A gain with its interval in percentage points, such as "+0.37 [−0.22, +0.96]"."""
    interval = gain.interval
    if interval is None:
        return f"{points(gain.mean)} [no interval]"
    text = f"{points(gain.mean)} [{points(interval.low)}, {points(interval.high)}]"
    return text if interval.over == CROSSED else f"{text} ({interval.over} only)"


def probability(p: float) -> str:
    """A p-value with three decimals."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def significant(value: float) -> str:
    """Three significant digits without an exponent, for durations and ratios."""
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def count(value: float) -> str:
    """1234567 -> "1.23 M": three significant digits with a decimal prefix."""
    for size, suffix in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= 0.9995 * size:
            return significant(value / size) + suffix
    return significant(value)
