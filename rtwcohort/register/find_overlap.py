"""Spells of one person that contradict each other: overlaps, corrections, ends that must have been."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.register.scene import (
    Mask,
    Scene,
    date_of_person,
    dates_in,
    duplicate_rows,
    possible,
    record_tables,
    remembered,
    unread_rows,
)

Places = npt.NDArray[np.int64]
_DAY = np.int64(86_400)


def spell_order(frame: pd.DataFrame, sound: Mask | None = None) -> tuple[Places, Places]:
    """Return the sound spells by person, benefit, start and row, and the group of each.

    Parameters
    ----------
    frame
        Benefits.
    sound
        Which rows to take, shape (rows,); None for all that have a person, a benefit, a start, and no
        end before it.

    Returns
    -------
    order : numpy.ndarray of int64, shape (m,)
        Positions of the sound spells.
    group : numpy.ndarray of int64, shape (m,)
        Equal for spells of one person and benefit, ascending.
    """
    whole = (frame["person_id"].notna() & frame["benefit"].notna() & frame["start"].notna()).to_numpy()
    whole &= ~(dates_in(frame, "end") < dates_in(frame, "start"))
    places = np.flatnonzero(whole if sound is None else whole & sound)
    person = pd.factorize(frame["person_id"])[0][places].astype(np.int64)
    benefit, names = pd.factorize(frame["benefit"])
    group = person * (len(names) + 1) + benefit[places]
    start = dates_in(frame, "start")[places].astype(np.int64)
    order = np.lexsort((places, start, group))
    return places[order], group[order]


def _credible(scene: Scene, table: str) -> Mask:
    """Return the rows whose dates have no fault of their own: others would seem to overlap sound spells.

    A spell before birth, after death or emigration, or after the last day known has one.
    """
    objects = (*record_tables(scene), scene.unreadable)
    return remembered(scene, f"credible {table}", objects, lambda: _worked_out_credible(scene, table))


def _worked_out_credible(scene: Scene, table: str) -> Mask:
    frame = scene.tables[table]
    start, end = dates_in(frame, "start"), dates_in(frame, "end")
    strange = ~possible(start) | (~possible(end) & ~np.isnat(end))
    strange |= unread_rows(scene, table, ("start", "end"))
    strange |= (start < date_of_person(scene, table, "birth_date")) | (start > scene.data_end)
    for column in ("death_date", "emigration_date"):
        strange |= start > date_of_person(scene, table, column)
    return ~strange


def corrected_record(scene: Scene, table: str) -> Mask:
    """Return the rows that a later row replaces: same person, benefit, employer and first day, the rest differs.

    Rows without an employer are not compared: two of them may be two jobs.
    """
    return remembered(scene, f"corrected {table}", (scene.tables[table],), lambda: _corrected(scene, table))


def _corrected(scene: Scene, table: str) -> Mask:
    frame = scene.tables[table]
    same = ["person_id", "benefit", "start", "employer_id"]
    keys = [name for name in same if name in frame.columns]
    taken = frame.duplicated(["person_id", "start"], keep=False).to_numpy() & ~duplicate_rows(scene, table)
    for name in keys:
        taken &= frame[name].notna().to_numpy()
    places = np.flatnonzero(taken)
    found = np.zeros(len(frame), dtype=bool)
    found[places] = frame.iloc[places][keys].duplicated(keep="last").to_numpy()
    return found


def open_end_followed(scene: Scene, table: str) -> Mask:
    """Return the open spells after whose start another one of the same benefit starts."""
    objects = (*record_tables(scene), scene.unreadable)
    return remembered(scene, f"followed {table}", objects, lambda: _followed(scene, table))


def _followed(scene: Scene, table: str) -> Mask:
    frame = scene.tables[table]
    found = np.zeros(len(frame), dtype=bool)
    if not frame["end"].isna().any():
        return found
    next_start, order = next_starts(scene, table)
    found[order] = ~np.isnat(next_start) & np.isnat(dates_in(frame, "end")[order])
    return found


def next_starts(scene: Scene, table: str) -> tuple[npt.NDArray[np.datetime64], Places]:
    """Return for each credible spell the first later start of the same person and benefit, and its position."""
    frame = scene.tables[table]
    order, group = spell_order(frame, _credible(scene, table))
    start = dates_in(frame, "start")[order]
    later = np.full(len(order), np.datetime64("NaT", "s"))
    if len(order) > 1:
        change = np.append((group[1:] != group[:-1]) | (start[1:] != start[:-1]), True)
        ends = np.flatnonzero(change)
        run_end = ends[np.searchsorted(ends, np.arange(len(order)))]
        inside = run_end + 1 < len(order)
        following = np.where(inside, run_end + 1, 0)
        follows = inside & (group[following] == group)
        later = np.where(follows, start[following], later)
    return later, order


def overlap_same_benefit(scene: Scene, table: str) -> Mask:
    """Return spells that start no later than the latest end among earlier spells of their group.

    Spells with a fault that explains the overlap are left out: dates that cannot be, an end missing
    though another spell follows, a record that was corrected.
    """
    frame = scene.tables[table]
    found = np.zeros(len(frame), dtype=bool)
    sound = _credible(scene, table) & ~corrected_record(scene, table) & ~open_end_followed(scene, table)
    order, group = spell_order(frame, sound)
    if len(order) < 2:
        return found
    start = dates_in(frame, "start")[order].astype(np.int64) // _DAY
    end_dates = dates_in(frame, "end")[order]
    last = max(int(start.max()), int(scene.data_end.astype(np.int64) // _DAY))
    end = np.where(np.isnat(end_dates), last, end_dates.astype(np.int64) // _DAY)
    rank = np.cumsum(np.concatenate([[0], group[1:] != group[:-1]]))
    step = np.int64(max(int(end.max()), last) - int(start.min()) + 2)
    reached = np.maximum.accumulate(end + rank * step)[:-1]
    found[order[1:]] = (start[1:] + rank[1:] * step <= reached) & (rank[1:] == rank[:-1])
    return found & ~duplicate_rows(scene, table)
