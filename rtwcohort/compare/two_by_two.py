"""Two arms and a yes-or-no outcome: risks, their difference and ratio, the odds ratio and the tests."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.core.wald import TIDY_COLUMNS, chi_square_p, normal_quantile, two_sided_p
from rtwcohort.errors import ArgumentError

ZeroCells = Literal["none", "haldane"]
_ZERO_CELLS: Final = ("none", "haldane")
_NAN: Final = math.nan


@dataclass(frozen=True, slots=True)
class Effect:
    """One measure with its interval.

    Attributes
    ----------
    estimate
        On the scale that is reported (a ratio is not logged).
    conf_low, conf_high
        NaN when the interval is not estimable; then `reason` says why.
    std_error
        Of the log for the two ratios; NaN for measures whose interval is not built from one.
    statistic, p_value
        Test of no difference; NaN where there is none.
    method
        Name and source of the interval.
    reason
        Empty when everything could be computed.
    """

    estimate: float
    conf_low: float
    conf_high: float
    std_error: float
    statistic: float
    p_value: float
    method: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TwoByTwo:
    """What a two-by-two table says. Exposed is compared with unexposed in every measure.

    Attributes
    ----------
    counts
        ((events, non-events) in the exposed, (events, non-events) in the unexposed).
    labels
        Names of the exposed arm, the unexposed arm and the event.
    risk_exposed, risk_unexposed
        Proportion with the event, Wilson interval.
    risk_difference
        Newcombe's hybrid score interval; statistic and p-value are those of the Pearson test.
    risk_ratio, odds_ratio
        Log-Wald intervals of Katz and of Woolf.
    number_needed
        1 / risk difference: positive when the exposed have more events. When the interval of the
        difference contains 0 that of its inverse passes through infinity and is not printed as two limits.
    chi_square, chi_square_p
        Pearson's statistic on 1 df, uncorrected; NaN when nobody or everybody had the event.
    fisher_p
        Two-sided Fisher exact test.
    level
        Confidence level.
    """

    counts: tuple[tuple[int, int], tuple[int, int]]
    labels: tuple[str, str, str]
    risk_exposed: Effect
    risk_unexposed: Effect
    risk_difference: Effect
    risk_ratio: Effect
    odds_ratio: Effect
    number_needed: Effect
    chi_square: float
    chi_square_p: float
    fisher_p: float
    level: float

    def tidy(self) -> pd.DataFrame:
        """Return one row a measure in the tidy vocabulary, with the method and the reason beside it."""
        names = ("risk_exposed", "risk_unexposed", "risk_difference", "risk_ratio", "odds_ratio", "number_needed")
        rows = []
        for name in names:
            effect: Effect = getattr(self, name)
            figures = {column: getattr(effect, column) for column in TIDY_COLUMNS[1:]}
            rows.append({"term": name, **figures, "method": effect.method, "reason": effect.reason})
        return pd.DataFrame(rows, columns=[*TIDY_COLUMNS, "method", "reason"])


def two_by_two(
    a: int,
    b: int,
    c: int,
    d: int,
    *,
    level: float = 0.95,
    zero_cells: ZeroCells = "none",
    exposed: str = "exposed",
    unexposed: str = "unexposed",
    event: str = "event",
) -> TwoByTwo:
    """Compare the risk of an event in two arms.

    Parameters
    ----------
    a, b
        Events and non-events in the exposed (the arm that is asked about).
    c, d
        Events and non-events in the unexposed (the reference).
    level
        Confidence level, between 0 and 1.
    zero_cells
        What the two ratios do when a cell is empty. "none": the estimate as it is (0 or infinity) and an
        interval that is not estimable, with the reason. "haldane": 0.5 is added to all four cells for the
        two ratios, and `method` says so; not when nobody or everybody had the event, where there is nothing to
        compare. Risks, their difference and the tests always use the counts.
    exposed, unexposed, event
        Names for tables and messages.

    Returns
    -------
    TwoByTwo

    Raises
    ------
    ArgumentError
        For counts that are not whole numbers of at least 0, or an arm without people.

    Notes
    -----
    Risk: Wilson's score interval without continuity correction [1]_. Risk difference: from the limits
    (l1, u1), (l0, u0) of the two risks, ``d - sqrt((p1 - l1)^2 + (u0 - p0)^2)`` to
    ``d + sqrt((u1 - p1)^2 + (p0 - l0)^2)``, method 10 of [2]_. Risk ratio:
    ``var(log RR) = 1/a - 1/(a + b) + 1/c - 1/(c + d)`` [3]_. Odds ratio: ``var(log OR) = 1/a + 1/b + 1/c + 1/d`` [4]_.
    Number needed: the inverse of the difference and of its limits [5]_. "haldane" is what R's metafor does with
    ``add = 1/2, to = "only0"``; R's epitools and statsmodels' `Table2x2` differ (small-sample or shifted versions
    unless told otherwise). SPSS CROSSTABS prints the same risk and odds ratios.

    References
    ----------
    .. [1] Wilson EB (1927) J Am Stat Assoc 22:209-212; Newcombe RG (1998) Stat Med 17:857-872, method 3.
    .. [2] Newcombe RG (1998) Stat Med 17:873-890, method 10.
    .. [3] Katz D et al. (1978) Biometrics 34:469-474.
    .. [4] Woolf B (1955) Ann Hum Genet 19:251-253.
    .. [5] Altman DG (1998) BMJ 317:1309-1312.

    Examples
    --------
    In work after a year, 22 of 43 with and 16 of 46 without a workplace visit: 16 percentage points more, but the
    interval, from 4 fewer to 35 more, does not exclude no difference.

    >>> table = two_by_two(22, 21, 16, 30)
    >>> [round(x, 3) for x in (table.risk_difference.estimate, table.risk_difference.conf_low)]
    [0.164, -0.04]
    """
    for name, count in zip("abcd", (a, b, c, d), strict=True):
        check_number(count, argument=name, least=0, whole=True)
    check_choice(zero_cells, _ZERO_CELLS, argument="zero_cells")
    z = normal_quantile(level)
    if not 0.0 < level < 1.0:
        raise ArgumentError(f"`level` must lie strictly between 0 and 1; got {level!r}.")
    a, b, c, d = int(a), int(b), int(c), int(d)
    for arm, size in ((exposed, a + b), (unexposed, c + d)):
        if size == 0:
            raise ArgumentError(f"The arm '{arm}' must have at least one person; its two counts are 0.")
    chi2 = _pearson(a, b, c, d)
    cells, added = _cells(a, b, c, d, zero_cells)
    difference = _risk_difference(a, b, c, d, z, chi2)
    return TwoByTwo(
        counts=((a, b), (c, d)),
        labels=(exposed, unexposed, event),
        risk_exposed=_risk(a, a + b, z),
        risk_unexposed=_risk(c, c + d, z),
        risk_difference=difference,
        risk_ratio=_risk_ratio(*cells, z, added),
        odds_ratio=_odds_ratio(*cells, z, added),
        number_needed=_number_needed(difference),
        chi_square=chi2,
        chi_square_p=_NAN if math.isnan(chi2) else chi_square_p(chi2, 1.0),
        fisher_p=fisher_p(a, b, c, d),
        level=float(level),
    )


def wilson_interval(events: int, n: int, z: float) -> tuple[float, float]:
    """Return Wilson's score interval for a proportion, exact at 0 and n events."""
    p = events / n
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if events == 0 else (centre - half) / scale
    high = 1.0 if events == n else (centre + half) / scale
    return low, high


