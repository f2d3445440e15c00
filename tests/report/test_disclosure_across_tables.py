"""One cohort, several tables: what is withheld in one cannot be found by subtracting another."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd

from rtwcohort.report.arm_table import arm_table
from rtwcohort.report.baseline_table import table_one
from rtwcohort.report.cause_table import cause_table
from rtwcohort.report.hazard_table import hazard_ratio_table

EDUCATION = SimpleNamespace(name="education", label="Education", kind="categorical", unit="")
ARM = SimpleNamespace(name="arm", label="Arm", kind="categorical", unit="")


def cohort(rng: np.random.Generator) -> pd.DataFrame:
    n = int(rng.integers(20, 160))
    levels, arms = ["low", "middle", "high"], ["a", "b", "c"][: rng.integers(2, 4)]
    cause = rng.choice(["return", "horizon", "death", "emigration"], n, p=rng.dirichlet([8, 5, 0.4, 0.4]))
    education = pd.Series(rng.choice([*levels, None], n, p=rng.dirichlet([5, 3, 1, 0.3]))).astype(object)
    arm = pd.Categorical(rng.choice(arms, n, p=rng.dirichlet([4] * len(arms))), categories=arms)
    frame = pd.DataFrame({"education": pd.Categorical(education, levels), "arm": arm, "cause": cause})
    level = education.where(education.notna(), "Missing")
    return frame.assign(event=frame["cause"] == "return", level=level)


Group = dict[str, str]
"""Column -> value: the people that a number counts; nothing is everybody."""


def members(frame: pd.DataFrame, group: Group) -> np.ndarray:
    inside = np.ones(len(frame), dtype=bool)
    for column, value in group.items():
        inside &= (frame[column].astype(str) == value).to_numpy()
    return inside


def printed(frame: pd.DataFrame) -> list[tuple[Group, int]]:
    """Return every printed count with the people that it counts."""
    found: list[tuple[Group, int]] = [({}, len(frame))]

    def note(group: Group, number: object) -> None:
        if pd.notna(number):
            found.append((group, int(number)))

    def of(arm: str) -> Group:
        return {} if arm == "All" else {"arm": arm}

    for _, row in table_one(frame, [EDUCATION]).raw.query("statistic == 'n'").iterrows():
        note(of(row["group"]) | ({"level": row["level"]} if row["level"] else {}), row["value"])
    for _, row in cause_table(frame, words={c: c for c in sorted(set(frame["cause"]))}).raw.iterrows():
        note(of(row["group"]) | {"cause": row["cause"]}, row["n"])
    for column, variable in (("level", EDUCATION), ("arm", ARM)):
        for _, row in hazard_ratio_table(frame, [variable], univariable={}).raw.iterrows():
            note({column: row["level"]}, row["n"])
            note({column: row["level"], "event": "True"}, row["events"])
    arms = frame.groupby("arm", observed=True)["event"].agg(["size", "sum"]).reset_index()
    arms.columns = ["arm", "n", "n_returned"]
    for _, row in arm_table(arms).raw.iterrows():
        note(of(row["arm"]) | ({"event": "True"} if row["statistic"] == "n_returned" else {}), row["value"])
    return found


def wanted(frame: pd.DataFrame) -> list[Group]:
    """Return the groups that the tables are about, alone and crossed."""
    columns = ("level", "arm", "cause")
    of_level, of_arm, of_cause = ([{c: str(value)} for value in sorted(set(frame[c].astype(str)))] for c in columns)
    events = [{"event": "True"}, {"event": "False"}]
    crossed = [a | b for a in of_level for b in [*of_arm, *events]]
    crossed += [a | b for a in of_arm for b in [*of_cause, *events]]
    return [*of_level, *of_arm, *of_cause, *crossed]


def test_no_small_count_of_one_table_can_be_found_from_all_of_them_together() -> None:
    rng = np.random.default_rng(99)
    n_small = 0
    for _ in range(80):
        frame = cohort(rng)
        found = printed(frame)
        # The unknowns: how many people of each level, arm and cause there are.
        columns = [sorted(set(frame[column].astype(str))) for column in ("level", "arm", "cause")]
        unknowns = pd.DataFrame(list(itertools.product(*columns)), columns=["level", "arm", "cause"])
        unknowns["event"] = unknowns["cause"] == "return"
        assert all(int(members(frame, group).sum()) == number for group, number in found)
        equations = np.array([members(unknowns, group) for group, _ in found], dtype=float)
        for group in wanted(frame):
            if 0 < int(members(frame, group).sum()) < 5:
                n_small += 1
                target = members(unknowns, group).astype(float)
                weights, *_ = np.linalg.lstsq(equations.T, target, rcond=None)
                assert not np.allclose(equations.T @ weights, target, atol=1e-8), group
    assert n_small > 300
