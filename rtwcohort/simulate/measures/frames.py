"""Frames that estimators are fitted to: covariates, and the outcome that the model is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.errors import ScenarioError
from rtwcohort.simulate.measures.baseline import status_codes
from rtwcohort.simulate.measures.simulated import Bools, Simulated, outcome


def analysis_frame(simulated: Simulated, who: Bools, estimator: str, options: dict[str, Any]) -> pd.DataFrame:
    """Return the people meant with their covariates and the outcome of an estimator.

    Returns
    -------
    pandas.DataFrame
        person_id, arm, cluster, every number, margin (as text) and baseline score without missing values, and
        "cox": `time`, `event`; "logistic": `event`; "linear": `value`; "ordinal": `status`;
        "ordinal_gee": `wave` and `status`, one row a person and wave.
    """
    return EVENT_FRAMES[estimator](simulated, who, **options)


def covariate_frame(simulated: Simulated) -> pd.DataFrame:
    """Return person_id, arm, cluster and all covariates, one row a person."""
    population = simulated.scenario.population
    plain = {name: values for name, values in simulated.covariates.items() if "=" not in name}
    margins = {
        name: _labelled(simulated.people.categories[name], margin.categories)
        for name, margin in population.margins.items()
    }
    arm = _labelled(simulated.people.arm, population.arm_names)
    return pd.DataFrame(
        {"person_id": simulated.ids, "arm": arm, "cluster": simulated.people.cluster, **margins, **plain}
    )


def _labelled(codes: Any, names: Sequence[str], *, ordered: bool = False) -> pd.Categorical[str]:
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(names)), ordered=ordered)


def _times(simulated: Simulated, who: Bools, *, rule: str | dict[str, Any], horizon: int) -> pd.DataFrame:
    """Time to return under a rule, those back on the index date itself left out."""
    time, event = outcome(simulated, rule, horizon)
    frame = covariate_frame(simulated).assign(time=time.astype(np.float64), event=event.astype(np.int64))
    return frame[who & (time > 0)].reset_index(drop=True)


def _returns(
    simulated: Simulated,
    who: Bools,
    *,
    rule: str | dict[str, Any] | None = None,
    horizon: int | None = None,
    wave: str | None = None,
    at_least: str = "partly in work",
    scores_at: str | None = None,
) -> pd.DataFrame:
    """Whether people returned under a rule within the horizon, or answered at a wave that they work, partly at least.

    With `wave`, scores are those of that wave, or of `scores_at`.
    """
    if (wave is None) == (rule is None or horizon is None):
        raise ScenarioError("the estimator 'logistic' needs `rule` and `horizon`, or `wave`: one of the two.")
    if wave is not None:
        from rtwcohort.instruments.work_status import STATUSES

        check_choice(at_least, STATUSES, argument="at_least")
        frame = _status(simulated, who, wave=wave, scores_at=scores_at)
        codes = frame["status"].cat.codes.to_numpy()
        return frame.drop(columns="status").assign(event=(codes >= STATUSES.index(at_least)).astype(np.int64))
    assert rule is not None
    assert horizon is not None
    event = outcome(simulated, rule, horizon)[1]
    return covariate_frame(simulated).assign(event=event.astype(np.int64))[who].reset_index(drop=True)


def _days(
    simulated: Simulated, who: Bools, *, first: int = 0, last: int, benefits: list[str] | None = None
) -> pd.DataFrame:
    """Days on benefits in a window."""
    from rtwcohort.outcomes import absence_days
    from rtwcohort.simulate.measures.simulated import index_frame

    found = absence_days(simulated.register, windows=[(first, last)], index=index_frame(simulated), benefits=benefits)
    frame = covariate_frame(simulated).assign(value=found["absence_days"].to_numpy(dtype=np.float64))
    return frame[who].reset_index(drop=True)


def _status(simulated: Simulated, who: Bools, *, wave: str, scores_at: str | None = None) -> pd.DataFrame:
    """Answered work status at one wave."""
    return _status_rows(simulated, who, [wave], scores_at).drop(columns="wave")


def _statuses(simulated: Simulated, who: Bools, *, waves: list[str], scores_at: str | None = None) -> pd.DataFrame:
    """Answered work status at several waves."""
    return _status_rows(simulated, who, waves, scores_at)


def _status_rows(simulated: Simulated, who: Bools, waves: list[str], scores_at: str | None) -> pd.DataFrame:
    """Return one row a person and wave; scores are those of the wave itself, or of `scores_at`.

    With `scores_at`, `earlier_status` is the answered status at that wave ("none" where it is missing) and
    `earlier_level` its level from 0, `earlier_in_work` 1 for in work, not partly (missing where it is missing).
    """
    from rtwcohort.instruments.work_status import STATUSES

    base = covariate_frame(simulated)
    parts = []
    for wave in waves:
        codes = status_codes(simulated, wave)
        status = _labelled(codes, STATUSES, ordered=True)
        values: dict[str, Any] = {
            name: of[scores_at or wave] for name, of in simulated.scores.items() if (scores_at or wave) in of
        }
        if scores_at is not None and scores_at != wave:
            before = status_codes(simulated, scores_at)
            values["earlier_status"] = _labelled(np.where(before < 0, 3, before), (*STATUSES, "none"))
            values["earlier_level"] = np.where(before < 0, np.nan, before)
            values["earlier_in_work"] = np.where(before < 0, np.nan, before == 2)
        parts.append(base.assign(wave=wave, status=status, **values)[who & (codes >= 0)])
    frame = pd.concat(parts, ignore_index=True)
    frame["wave"] = pd.Categorical(frame["wave"], categories=waves)
    ordered: pd.DataFrame = frame.sort_values(["person_id", "wave"], kind="stable", ignore_index=True)
    return ordered


EVENT_FRAMES: Final[dict[str, Callable[..., pd.DataFrame]]] = {
    "cox": _times,
    "logistic": _returns,
    "linear": _days,
    "ordinal": _status,
    "ordinal_gee": _statuses,
}
"""Estimator -> what builds its frame; the keyword arguments are the options of its targets."""
