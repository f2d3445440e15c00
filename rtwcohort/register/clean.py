"""Clean a register by explicit rules: each row dropped or changed is counted by reason and can be listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.register.check import resolve_rules
from rtwcohort.register.faults import DROP, FAULTS, KEEP, Fault
from rtwcohort.register.register import CleaningStep, Register

if TYPE_CHECKING:
    from rtwcohort.register.scene import Mask, Scene

MOST_PASSES: Final = 10
"""One mended fault can bring another to light (cut at death, two spells are equal): passes until none does."""


def clean_register(register: Register, *, rules: Mapping[str, str] | None = None) -> Register:
    """Mend the faults of a register, in the order of `FAULTS`, until none is left that a rule mends.

    Parameters
    ----------
    register
        As loaded; it is not changed.
    rules
        Fault -> action, such as `{"open_end": "close"}`; the defaults stand in `FAULTS`.

    Returns
    -------
    Register
        `cleaning` lists each rule that touched a row, with the row numbers. For every table, rows
        before = rows after + dropped - added.

    Raises
    ------
    ArgumentError
        When a rule names a fault or an action that does not exist.
    """
    from rtwcohort.register.find import find_fault
    from rtwcohort.register.scene import scene_of

    actions = resolve_rules(rules)
    scene = scene_of(register)
    steps: list[CleaningStep] = []
    for _ in range(MOST_PASSES):
        before = len(steps)
        for fault in FAULTS:
            if actions[fault.name] == KEEP:
                continue
            for table in fault.tables:
                if table in scene.tables and (mask := find_fault(scene, table, fault.name)).any():
                    steps.append(_mend(scene, table, fault, actions[fault.name], mask))
        if len(steps) == before:
            break
    frames = {table: _plain_ids(frame) for table, frame in scene.tables.items()}
    return replace(
        register,
        persons=frames["persons"],
        benefits=frames["benefits"],
        employment=frames.get("employment"),
        enrolment=frames.get("enrolment"),
        questionnaires=frames.get("questionnaires"),
        cleaning=(*register.cleaning, *steps),
        unreadable=(),
    )


def _mend(scene: Scene, table: str, fault: Fault, action: str, mask: Mask) -> CleaningStep:
    frame = scene.tables[table]
    people = len(scene.tables["persons"])
    rows = tuple(frame.index.to_numpy()[mask].tolist())
    change = _CHANGES.get((fault.name, action))
    if change is not None:
        scene.tables[table] = change(scene, table, mask)
    elif action == DROP:
        scene.tables[table] = frame[~mask]
    if fault.name.startswith("unreadable_"):
        scene.unreadable = tuple(item for item in scene.unreadable if (item.table, item.fault) != (table, fault.name))
    n_added = len(scene.tables["persons"]) - people if fault.name == "person_missing" and action == "add" else 0
    n_dropped = len(frame) - len(scene.tables[table])
    return CleaningStep(table, fault.name, fault.actions[action], len(rows), rows, n_dropped, n_added)


def _plain_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Return identifiers to int64 once none of them is missing any more."""
    ids = frame["person_id"]
    return frame.assign(person_id=ids.astype("int64")) if ids.dtype == "Int64" and not ids.isna().any() else frame


Change = Callable[["Scene", str, "Mask"], pd.DataFrame]


