"""Timelines drawn in characters, to look at a rule on a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.core.days import day_of, from_days, iso, to_days
from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.return_to_work import return_to_work
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.outcomes.timeline import DEAD, EMIGRATED, NO_BENEFIT, Timeline
from rtwcohort.register.benefits import BENEFITS

LETTERS: Final = {
    NO_BENEFIT: ".",
    **dict(enumerate("SADURPO", start=1)),
    DEAD: "X",
    EMIGRATED: "E",
}
"""One letter a state; small where the combined grade is below 100."""

UNKNOWN: Final = "?"
"""After the end of data, or outside the timeline's window."""


def draw_timeline(
    timeline: Timeline,
    person: int | Sequence[int],
    *,
    index_day: Any,
    rule: RtwRule | str | None = None,
    horizon: int = 365,
    days: int | None = None,
    width: int = 98,
    days_per_character: int = 1,
    label: str | Sequence[str] | None = None,
) -> str:
    """Draw people's states from the index date on, one character for a day or a week.

    Parameters
    ----------
    timeline
        Where the states are.
    person
        Positions in `timeline.people`, from 0. Ids are never printed.
    index_day
        Index date, one for all or one each: dates, or day numbers.
    rule, horizon
        A rule to apply: its qualifying period is marked below the states, "^" on its first day and "-" on
        the others, and the outcome is said in words.
    days
        How many days to draw; None draws to the end of the window or of data, at most to the horizon and 90 days more.
    width
        Characters a line.
    days_per_character
        1 draws days, 7 weeks: a character then shows the first day of its week.
    label
        Words before each drawing; None writes "person 1", "person 2", ... in the order asked for.

    Returns
    -------
    str
        Lines of text that end with a legend of the letters used.

    Raises
    ------
    ArgumentError
        When a position is outside the timeline or an option breaks its rule.
    """
    positions = np.atleast_1d(np.asarray(person, dtype=np.int64))
    starts = _index_days(index_day, len(positions))
    labels = _labels(label, len(positions))
    check_number(width, argument="width", least=10, whole=True)
    check_number(days_per_character, argument="days_per_character", least=1, whole=True)
    if ((positions < 0) | (positions >= len(timeline.people.from_day))).any():
        raise ArgumentError(
            f"`person` must be positions from 0 to {len(timeline.people.from_day) - 1}; got {positions.tolist()}."
        )
    blocks, used = [], set()
    for position, start, words in zip(positions.tolist(), starts.tolist(), labels, strict=True):
        n = days if days is not None else _default_days(timeline, position, start, horizon)
        letters = _letters(timeline, position, start, n)
        marks, outcome = _marks(timeline, position, start, n, rule, horizon)
        used |= set(letters)
        blocks.append(f"{words}, day 0 = {iso(start)}")
        blocks += _wrap(letters, marks, width, days_per_character)
        blocks += [outcome] if outcome else []
    return "\n".join([*blocks, _legend(used, marked=rule is not None)])


def _index_days(index_day: Any, n: int) -> npt.NDArray[np.int64]:
    if isinstance(index_day, (str, pd.Timestamp)) or not np.iterable(index_day):
        values = np.full(n, index_day if isinstance(index_day, (int, np.integer)) else _one_day(index_day))
    else:
        array = np.asarray(index_day)
        values = array if array.dtype.kind in "iu" else to_days(pd.Series(index_day))
    if len(values) != n:
        raise ArgumentError(f"`index_day` must be one date, or one for each of {n} people; got {len(values)}.")
    return values.astype(np.int64)


def _one_day(value: Any) -> int:
    return day_of(value, argument="index_day")


def _labels(label: str | Sequence[str] | None, n: int) -> list[str]:
    if label is None:
        return [f"person {number}" for number in range(1, n + 1)]
    labels = [label] if isinstance(label, str) else list(label)
    if len(labels) != n:
        raise ArgumentError(f"`label` must give one text for each of {n} people; got {len(labels)}.")
    return labels


def _default_days(timeline: Timeline, position: int, start: int, horizon: int) -> int:
    end = min(int(timeline.people.to_day[position]), timeline.data_end + 1)
    return max(min(end - start, horizon + 90), 1)


def _letters(timeline: Timeline, position: int, start: int, n: int) -> str:
    text = [UNKNOWN] * n
    for row in range(int(timeline.offset[position]), int(timeline.offset[position + 1])):
        letter = LETTERS.get(int(timeline.state[row]), "O")
        if 0 < timeline.grade[row] < 100 and timeline.state[row] < DEAD:
            letter = letter.lower()
        first = max(int(timeline.start[row]) - start, 0)
        after = min(int(timeline.end[row]), timeline.data_end + 1) - start
        for day in range(first, min(after, n)):
            text[day] = letter
    return "".join(text)


def _marks(
    timeline: Timeline, position: int, start: int, n: int, rule: RtwRule | str | None, horizon: int
) -> tuple[str, str]:
    if rule is None:
        return "", ""
    index = pd.DataFrame(
        {"person_id": timeline.people.person_id[position : position + 1], "index_date": from_days([start])}
    )
    row = return_to_work(timeline, rule, horizon=horizon, index=index).frame.iloc[0]
    if not row["event"]:
        return "", f"no return: {row['cause'].replace('_', ' ')} on day {row['time']}"
    first, last = (int(to_days(row[[name]])[0]) - start for name in ("started_on", "confirmed_on"))
    marks = " " * first + "^" + "-" * (last - first)
    return marks[:n], f"returned on day {row['time']}, qualifying period day {first} to {last}"


def _wrap(letters: str, marks: str, width: int, step: int) -> list[str]:
    shown = letters[::step]
    below = "".join(_strongest(marks[i : i + step]) for i in range(0, len(marks), step))
    lines = []
    for first in range(0, len(shown), width):
        lines.append(f"{first * step:>6} {shown[first : first + width]}")
        piece = below[first : first + width]
        if piece.strip():
            lines.append(f"       {piece}".rstrip())
    return lines


def _strongest(piece: str) -> str:
    return "^" if "^" in piece else "-" if "-" in piece else " "


def _legend(used: set[str], *, marked: bool) -> str:
    words = {".": "no benefit", "X": "dead", "E": "emigrated", UNKNOWN: "not known"}
    words |= {LETTERS[code]: benefit.label for code, benefit in enumerate(BENEFITS, start=1)}
    parts = [f"{letter} {words[letter]}" for letter in words if letter in used]
    parts += [f"{letter.lower()} {words[letter]}, partial" for letter in words if letter.lower() in used - {letter}]
    if marked:
        parts.append("^- qualifying period")
    return "legend: " + ", ".join(parts)
