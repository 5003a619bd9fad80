"""How numbers are printed: fractions become percent here and nowhere else."""

MISSING = "–"


def percent(fraction: float | None, digits: int = 2) -> str:
    """0.7231 -> "72.31"."""
    return MISSING if fraction is None else f"{100 * fraction:.{digits}f}"


def spread(mean: float, std: float | None, digits: int = 2) -> str:
    """Mean ± standard deviation in percent; the mean alone where one value has no spread."""
    return percent(mean, digits) + ("" if std is None else f" ± {percent(std, digits)}")


def points(fraction: float | None, digits: int = 2) -> str:
    """A difference of two fractions in percentage points, always signed."""
    if fraction is None:
        return MISSING
    text = f"{abs(100 * fraction):.{digits}f}"
    if float(text) == 0:
        return text
    return ("−" if fraction < 0 else "+") + text


def interval(low: float, high: float, digits: int = 2) -> str:
    """ "[−0.12, +0.85]" in percentage points."""
    return f"[{points(low, digits)}, {points(high, digits)}]"


def probability(p: float | None) -> str:
    """A p-value with three decimals."""
    if p is None:
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def significant(value: float | None) -> str:
    """Three significant digits without an exponent, for durations and ratios."""
    if value is None:
        return MISSING
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def count(value: float | None) -> str:
    """1234567 -> "1.23 M": three significant digits with a decimal prefix."""
    if value is None:
        return MISSING
    for size, suffix in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= 0.9995 * size:
            return significant(value / size) + suffix
    return significant(value)