def _set(column: str, value: object) -> Change:
    """Return the change that puts one value into the faulty rows of a column."""

    def change(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
        frame = scene.tables[table]
        return frame.assign(**{column: frame[column].mask(mask, value)})

    return change


def _no_dates(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    """Set the impossible ones among a row's dates to missing."""
    from rtwcohort.register.tables import FIRST_DATE, LAST_DATE

    frame = scene.tables[table]
    changed = {}
    for name in frame.columns:
        if frame[name].dtype != DATE_DTYPE:
            continue
        latest = pd.Timestamp(scene.data_end) if name == "birth_date" else LAST_DATE
        changed[name] = frame[name].where(frame[name].between(FIRST_DATE, latest) | ~mask, pd.NaT)
    return frame.assign(**changed)


def _last_person(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    frame = scene.tables[table]
    affected = frame["person_id"].isin(frame["person_id"][mask])
    return frame[~(affected & frame.duplicated("person_id", keep="last"))]


def _last_answer(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    frame = scene.tables[table]
    earlier = frame.duplicated(["person_id", "wave", "instrument", "item"], keep="last").to_numpy()
    named = frame[["person_id", "instrument", "item"]].notna().all(axis=1).to_numpy()
    return frame[~(earlier & named)]


def _drop(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    return scene.tables[table][~mask]


def _add_people(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    """Add unknown people to `persons`, with negative row numbers because no file has their row."""
    from rtwcohort.register.tables import unknown_people

    frame, persons = scene.tables[table], scene.tables["persons"]
    new = frame["person_id"][mask].drop_duplicates().sort_values()
    lowest = min(0, int(persons.index.min())) if len(persons) else 0
    added = unknown_people(new, lowest - 1 - np.arange(len(new)))
    scene.tables["persons"] = pd.concat([persons, added.astype(persons.dtypes.to_dict())]) if len(persons) else added
    return frame


def _swap(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    frame = scene.tables[table]
    start, end = frame["start"], frame["end"]
    return frame.assign(start=start.mask(mask, end), end=end.mask(mask, start))


def _times_100(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    frame = scene.tables[table]
    column = "grade" if table == "benefits" else "position"
    return frame.assign(**{column: frame[column].mask(mask, frame[column] * 100.0)})


def _limit_grade(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    frame = scene.tables[table]
    return frame.assign(grade=frame["grade"].clip(upper=100.0))[~(mask & (frame["grade"] < 1).to_numpy())]


def _limit_position(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    frame = scene.tables[table]
    return frame.assign(position=frame["position"].clip(upper=100.0))[~(mask & (frame["position"] < 0).to_numpy())]


def _cut_at_death(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    from rtwcohort.register.scene import person_places

    frame = scene.tables[table]
    death = scene.tables["persons"]["death_date"].to_numpy()[person_places(scene, table)]
    return frame.assign(end=frame["end"].mask(mask, pd.Series(death, index=frame.index)))


def _close(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    """End open spells on the last day known, or on their first day when that is later."""
    frame = scene.tables[table]
    last = np.maximum(frame["start"].to_numpy(), scene.data_end)
    return frame.assign(end=frame["end"].mask(mask, pd.Series(last, index=frame.index)))


def _close_before_next(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    """End spells on the day before the next spell of the same benefit starts."""
    from rtwcohort.register.find_overlap import next_starts

    frame = scene.tables[table]
    end = frame["end"].to_numpy().copy()
    following, order = next_starts(scene, table)
    chosen = mask[order]
    end[order[chosen]] = following[chosen] - np.timedelta64(1, "D")
    return frame.assign(end=pd.Series(end, index=frame.index, dtype=DATE_DTYPE))


def _latest_spell(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
    """Let each later spell replace the earlier of the same benefit from its start on.

    Of spells that start on the same day, the one that stands last in the file is kept.
    """
    from rtwcohort.register.find_overlap import spell_order

    frame = scene.tables[table]
    order, group = spell_order(frame)
    start, end = frame["start"].to_numpy(), frame["end"].to_numpy().copy()
    earlier, later = order[:-1], order[1:]
    follows = group[1:] == group[:-1]
    same_start = follows & (start[later] == start[earlier])
    reaches = follows & ~same_start & (np.isnat(end[earlier]) | (end[earlier] >= start[later]))
    end[earlier[reaches]] = start[later[reaches]] - np.timedelta64(1, "D")
    replaced = np.zeros(len(frame), dtype=bool)
    replaced[earlier[same_start]] = True
    return frame.assign(end=pd.Series(end, index=frame.index, dtype=DATE_DTYPE))[~replaced]


def _one_enrolment(*, latest: bool) -> Change:
    def change(scene: Scene, table: str, mask: Mask) -> pd.DataFrame:
        frame = scene.tables[table]
        ordered = frame.sort_values("index_date", ascending=not latest, kind="stable", na_position="last")
        extra = ordered.duplicated("person_id") & ordered["person_id"].notna()
        return frame[~extra.reindex(frame.index).to_numpy()]

    return change


_CHANGES: Final[Mapping[tuple[str, str], Change]] = {
    ("duplicate_person", "first"): _drop,
    ("duplicate_person", "last"): _last_person,
    ("unknown_sex", "missing"): _set("sex", None),
    ("impossible_date", "missing"): _no_dates,
    ("birth_after_death", "missing"): _set("birth_date", pd.NaT),
    ("birth_after_death", "missing_death"): _set("death_date", pd.NaT),
    ("age_over_110", "missing"): _set("birth_date", pd.NaT),
    ("birth_after_records", "missing"): _set("birth_date", pd.NaT),
    ("death_before_records", "missing"): _set("death_date", pd.NaT),
    ("end_before_start", "swap"): _swap,
    ("percent_as_fraction", "multiply"): _times_100,
    ("grade_outside_range", "limit"): _limit_grade,
    ("grade_outside_range", "missing"): _set("grade", np.nan),
    ("grade_missing", "full"): _set("grade", 100.0),
    ("position_outside_range", "limit"): _limit_position,
    ("position_outside_range", "missing"): _set("position", np.nan),
    ("position_missing", "full"): _set("position", 100.0),
    ("unknown_benefit", "other"): _set("benefit", "other"),
    ("diagnosis_malformed", "missing"): _set("diagnosis", None),
    ("person_missing", "add"): _add_people,
    ("end_after_death", "cut"): _cut_at_death,
    ("open_end_followed", "close"): _close_before_next,
    ("open_end", "close"): _close,
    ("overlap_same_benefit", "latest"): _latest_spell,
    ("duplicate_enrolment", "earliest"): _one_enrolment(latest=False),
    ("duplicate_enrolment", "latest"): _one_enrolment(latest=True),
    ("duplicate_answer", "first"): _drop,
    ("duplicate_answer", "last"): _last_answer,
}
"""What an action does, where it is more than dropping the row or leaving it."""