def fisher_p(a: int, b: int, c: int, d: int) -> float:
    """Return the two-sided p-value of Fisher's exact test (tables no more probable than the one seen)."""
    from scipy.stats import fisher_exact

    return float(fisher_exact([[a, b], [c, d]]).pvalue)


def _pearson(a: int, b: int, c: int, d: int) -> float:
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    return _NAN if margins == 0 else (a + b + c + d) * (a * d - b * c) ** 2 / margins


def _cells(a: int, b: int, c: int, d: int, zero_cells: ZeroCells) -> tuple[tuple[float, float, float, float], str]:
    informative = a + c > 0 and b + d > 0
    if zero_cells == "haldane" and min(a, b, c, d) == 0 and informative:
        return (a + 0.5, b + 0.5, c + 0.5, d + 0.5), ", 0.5 added to each cell (Haldane)"
    return (float(a), float(b), float(c), float(d)), ""


def _risk(events: int, n: int, z: float) -> Effect:
    low, high = wilson_interval(events, n, z)
    return Effect(events / n, low, high, _NAN, _NAN, _NAN, "Wilson score interval")


def _risk_difference(a: int, b: int, c: int, d: int, z: float, chi2: float) -> Effect:
    p1, p0 = a / (a + b), c / (c + d)
    (l1, u1), (l0, u0) = wilson_interval(a, a + b, z), wilson_interval(c, c + d, z)
    difference = p1 - p0
    low = difference - math.hypot(p1 - l1, u0 - p0)
    high = difference + math.hypot(u1 - p1, p0 - l0)
    statistic = math.copysign(math.sqrt(chi2), difference) if not math.isnan(chi2) else _NAN
    p_value = chi_square_p(chi2, 1.0) if not math.isnan(chi2) else _NAN
    method = "Newcombe hybrid score interval (method 10); Pearson chi-square test"
    reason = "" if not math.isnan(chi2) else "no test: " + _margin_reason(a + c)
    return Effect(difference, low, high, _NAN, statistic, p_value, method, reason)


