"""Measures of who the people are and of what they answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtwcohort.core.checks import check_choice, did_you_mean
from rtwcohort.errors import ScenarioError
from rtwcohort.instruments import answered_work_status, score
from rtwcohort.simulate.measures.follow_up import summary
from rtwcohort.simulate.measures.numbers import Measured, percent, spread
from rtwcohort.simulate.measures.simulated import Bools, Simulated, once
from rtwcohort.simulate.portable import Floats


def margin(simulated: Simulated, who: Bools, *, variable: str, category: str | list[str]) -> Measured:
    """Percentage in a category (or one of several) at baseline."""
    declared = simulated.scenario.population.margins.get(variable)
    if declared is None:
        known = list(simulated.scenario.population.margins)
        raise ScenarioError(f"there is no margin '{variable}'.{did_you_mean(variable, known)} There are: {known}.")
    hits = np.zeros(len(simulated.people), dtype=np.bool_)
    for name in [category] if isinstance(category, str) else category:
        if name not in declared.categories:
            raise ScenarioError(
                f"the margin '{variable}' has no category '{name}'; it has {list(declared.categories)}."
            )
        hits |= simulated.people.categories[variable] == declared.categories.index(name)
    return percent(hits[who])


def number(simulated: Simulated, who: Bools, *, variable: str, statistic: str = "mean", q: float = 0.5) -> Measured:
    """Mean, median, quantile or standard deviation ("sd") of a number at baseline, such as age."""
    return _summary(number_of(simulated, variable)[who], statistic, q)


def share_between(
    simulated: Simulated, who: Bools, *, variable: str, low: float | None = None, high: float | None = None
) -> Measured:
    """Percentage whose number at baseline lies from `low` to `high`, both included."""
    values = number_of(simulated, variable)[who]
    return percent((values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high)))


def score_at(
    simulated: Simulated, who: Bools, *, instrument: str, wave: str, statistic: str = "mean", q: float = 0.5
) -> Measured:
    """Mean, median, quantile or standard deviation of a score at a wave, among those who answered."""
    return _summary(_scores(simulated, instrument, wave)[who], statistic, q)


def score_share(
    simulated: Simulated,
    who: Bools,
    *,
    instrument: str,
    wave: str,
    at_least: float | None = None,
    below: float | None = None,
) -> Measured:
    """Percentage with a score of at least one limit and below another, among those who answered."""
    values = _scores(simulated, instrument, wave)[who]
    values = values[~np.isnan(values)]
    return percent(
        (values >= (-np.inf if at_least is None else at_least)) & (values < (np.inf if below is None else below))
    )


def questionnaire_status(
    simulated: Simulated, who: Bools, *, wave: str, at_least: str = "partly in work", exactly: bool = False
) -> Measured:
    """Percentage whose answered work status at a wave is at least (or exactly) a level, among those who answered."""
    from rtwcohort.instruments.work_status import STATUSES

    check_choice(at_least, STATUSES, argument="at_least")
    code = status_codes(simulated, wave)[who]
    code = code[code >= 0]
    level = STATUSES.index(at_least)
    return percent(code == level if exactly else code >= level)


def answered(simulated: Simulated, who: Bools, *, wave: str) -> Measured:
    """Percentage who answered anything at a wave."""
    table = _questionnaires(simulated)
    ids = table.loc[table["wave"] == wave, "person_id"].unique()
    return percent(np.isin(simulated.ids, ids)[who])


def status_codes(simulated: Simulated, wave: str) -> Any:
    """Return the answered work status at a wave, shape (n,): 0, 1, 2 from the lowest level, -1 where missing."""

    def compute() -> Any:
        frame = answered_work_status(_questionnaires(simulated), wave=wave)
        out = np.full(len(simulated.people), -1, dtype=np.int64)
        position = frame["person_id"].to_numpy(dtype=np.int64) - simulated.scenario.first_id
        out[position] = frame["status"].cat.codes.to_numpy()
        return out

    return once(simulated, "status_codes", {"wave": wave}, compute)


def _scores(simulated: Simulated, instrument: str, wave: str) -> Floats:
    def compute() -> Floats:
        frame = score(_questionnaires(simulated), instrument, wave=wave)
        out = np.full(len(simulated.people), np.nan)
        out[frame["person_id"].to_numpy(dtype=np.int64) - simulated.scenario.first_id] = frame["score"]
        return out

    return once(simulated, "scores", {"instrument": instrument, "wave": wave}, compute)


def _questionnaires(simulated: Simulated) -> Any:
    if simulated.register.questionnaires is None:
        raise ScenarioError("the scenario has no questionnaires. Declare [answers] or [status].")
    return simulated.register.questionnaires


def number_of(simulated: Simulated, variable: str) -> Floats:
    """Return a covariate of everybody, shape (n,)."""
    if variable not in simulated.covariates:
        known = list(simulated.covariates)
        raise ScenarioError(f"there is no number '{variable}'.{did_you_mean(variable, known)} There are: {known}.")
    return np.asarray(simulated.covariates[variable])


def _summary(values: Floats, statistic: str, q: float) -> Measured:
    values = values[~np.isnan(values)]
    return spread(values) if statistic == "sd" else summary(values, statistic, q)
