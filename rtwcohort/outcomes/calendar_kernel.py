"""Civil calendar in compiled code: days since 1970-01-01 to year, month, day and back.

Algorithms `days_from_civil` and `civil_from_days` after Howard Hinnant, "chrono-Compatible Low-Level
Date Algorithms" (2013): years begin in March, so that the leap day is the last of the year.
"""

from __future__ import annotations

import numpy as np

from rtwcohort.core.days import MISSING_DAY, Days
from rtwcohort.core.jit import kernel


@kernel
def days_from_civil(year: int, month: int, day: int) -> int:
    """Return days since 1970-01-01 of a date in the proleptic Gregorian calendar."""
    y = year - 1 if month <= 2 else year
    era = y // 400
    year_of_era = y - era * 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146097 + day_of_era - 719468


@kernel
def civil_from_days(days: int) -> tuple[int, int, int]:
    """Return year, month and day of a day number."""
    z = days + 719468
    era = z // 146097
    day_of_era = z - era * 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return year, month, day


@kernel
def add_months(days: int, months: int) -> int:
    """Return the same day of the month `months` later, or that month's last day where there is none."""
    year, month, day = civil_from_days(days)
    count = year * 12 + month - 1 + months
    first = days_from_civil(count // 12, count % 12 + 1, 1)
    following = days_from_civil((count + 1) // 12, (count + 1) % 12 + 1, 1)
    return min(first + day - 1, following - 1)


@kernel
def add_months_each(days: Days, months: int) -> Days:
    """Add months to every day of an array, shape (n,); `MISSING_DAY` stays missing."""
    out = np.empty(len(days), dtype=np.int32)
    for i in range(len(days)):
        out[i] = MISSING_DAY if days[i] == MISSING_DAY else add_months(int(days[i]), months)
    return out
