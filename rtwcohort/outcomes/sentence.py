"""A rule as one English sentence for a methods section."""

from __future__ import annotations

from collections.abc import Sequence

from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.register.benefits import BENEFIT_NAMES, BENEFITS

_LABELS = {benefit.name: benefit.label for benefit in BENEFITS}
_LASTING = ("work_assessment_allowance", "disability_pension")


def describe_rule(rule: RtwRule) -> str:
    """Return one plain sentence that says what the rule counts as a return to work.

    Parameters
    ----------
    rule
        Any rule.

    Returns
    -------
    str
        Benefits, level, duration, calendar, event date, confirmation, competing events and censoring; the
        chosen readings are in `rule.assumptions`.

    Examples
    --------
    >>> from rtwcohort.outcomes.catalogue import get_rule
    >>> print(describe_rule(get_rule("myhre_2016")).split(";")[0])
    Return to work (rule myhre_2016) was the first 5 consecutive weeks, beginning on or after the index date, \
without any sickness benefit
    """
    parts = [
        f"Return to work (rule {rule.name}) was {_PERIODS[rule.hold](rule)}",
        _loophole(rule),
        _share_meaning(rule),
        _dated(rule),
        _competing(rule),
        _censored(rule),
    ]
    return "; ".join(part for part in parts if part) + "."


def join_words(words: Sequence[str], last: str = "and") -> str:
    """Join words with commas and a last conjunction: "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _benefits(rule: RtwRule, last: str) -> str:
    if set(rule.benefits) == set(BENEFIT_NAMES):
        return "benefit" if last == "or" else "all benefits"
    return join_words([_LABELS[name] for name in rule.benefits], last)


def _percent(value: float | None) -> str:
    return f"{value:g} %"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit if number != 1 else unit[:-1]}"


def _level(rule: RtwRule) -> str:
    """Say what a day that is back has: "without any sickness benefit", "with a work share above 50 %"."""
    words = []
    if rule.max_grade == 0:
        words.append(f"without any {_benefits(rule, 'or')}")
    elif rule.max_grade is not None:
        bound = "of at most" if rule.grade_bound == "at_most" else "below"
        words.append(f"with a combined grade of {_benefits(rule, 'and')} {bound} {_percent(rule.max_grade)}".strip())
    if rule.min_work_share is not None:
        words.append(f"with a work share {_share_bound(rule)}")
    return " and ".join(words)


def _share_bound(rule: RtwRule) -> str:
    if rule.min_work_share == 100:
        return "of 100 %"
    bound = "of at least" if rule.work_share_bound == "at_least" else "above"
    return f"{bound} {_percent(rule.min_work_share)}"


def _consecutive(rule: RtwRule) -> str:
    if rule.calendar == "iso_weeks":
        weeks = "calendar week" if rule.length == 1 else f"{rule.length} consecutive calendar weeks"
        return f"the first {weeks} (Monday to Sunday), beginning on or after the index date, {_level(rule)}"
    if rule.length == 1 and rule.unit == "days":
        return f"the first day, on or after the index date, {_level(rule)}"
    if rule.length == 1:
        return f"the first whole {rule.unit[:-1]}, beginning on or after the index date, {_level(rule)}"
    return f"the first {rule.length} consecutive {rule.unit}, beginning on or after the index date, {_level(rule)}"


def _mean(rule: RtwRule) -> str:
    if rule.calendar == "windows":
        return (
            f"the first of the {rule.length}-{rule.unit[:-1]} windows that follow one another from the index date, "
            f"with a mean work share {_share_bound(rule)}"
        )
    return (
        f"the first day at work, on or after the index date, that opened {_count(rule.length, rule.unit)} "
        f"with a mean work share {_share_bound(rule)}"
    )


def _increase(rule: RtwRule) -> str:
    baseline = (
        "work share on the index date"
        if rule.baseline_days == 1
        else f"mean work share over the {rule.baseline_days} days that end with the index date"
    )
    each = "" if rule.length == 1 else " in each of them"
    months = "month, counted" if rule.length == 1 else f"{rule.length} consecutive months, counted"
    return f"the first {months} from the index date, with a mean work share{each} above the person's own {baseline}"


def _point(rule: RtwRule) -> str:
    if len(rule.at) == 1:
        return f"the day {_moment(rule.at, rule.unit)}, when spent {_level(rule)}"
    return f"the first day {_level(rule)} among the days of measurement ({_moment(rule.at, rule.unit)})"


def _moment(at: Sequence[int], unit: str) -> str:
    """Say when: "on the index date and 3 months after it", "3, 6 and 18 months after the index date"."""
    later = [count for count in at if count]
    if not later:
        return "of the index date" if len(at) == 1 else "on the index date"
    if len(later) > 3 and later == list(range(later[0], later[-1] + 1)):
        words = f"every {unit[:-1]} from {later[0]} to {later[-1]} {unit} after"
    else:
        words = f"{join_words([str(count) for count in later])} {unit if later[-1] != 1 else unit[:-1]} after"
    return f"{words} the index date" if at[0] else f"on the index date and {words} it"


_PERIODS = {"consecutive": _consecutive, "mean": _mean, "increase": _increase, "point": _point}


def _loophole(rule: RtwRule) -> str:
    """Name the lasting benefits that neither stand in the way of a return nor end follow-up."""
    free = [_LABELS[name] for name in _LASTING if name not in rule.benefits and name not in rule.competing]
    if not free:
        return ""
    return f"a day with only {join_words(free, 'or')} counted as a day without benefit"


def _share_meaning(rule: RtwRule) -> str:
    if rule.hold != "increase" and rule.min_work_share is None:
        return ""
    return (
        f"the work share was 100 % less the combined grade of {_benefits(rule, 'and')}, "
        "times the position where employment was known"
    )


def _dated(rule: RtwRule) -> str:
    if rule.hold == "point" or (rule.hold == "consecutive" and rule.length == 1 and rule.unit == "days"):
        return "it was dated to that day, and counted when that day fell within the horizon"
    if rule.event_date == "confirmed":
        return "it was dated to the last day of that period, and counted when that day fell within the horizon"
    if rule.confirmation == "by_horizon":
        return "it was dated to the first day of that period, and counted when the whole period fell within the horizon"
    return (
        "it was dated to the first day of that period, and counted when that day fell within the horizon, "
        "also when the period ended after it"
    )


def _competing(rule: RtwRule) -> str:
    if not rule.competing:
        return "there were no competing events"
    starts = [f"the start of {_with_article(name)}" for name in rule.competing if name != "death"]
    if starts and rule.competing_onset == "not_back":
        words = f"{join_words(starts)} on a day below that level"
        words += ", as well as death," if "death" in rule.competing else ""
    else:
        words = join_words(starts + ["death"] * ("death" in rule.competing))
    return f"{words} {'was a competing event' if len(rule.competing) == 1 else 'were competing events'}"


def _with_article(name: str) -> str:
    return f"a {_LABELS[name]}" if name.endswith("pension") else _LABELS[name]


def _censored(rule: RtwRule) -> str:
    reasons = [] if "death" in rule.competing else ["death"]
    reasons.append("emigration")
    reasons += [] if rule.retirement_age is None else [f"the age of {rule.retirement_age} years"]
    reasons += ["the end of data", "the horizon"]
    return f"follow-up was censored at {join_words(reasons)}"