def _margin_reason(events: float) -> str:
    return "nobody in either arm had the event" if events == 0 else "everybody in both arms had the event"


def _log_wald(ratio: float, variance: float, z: float, method: str) -> Effect:
    se = math.sqrt(variance)
    log = math.log(ratio)
    statistic = log / se
    p_value = float(two_sided_p(statistic))
    return Effect(ratio, math.exp(log - z * se), math.exp(log + z * se), se, statistic, p_value, method)


def _not_estimable(numerator: float, denominator: float, method: str, reason: str) -> Effect:
    limit = math.inf if numerator > 0 else _NAN
    estimate = numerator / denominator if denominator > 0 else limit
    return Effect(estimate, _NAN, _NAN, _NAN, _NAN, _NAN, method, reason)


def _risk_ratio(a: float, b: float, c: float, d: float, z: float, added: str) -> Effect:
    method = "log-Wald interval of Katz" + added
    p1, p0 = a / (a + b), c / (c + d)
    if a + c == 0 or b + d == 0:
        reason = "interval not estimable: " + _margin_reason(a + c)
        return _not_estimable(p1, p0, method, reason)
    if a == 0 or c == 0:
        arm = "exposed" if a == 0 else "unexposed"
        reason = f"interval not estimable: no events in the {arm} (see `zero_cells`)"
        return _not_estimable(p1, p0, method, reason)
    return _log_wald(p1 / p0, 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d), z, method)


def _odds_ratio(a: float, b: float, c: float, d: float, z: float, added: str) -> Effect:
    method = "log-Wald interval of Woolf" + added
    if a + c == 0 or b + d == 0:
        return _not_estimable(0.0, 0.0, method, "not estimable: " + _margin_reason(a + c))
    empty = [name for name, cell in zip("abcd", (a, b, c, d), strict=True) if cell == 0]
    if empty:
        listed = ", ".join(empty)
        reason = f"interval not estimable: empty cell {listed} (see `zero_cells`)"
        return _not_estimable(a * d, b * c, method, reason)
    return _log_wald(a * d / (b * c), 1 / a + 1 / b + 1 / c + 1 / d, z, method)


def _number_needed(difference: Effect) -> Effect:
    method = "inverse of the risk difference (Altman 1998)"
    if difference.estimate == 0.0:
        return Effect(math.inf, _NAN, _NAN, _NAN, _NAN, _NAN, method, "the risks are equal")
    effect = Effect(1.0 / difference.estimate, _NAN, _NAN, _NAN, _NAN, _NAN, method)
    low, high = difference.conf_low, difference.conf_high
    if low > 0 or high < 0:
        return replace(effect, conf_low=1.0 / high, conf_high=1.0 / low)
    return replace(effect, reason="the interval of the difference contains 0, so this one passes through infinity")
