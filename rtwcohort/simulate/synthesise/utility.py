"""Does a synthetic register say what the real one says: curves, ratios, rates, spells, margins, correlations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.register import load_register
from rtwcohort.register.register import Register
from rtwcohort.simulate.synthesise.curves import curve_rows, ratio_rows
from rtwcohort.simulate.synthesise.features import People, describe_people, encode
from rtwcohort.simulate.synthesise.limits import LEAST_CELL
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.quantities import (
    Row,
    answer_rows,
    correlation_rows,
    margin_rows,
    occupancy_rows,
    rate_rows,
    spell_rows,
)

Estimator = Callable[[pd.DataFrame, str, str], tuple[float, float]]
COLUMNS: Final = (
    "part",
    "what",
    "real",
    "real_error",
    "synthetic",
    "synthetic_error",
    "difference",
    "standardised",
    "agrees",
)
POINTS: Final = 0.02
"""Shares agree within two points..."""
SHARE: Final = 0.05
"""... rates, means and spreads within 5 %, correlations and log ratios within 0.05 ..."""
INSIDE: Final = 1.96
"""... or anything within so many standard errors of the difference."""
_RELATIVE: Final = ("rates", "means", "spreads", "answers")
_MOST_PEOPLE: Final = 5000


@dataclass(frozen=True, slots=True)
class Utility:
    """Real figures beside synthetic ones.

    Attributes
    ----------
    frame
        One row a figure: part, what, real, real_error, synthetic, synthetic_error (standard errors), difference
        (synthetic less real), standardised (difference over its standard error), agrees.
    score
        The propensity score ratio: how well a logistic regression tells synthetic people from real ones, as its mean
        squared deviation from 1/2 over what a perfect model, fitted to the real people, would give. 1 is perfect; a
        fresh sample of the same population gives 2; 10 and more means that something is plainly different.
    mean_difference
        The mean absolute standardised difference over the frame; about 0.8 by chance alone.
    withheld
        Figures that fewer than `least` real people stand behind.
    rule
        Of return to work.
    """

    frame: pd.DataFrame
    score: float
    mean_difference: float
    withheld: int
    rule: str

    @property
    def share_agreeing(self) -> float:
        """The share of figures that agree."""
        return float(self.frame["agrees"].mean()) if len(self.frame) else float("nan")

    def describe(self) -> str:
        """Return the report as plain text: one number, the parts, and the ten figures that differ most."""
        lines = [
            f"Utility: propensity score ratio {self.score:.2f} (1 = a perfect model, 2 = another sample), "
            f"{100 * self.share_agreeing:.0f} % of {len(self.frame)} figures agree; rule '{self.rule}'"
        ]
        for part, rows in self.frame.groupby("part", sort=False):
            lines.append(f"  {part}: {int(rows['agrees'].sum())} of {len(rows)} agree")
        apart = self.frame[~self.frame["agrees"]]
        apart = apart.reindex(apart["standardised"].abs().sort_values(ascending=False, kind="stable").index)
        for row in apart.head(10).to_dict("records"):
            lines.append(
                f"  differs: {row['part']}, {row['what']}: real {row['real']:.3g} (se {row['real_error']:.2g}), "
                f"synthetic {row['synthetic']:.3g}"
            )
        if self.withheld:
            lines.append(f"  {self.withheld} figures with too few real people behind them are not shown")
        return "\n".join(lines)


def utility_report(
    register: Register,
    tables: Mapping[str, pd.DataFrame],
    *,
    rule: str | RtwRule = "gismervik_2020",
    estimators: Mapping[str, Estimator] | None = None,
    days: Sequence[int] = (30, 90, 180, 365),
    least: int = LEAST_CELL,
) -> Utility:
    """Compare a synthetic register with the real one.

    Parameters
    ----------
    register
        The real register, cleaned.
    tables
        The synthetic tables.
    rule
        Of return to work, for curves and ratios. People are followed from their index date, without enrolment from
        their first absence during follow-up.
    estimators
        "cox" -> function of (frame, right side of the formula, term) to the coefficient and its standard error, for
        hazard ratios of arms, age and sex; without it there are none.
    days
        Of curves and of states.
    least
        Figures that fewer real people stand behind are left out, and counted.

    Returns
    -------
    Utility
        Both registers are measured alike, whatever was fitted.
    """
    other = load_register(dict(tables), data_end=register.data_end)
    real, made = describe_people(register, least=least), describe_people(other, least=least)
    parts = [_all_rows(source, people, rule, estimators, days) for source, people in ((register, real), (other, made))]
    found = {(row.part, row.what): row for row in parts[1]}
    rows, withheld = [], 0
    for row in parts[0]:
        beside = found.get((row.part, row.what))
        if row.people < least:
            withheld += 1
        elif beside is not None:
            rows.append(_compare(row, beside))
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"agrees": bool})
    apart = frame["standardised"].abs()
    name = rule if isinstance(rule, str) else rule.name
    mean = float(apart[np.isfinite(apart)].mean())
    return Utility(frame, propensity_ratio(real, made), mean, withheld, name)


def _all_rows(
    register: Register,
    people: People,
    rule: str | RtwRule,
    estimators: Mapping[str, Estimator] | None,
    days: Sequence[int],
) -> list[Row]:
    rows = curve_rows(register, people, rule, days)
    if estimators is not None and "cox" in estimators:
        rows += ratio_rows(register, people, rule, estimators["cox"], max(days))
    sequences = people.sequences
    rows += rate_rows(sequences) + spell_rows(sequences) + occupancy_rows(sequences, days)
    return rows + margin_rows(people) + correlation_rows(people) + answer_rows(people)


def _compare(real: Row, made: Row) -> tuple[Any, ...]:
    difference = made.value - real.value
    error = float(np.hypot(real.error, made.error))
    standardised = difference / error if error > 0.0 else (0.0 if difference == 0.0 else np.inf * np.sign(difference))
    margin = SHARE if real.part in ("correlations", "hazard ratios (log)") else POINTS
    margin = SHARE * abs(real.value) if real.part in _RELATIVE else margin
    agrees = abs(difference) <= margin or abs(standardised) <= INSIDE
    return (
        *(real.part, real.what, real.value, real.error, made.value, made.error),
        *(difference, standardised, bool(agrees)),
    )


def propensity_ratio(real: People, made: People) -> float:
    """Return the mean squared deviation of propensity scores over its expectation under a perfect model.

    Expectation p (1 - c)^2 c / N for p coefficients without the intercept and a share c of synthetic people: Snoke,
    Raab, Nowok, Dibben and Slavkovic, Journal of the Royal Statistical Society A 181 (2018) 663-688.
    """
    first = encode(real.take(_head(real)), real.variables)
    second = encode(made.take(_head(made)), real.variables)
    x = np.vstack([first, second])
    spread = x.std(axis=0)
    x = (x[:, spread > 1e-9] - x[:, spread > 1e-9].mean(axis=0)) / spread[spread > 1e-9]
    x = _independent(x)
    y = np.concatenate([np.zeros(len(first)), np.ones(len(second))])
    chance = _logistic(x, y)
    c = float(y.mean())
    expected = x.shape[1] * (1.0 - c) ** 2 * c / len(y)
    return float(((chance - c) ** 2).mean() / expected)


def _head(people: People) -> Any:
    return np.arange(len(people.sequences)) < _MOST_PEOPLE


def _independent(x: Floats) -> Floats:
    """Return orthogonal columns that span the same space, shape (n, rank)."""
    vectors, values, _ = np.linalg.svd(x, full_matrices=False)
    return np.asarray(vectors[:, values > 1e-6 * values[0]] * np.sqrt(len(x)))


def _logistic(x: Floats, y: Floats) -> Floats:
    """Return fitted probabilities of a logistic regression with an intercept, by Newton's method."""
    design = np.column_stack([np.ones(len(x)), x])
    beta = np.zeros(design.shape[1])
    for _ in range(25):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -30.0, 30.0)))
        weight = np.maximum(chance * (1.0 - chance), 1e-9)
        information = design.T @ (weight[:, None] * design) + 1e-6 * np.eye(len(beta))
        step = np.linalg.solve(information, design.T @ (y - chance) - 1e-6 * beta)
        beta = beta + step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < 1e-8:
            break
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(design @ beta, -30.0, 30.0))))
