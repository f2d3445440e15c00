"""Entitlement to sickness benefit, counted by days: employer period, paid weekdays in the window, re-earning.

A person's earlier paid days are kept as blocks of calendar days (start, end), half-open, of which the weekdays count.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rtwcohort.core.jit import kernel

NEVER = 1 << 40
"""Stands for a day that does not come."""

# Positions in the array `ledger` of one person.
EMPLOYER_USED, LAST_SICK, LAST_PAID, BLOCKS, FIRST_PAID = range(5)
LEDGER = 5
NOTHING = -(1 << 40)
# Columns of `Calendar.days`.
MONTH, NEXT_MONTH, WINDOW_START = range(3)


class Rules(NamedTuple):
    """The entitlement as numbers."""

    employer_period: int
    employer_gap: int
    paid_days: int
    reearn_days: int


class Calendar(NamedTuple):
    """Facts about each day from `first` on, shape (days, 3): month 0-11, start of the next, start of its window."""

    first: int
    days: Any


@kernel
def weekdays_before(day: int) -> int:
    """Count Mondays to Fridays from 1970-01-01 (a Thursday) up to the day before `day`."""
    weeks = day // 7
    rest = day - 7 * weeks
    return 5 * weeks + (rest if rest <= 2 else max(2, rest - 2))


@kernel
def clear(ledger: Any) -> None:
    """Start the ledger of a person without a past."""
    ledger[EMPLOYER_USED] = 0
    ledger[LAST_SICK] = NOTHING
    ledger[LAST_PAID] = NOTHING
    ledger[BLOCKS] = 0
    ledger[FIRST_PAID] = NEVER


@kernel
def remember(ledger: Any, blocks: Any, paid: int, last: int) -> None:
    """Enter `paid` weekdays used up to the day `last` as one block."""
    if paid <= 0:
        return
    begin = last + 1 - paid - 2 * ((paid - 1) // 5)
    while weekdays_before(last + 1) - weekdays_before(begin) < paid:
        begin -= 1
    blocks[0, 0] = begin
    blocks[0, 1] = last + 1
    ledger[BLOCKS] = 1
    ledger[LAST_PAID] = last_weekday(begin, last + 1)


@kernel
def last_weekday(begin: int, end: int) -> int:
    """Return the last weekday of [begin, end), or `NOTHING`."""
    day = end - 1
    while day >= begin:
        if weekdays_before(day + 1) > weekdays_before(day):
            return day
        day -= 1
    return NOTHING


@kernel
def begin_absence(day: int, rules: Any, calendar: Any, ledger: Any, blocks: Any) -> int:
    """Enter the first day of an absence and return the first day without entitlement."""
    if day - ledger[LAST_SICK] - 1 >= rules.employer_gap:
        ledger[EMPLOYER_USED] = 0
    if day - ledger[LAST_PAID] - 1 >= rules.reearn_days:
        ledger[BLOCKS] = 0
    first_paid = day + rules.employer_period - ledger[EMPLOYER_USED]
    ledger[FIRST_PAID] = first_paid
    if first_paid - calendar.first >= len(calendar.days):
        return NEVER
    forget(first_paid, calendar, ledger, blocks)
    return max(run_out_day(first_paid, rules, calendar, ledger, blocks), day + 1)


@kernel
def forget(day: int, calendar: Any, ledger: Any, blocks: Any) -> None:
    """Drop the blocks that ended before the window of `day`."""
    kept = 0
    for k in range(ledger[BLOCKS]):
        if blocks[k, 1] > calendar.days[day - calendar.first, WINDOW_START]:
            blocks[kept, 0] = blocks[k, 0]
            blocks[kept, 1] = blocks[k, 1]
            kept += 1
    ledger[BLOCKS] = kept


@kernel
def end_absence(begin: int, end: int, rules: Any, ledger: Any, blocks: Any) -> None:
    """Enter the end of an absence [begin, end)."""
    ledger[EMPLOYER_USED] = min(rules.employer_period, ledger[EMPLOYER_USED] + end - begin)
    ledger[LAST_SICK] = end - 1
    first_paid = ledger[FIRST_PAID]
    paid = last_weekday(first_paid, end)
    if paid != NOTHING:
        blocks[ledger[BLOCKS], 0] = first_paid
        blocks[ledger[BLOCKS], 1] = end
        ledger[BLOCKS] += 1
        ledger[LAST_PAID] = paid


@kernel
def used_before(day: int, window_start: int, ledger: Any, blocks: Any) -> int:
    """Count paid weekdays of the blocks within [window_start, day)."""
    total = 0
    for k in range(ledger[BLOCKS]):
        begin = max(blocks[k, 0], window_start)
        end = min(blocks[k, 1], day)
        if end > begin:
            total += weekdays_before(end) - weekdays_before(begin)
    return total


@kernel
def run_out_day(first_paid: int, rules: Any, calendar: Any, ledger: Any, blocks: Any) -> int:
    """Return the day after the last paid day of an absence that goes on, or `NEVER` beyond the calendar.

    The window of a day begins the day after the same date three years (`window_years`) back. From each day the
    search jumps to the first on which the days could be used up if none left the window, which cannot pass the day
    looked for.
    """
    day = first_paid
    if used_before(day, calendar.days[day - calendar.first, WINDOW_START], ledger, blocks) >= rules.paid_days:
        return day
    while day - calendar.first < len(calendar.days):
        start = calendar.days[day - calendar.first, WINDOW_START]
        own = weekdays_before(day + 1) - weekdays_before(max(first_paid, start))
        need = rules.paid_days - own - used_before(first_paid, start, ledger, blocks)
        if need <= 0:
            return day + 1
        day += need + 2 * ((need - 1) // 5)
    return NEVER


def block_capacity(window_years: int) -> int:
    """Return how many blocks fit in a window: there is a day between two."""
    return int(np.ceil(window_years * 366 / 2)) + 4
