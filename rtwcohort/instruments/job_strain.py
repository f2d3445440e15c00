"""Job strain: high demands together with low control, by the medians of the study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.instruments.declarations import get_instrument
from rtwcohort.instruments.instrument import MissingRule
from rtwcohort.instruments.options import Reversals, choose
from rtwcohort.instruments.score import score

Formula = Literal["quadrants", "ratio", "difference"]

QUADRANTS: Final = ("low_strain", "passive", "active", "strain")


@dataclass(frozen=True, slots=True)
class JobStrain:
    """Demands, control and their quadrant.

    Attributes
    ----------
    frame
        One row a person: person_id, wave, demands, control (sum scores), quadrant (Categorical of `QUADRANTS`),
        ratio and difference (of the mean items of demands and control), strain ("boolean", by the formula asked for);
        missing where one of the scores is.
    demands_median, control_median
        The thresholds used.
    """

    frame: pd.DataFrame
    demands_median: float
    control_median: float


def job_strain(
    questionnaires: Any,
    *,
    wave: str,
    formula: Formula = "quadrants",
    reversals: Reversals = "declared",
    missing: MissingRule | None = None,
    demands_median: float | None = None,
    control_median: float | None = None,
) -> JobStrain:
    """Find who has job strain: high demands with low control.

    Parameters
    ----------
    questionnaires
        Long answers with the DCSQ items.
    wave
        The wave to score.
    formula
        "quadrants": demands above and control below the median; "ratio": mean item of demands divided by that of
        control above 1; "difference": mean item of demands less that of control above 0 (the same people as "ratio").
        The study that this package began with names no formula.
    reversals
        As in `score_instrument`: which items are turned round.
    missing
        As in `score`.
    demands_median, control_median
        Thresholds from elsewhere; None takes the medians of the people who have both scores at this wave.

    Notes
    -----
    Both sides are strict, as in the IPD-Work consortium [1]_: a score at the median is neither high demands nor
    low control. "active" is high demands without low control, "passive" low control without high demands.

    References
    ----------
    .. [1] Fransson EI et al. Comparison of alternative versions of the job demand-control scales. BMC Public
       Health 2012;12:62.

    Raises
    ------
    ArgumentError
        When nobody has both scores and a median is asked for; for an unknown formula.
    """
    check_choice(formula, get_args(Formula), argument="formula")
    scales = [choose(get_instrument(name), "published", reversals) for name in ("DCSQ-DEMANDS", "DCSQ-CONTROL")]
    demands, control = (score(questionnaires, scale, wave=wave, missing=missing) for scale in scales)
    frame = demands[["person_id", "wave", "score"]].rename(columns={"score": "demands"})
    frame = frame.merge(
        control[["person_id", "score"]].rename(columns={"score": "control"}), on="person_id", how="outer"
    )
    frame["wave"] = wave
    both = frame.dropna(subset=["demands", "control"])
    high = _threshold(both["demands"], demands_median, "demands_median")
    low = _threshold(both["control"], control_median, "control_median")
    code = 2 * (frame["demands"] > high).to_numpy(dtype=np.int64) + (frame["control"] < low).to_numpy(dtype=np.int64)
    unknown = (frame["demands"].isna() | frame["control"].isna()).to_numpy()
    code = np.where(unknown, np.int64(-1), code)
    quadrant = pd.Categorical.from_codes(code, dtype=pd.CategoricalDtype(list(QUADRANTS)))
    means = [frame[name] / len(scale.items) for name, scale in zip(("demands", "control"), scales, strict=True)]
    frame = frame.assign(quadrant=quadrant, ratio=means[0] / means[1], difference=means[0] - means[1])
    found = {"quadrants": code == 3, "ratio": frame["ratio"] > 1.0, "difference": frame["ratio"] > 1.0}[formula]
    strain = pd.Series(np.asarray(found), index=frame.index).astype("boolean").mask(unknown)
    return JobStrain(frame.assign(strain=strain), high, low)


def _threshold(values: pd.Series[Any], given: float | None, argument: str) -> float:
    if given is not None:
        check_number(given, argument=argument)
        return float(given)
    if values.empty:
        raise ArgumentError(
            f"`{argument}` cannot be taken from the data: nobody has both scores. Give it, or look at missing items."
        )
    return float(values.median())
