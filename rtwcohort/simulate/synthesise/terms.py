"""Which covariates the fitted hazards have, and their values for real and for drawn people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtwcohort.simulate.synthesise.hazards import Term
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.margins import Margin
from rtwcohort.simulate.synthesise.variables import ANSWER, MARK

NUMBERS: Final = ("age", "earlier", "income", "position")
LEVELS: Final = ("sex", "education", "marital_status", "sector", "occupation")
SCORE: Final = "score"
_MOST_LEVELS: Final = 6
_TEN: Final = 10.0


@dataclass(frozen=True, slots=True)
class Rule:
    """How a covariate follows from variables.

    Attributes
    ----------
    name
        Of the covariate.
    sources
        Variables: one, or the items whose mean it is.
    level
        Code of the level that it indicates; None for numbers.
    centre, per
        As in `Term`.
    arm
        Whether it is an arm.
    """

    name: str
    sources: tuple[str, ...]
    level: int | None = None
    centre: float = 0.0
    per: float = 1.0
    arm: bool = False


def declare_terms(margins: Mapping[str, Margin], data: Mapping[str, Floats], *, least: int) -> tuple[Rule, ...]:
    """Return the covariates that the register offers, the most wanted first.

    Arms; age and sex; baseline scores (means of items); earlier spells; chapters of diagnosis; other numbers and
    levels. The most frequent level is the reference.
    """
    rules = _indicators("arm", margins, data, least, arm=True) if "arm" in margins else []
    rules += _number("age", ("age",), data, per=_TEN) + _indicators("sex", margins, data, least)
    for name, items in _scales(margins).items():
        rules += _number(name, items, data)
    rules += _number("earlier", ("earlier",), data, per=1.0)
    rules += _indicators("diagnosis", margins, data, 3 * least)
    rules += [rule for name in NUMBERS[2:] for rule in _number(name, (name,), data)]
    for name in LEVELS[1:]:
        rules += _indicators(name, margins, data, 3 * least)
    return tuple(rules)


def make_terms(rules: Sequence[Rule], data: Mapping[str, Floats]) -> list[Term]:
    """Return the covariates of people, what is missing at the centre."""
    return [Term(rule.name, rule_values(rule, data), rule.centre, rule.per, rule.arm) for rule in rules]


def rule_values(rule: Rule, data: Mapping[str, Floats]) -> Floats:
    """Return the values of a covariate, shape (n,)."""
    raw = _mean([data[name] for name in rule.sources])
    if rule.level is not None:
        return np.asarray(raw == rule.level, dtype=np.float64)
    return np.where(np.isnan(raw), rule.centre, raw)


def _mean(columns: Sequence[Floats]) -> Floats:
    total, count = np.zeros(len(columns[0])), np.zeros(len(columns[0]))
    for column in columns:
        known = ~np.isnan(column)
        total = total + np.where(known, column, 0.0)
        count = count + known
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))


def _scales(margins: Mapping[str, Margin]) -> dict[str, tuple[str, ...]]:
    scales: dict[str, list[str]] = {}
    for name, margin in margins.items():
        parts = name.split(MARK)
        if parts[0] == ANSWER and not margin.later:
            scales.setdefault(f"{SCORE}{MARK}{parts[2]}", []).append(name)
    return {name: tuple(items) for name, items in scales.items()}


def _number(name: str, sources: tuple[str, ...], data: Mapping[str, Floats], per: float | None = None) -> list[Rule]:
    if any(source not in data for source in sources):
        return []
    values = _mean([data[source] for source in sources])
    values = values[~np.isnan(values)]
    spread = float(values.std()) if len(values) else 0.0
    if spread <= 0.0:
        return []
    return [Rule(name, sources, centre=float(f"{values.mean():.3g}"), per=per or float(f"{spread:.3g}"))]


def _indicators(
    name: str, margins: Mapping[str, Margin], data: Mapping[str, Floats], least: int, *, arm: bool = False
) -> list[Rule]:
    margin = margins.get(name)
    if margin is None or (len(margin.levels) > _MOST_LEVELS and name not in ("diagnosis", "arm")):
        return []
    counts = [int((data[name] == k).sum()) for k in range(len(margin.levels))]
    usual = int(np.argmax(counts))
    chosen = [k for k, count in enumerate(counts) if k != usual and count >= least]
    chosen = sorted(chosen, key=lambda k: -counts[k])[:_MOST_LEVELS]
    if name == "sex":
        chosen = [k for k, level in enumerate(margin.levels) if level == "female"] if len(margin.levels) > 1 else []
    return [
        Rule(str(margin.levels[k]) if arm else f"{name}={margin.levels[k]}", (name,), level=k, arm=arm) for k in chosen
    ]
