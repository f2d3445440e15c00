"""Numbers as text: one style for every table, figure and sentence.

Journal style: a full stop as decimal mark, groups of three digits parted by a narrow space from
10 000 on, a true minus sign, a narrow space before "%", p-values with three decimals, intervals as
"1.94 (1.20 to 3.03)". Nothing depends on the locale.
"""

from __future__ import annotations

import math
from typing import Final

NARROW_SPACE: Final = "\u202f"
"""Narrow no-break space: between groups of digits and before a per cent sign."""

MINUS: Final = "\u2212"
NOT_ESTIMABLE: Final = "not estimable"
_MOST_DECIMALS: Final = 4
_LARGE: Final = 1000.0


def format_number(value: float, *, decimals: int = 1) -> str:
    """Print a number with a fixed count of decimals.

    Parameters
    ----------
    value
        Any number; NaN and infinities give "not estimable".
    decimals
        Digits after the full stop.

    Examples
    --------
    >>> format_number(-3.14159, decimals=2)
    '−3.14'
    """
    number = _as_float(value)
    if not math.isfinite(number):
        return NOT_ESTIMABLE
    text = f"{abs(number):.{decimals}f}"
    whole, _, fraction = text.partition(".")
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", NARROW_SPACE)
    negative = number < 0 and float(text) != 0.0
    return f"{MINUS if negative else ''}{whole}{'.' + fraction if fraction else ''}"


def format_count(value: float) -> str:
    """Print a whole number, grouped from 10 000 on."""
    return format_number(value, decimals=0)


def format_percent(part: float, whole: float, *, decimals: int = 0) -> str:
    """Print `part` of `whole` as a percentage such as "49 %".

    A share that is neither none nor all never prints as 0 or 100: it becomes "<1 %" or ">99 %".
    """
    part, whole = _as_float(part), _as_float(whole)
    if not (math.isfinite(part) and math.isfinite(whole)) or whole <= 0:
        return NOT_ESTIMABLE
    step = 10.0**-decimals
    percent = 100.0 * part / whole
    shown = float(f"{percent:.{decimals}f}")
    if part > 0 and shown == 0.0:
        return f"<{step:.{decimals}f}{NARROW_SPACE}%"
    if part < whole and shown == 100.0:
        return f">{100 - step:.{decimals}f}{NARROW_SPACE}%"
    return f"{format_number(percent, decimals=decimals)}{NARROW_SPACE}%"


def format_count_percent(part: float, whole: float, *, decimals: int = 0) -> str:
    """Print a count with its share, "28 (49 %)"; of nobody, the count alone."""
    if not _as_float(whole) > 0:
        return format_count(part)
    return f"{format_count(part)} ({format_percent(part, whole, decimals=decimals)})"


def format_p(value: float) -> str:
    """Print a p-value: three decimals, "<0.001" below, ">0.999" above.

    Examples
    --------
    >>> format_p(0.18734), format_p(0.00002)
    ('0.187', '<0.001')
    """
    number = _as_float(value)
    if not 0.0 <= number <= 1.0:
        return NOT_ESTIMABLE
    if number < 0.001:
        return "<0.001"
    return f"{number:.3f}" if number < 0.9995 else ">0.999"


def format_p_equation(value: float) -> str:
    """Print a p-value for a sentence: "p = 0.187", "p < 0.001"."""
    text = format_p(value)
    if text == NOT_ESTIMABLE:
        return f"p {text}"
    return f"p {text[0]} {text[1:]}" if text[0] in "<>" else f"p = {text}"


def format_estimate(estimate: float, low: float, high: float, *, decimals: int = 2) -> str:
    """Print an estimate with its interval, "1.94 (1.20 to 3.03)".

    Decimals are added, up to four, while a bound prints like the estimate although it differs
    ("1.00 (1.00 to 1.00)" says nothing). An unlimited bound is printed as "unlimited".

    Parameters
    ----------
    estimate, low, high
        On the scale to be printed (a hazard ratio, not its logarithm).
    """
    numbers = tuple(_as_float(value) for value in (estimate, low, high))
    if not math.isfinite(numbers[0]) or any(math.isnan(value) for value in numbers):
        return NOT_ESTIMABLE
    while decimals < _MOST_DECIMALS and _hides_width(numbers, decimals):
        decimals += 1
    middle, lower, upper = (_bound(value, decimals) for value in numbers)
    return f"{middle} ({lower} to {upper})"


def format_mean_sd(mean: float, sd: float, *, decimals: int = 1) -> str:
    """Print "45.3 (10.1)", a mean with its standard deviation."""
    if not math.isfinite(_as_float(mean)):
        return NOT_ESTIMABLE
    spread = format_number(sd, decimals=decimals) if math.isfinite(_as_float(sd)) else NOT_ESTIMABLE
    return f"{format_number(mean, decimals=decimals)} ({spread})"


def format_median_iqr(median: float, low: float, high: float, *, decimals: int = 1) -> str:
    """Print "46.0 (38.0 to 53.0)", a median with its quartiles."""
    if not all(math.isfinite(_as_float(value)) for value in (median, low, high)):
        return NOT_ESTIMABLE
    texts = [format_number(value, decimals=decimals) for value in (median, low, high)]
    return f"{texts[0]} ({texts[1]} to {texts[2]})"


def join_words(items: list[str] | tuple[str, ...], *, last: str = "and") -> str:
    """Join words as a sentence does: "a", "a and b", "a, b and c"; nothing gives an empty string."""
    words = [str(item) for item in items]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def plural(count: float, one: str, many: str | None = None) -> str:
    """Print a count with its noun: "1 person", "2 people"."""
    noun = one if count == 1 else (many or f"{one}s")
    return f"{format_count(count)} {noun}"


def _as_float(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan


def _hides_width(numbers: tuple[float, ...], decimals: int) -> bool:
    middle, low, high = numbers
    shown = [f"{value:.{decimals}f}" for value in numbers]
    return (low != middle and shown[1] == shown[0]) or (high != middle and shown[2] == shown[0])


def _bound(value: float, decimals: int) -> str:
    if math.isinf(value):
        return f"{MINUS if value < 0 else ''}unlimited"
    if abs(value) >= _LARGE:
        return format_number(value, decimals=0)
    return format_number(value, decimals=decimals)
