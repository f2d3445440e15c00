"""Where people went: the flow as a frame and in words."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rtwcohort.cohort.candidates import Candidates
from rtwcohort.cohort.cohort import Cohort, FlowStep
from rtwcohort.cohort.history import Flags


def flow_frame(cohort: Cohort) -> pd.DataFrame:
    """Return the flow, one row a step.

    Returns
    -------
    pandas.DataFrame
        `step` (from 1), `name`, `reason`, `n_excluded`, `n_left`, and `n_left_<arm>` for each arm where arms are known.
        In every row but the first, `n_left` is the one above less `n_excluded`. The steps before an arm is
        known (rows of the enrolment table) have no counts by arm.
    """
    rows = [
        {
            "step": number,
            "name": step.name,
            "reason": step.reason,
            "n_excluded": step.n_excluded,
            "n_left": step.n_left,
            **{f"n_left_{arm}": n for arm, n in step.left_by_arm},
        }
        for number, step in enumerate(cohort.flow, start=1)
    ]
    frame = pd.DataFrame(rows)
    by_arm = [name for name in frame.columns if name.startswith("n_left_")]
    return frame.astype(dict.fromkeys(by_arm, "Int64"))


def flow_words(flow: Sequence[FlowStep]) -> str:
    """Say the flow in one sentence, as error messages do."""
    first, *rest = flow
    steps = [f"{first.n_left} {first.reason}"]
    steps += [f"{step.n_excluded} left: {step.reason} ({step.n_left} remained)" for step in rest if step.n_excluded]
    return "; ".join(steps)


def arm_counts(cohort: Cohort) -> pd.DataFrame:
    """Count the people of each arm.

    Returns
    -------
    pandas.DataFrame
        `arm` and `n`, sorted by arm; a last row with a missing `arm` where some people have none. Empty without arms.
    """
    if "arm" not in cohort.frame.columns:
        return pd.DataFrame({"arm": pd.Series(dtype=object), "n": pd.Series(dtype="int64")})
    counts = cohort.frame["arm"].astype(object).value_counts(dropna=False, sort=False)
    frame = pd.DataFrame({"arm": counts.index.to_numpy(dtype=object), "n": counts.to_numpy(dtype="int64")})
    return frame.sort_values("arm", na_position="last", ignore_index=True)


def count_arms(people: Candidates, before: tuple[tuple[str, int], ...] = ()) -> tuple[tuple[str, int], ...]:
    """Count people by arm for a step of the flow, 0 for an arm of the step before; empty where there are no arms."""
    if "arm" not in people.enrolment.columns:
        return ()
    counts = {str(arm): int(n) for arm, n in people.enrolment["arm"].value_counts().items()}
    return tuple((arm, counts.get(arm, 0)) for arm in sorted({*counts, *(arm for arm, _ in before)}))


def exclude(people: Candidates, flow: list[FlowStep], name: str, reason: str, out: Flags) -> Candidates:
    """Take people out and add the step to the flow."""
    kept = people.take(~out) if out.any() else people
    flow.append(FlowStep(name, reason, len(people) - len(kept), len(kept), count_arms(kept, flow[-1].left_by_arm)))
    return kept
