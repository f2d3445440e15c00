"""Job strain: high demands together with low control, by the medians of the study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.instruments.instrument import MissingRule
from rtwcohort.instruments.score import score

QUADRANTS: Final = ("low_strain", "passive", "active", "strain")


@dataclass(frozen=True, slots=True)
class JobStrain:
    """Demands, control and their quadrant.

    Attributes
    ----------
    frame
        One row a person: person_id, wave, demands, control (sum scores), quadrant (Categorical of `QUADRANTS`),
        strain ("boolean"); missing where one of the scores is.
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
    missing: MissingRule | None = None,
    demands_median: float | None = None,
    control_median: float | None = None,
) -> JobStrain:
    """Find who has job strain: demands above and control below the median.

    Parameters
    ----------
    questionnaires
        Long answers with the DCSQ items.
    wave
        The wave to score.
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
        When nobody has both scores and a median is asked for.
    """
    demands = score(questionnaires, "DCSQ-DEMANDS", wave=wave, missing=missing)
    control = score(questionnaires, "DCSQ-CONTROL", wave=wave, missing=missing)
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
    strain = pd.Series(code == 3, index=frame.index).astype("boolean").mask(code == -1)
    return JobStrain(frame.assign(quadrant=quadrant, strain=strain), high, low)


def _threshold(values: pd.Series[Any], given: float | None, argument: str) -> float:
    if given is not None:
        check_number(given, argument=argument)
        return float(given)
    if values.empty:
        raise ArgumentError(
            f"`{argument}` cannot be taken from the data: nobody has both scores. Give it, or look at missing items."
        )
    return float(values.median())
