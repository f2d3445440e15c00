"""The catalogue is complete, each rule is applied, and each sentence can be read."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.catalogue import DEFINITIONS, NOT_COMPUTABLE, RULES, get_rule
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.outcomes.sentence import describe_rule


def published() -> set[tuple[str, str, str]]:
    with (Path(__file__).parent / "published_definitions.csv").open(encoding="utf-8") as file:
        return {(row["study"], row["outcome"], row["source_file"]) for row in csv.DictReader(file)}


def test_every_published_definition_is_computed_or_explained_and_none_twice() -> None:
    computed = set(DEFINITIONS)
    explained = {(entry.study, entry.outcome, entry.source_file) for entry in NOT_COMPUTABLE}
    assert len(published()) == 59
    assert computed | explained == published()
    assert not computed & explained
    assert len(explained) == len(NOT_COMPUTABLE)


def test_every_rule_computes_a_published_definition() -> None:
    named = {name for names in DEFINITIONS.values() for name in names}
    assert named == set(RULES)


def test_every_reason_is_a_sentence() -> None:
    assert all(re.fullmatch(r"[A-Z`].*\.", entry.reason) for entry in NOT_COMPUTABLE)


@pytest.mark.parametrize("name", RULES)
def test_rules_are_named_after_study_and_year_and_say_where_from(name: str) -> None:
    rule = RULES[name]
    assert rule.name == name
    assert re.fullmatch(r"[a-z_]+_(19|20)\d\d(_[a-z_]+)?", name)
    year = re.search(r"\d{4}", name)
    assert year is not None
    assert year.group() in rule.source
    assert all(re.fullmatch(r"[A-Z].*\.", text) for text in rule.assumptions)


def test_rules_stand_in_alphabetical_order_of_their_studies() -> None:
    studies = [re.sub(r"(\d{4}).*", r"\1", name) for name in RULES]
    assert studies == sorted(studies)


# What the texts print, beside what the rules hold: benefits, level, how it holds, length.
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gismervik_2020", {"benefits": ("sickness_benefit",), "max_grade": 0, "length": 4, "unit": "weeks"}),
        ("skagseth_2019", {"benefits": ("sickness_benefit",), "max_grade": 0, "length": 4, "unit": "weeks"}),
        ("skagseth_2020_pa", {"max_grade": 0, "length": 1, "unit": "months"}),
        ("aasdahl_2018", {"length": 1, "unit": "months", "horizon_days": 365}),
        ("myhre_2014", {"benefits": ("sickness_benefit",), "length": 5, "unit": "weeks"}),
        ("myhre_2016", {"benefits": ("sickness_benefit",), "length": 5, "unit": "weeks"}),
        ("hara_2018_rtw", {"hold": "mean", "min_work_share": 20, "length": 8, "unit": "weeks", "calendar": "windows"}),
        ("hara_2018_half", {"hold": "mean", "min_work_share": 50, "length": 8, "unit": "weeks"}),
        ("hara_2018_full", {"hold": "mean", "min_work_share": 80, "length": 8, "unit": "weeks"}),
        ("jacobsen_2020", {"hold": "mean", "min_work_share": 50, "length": 14, "calendar": "windows"}),
        ("brendbekken_2018_increase", {"hold": "increase", "length": 3, "unit": "months"}),
        ("haveraaen_2016", {"min_work_share": 50, "work_share_bound": "above", "at": (3,), "unit": "months"}),
        ("tou_2015", {"min_work_share": 50, "work_share_bound": "at_least", "at": (0, 3), "unit": "months"}),
        ("haveraaen_2017_first", {"max_grade": 100, "grade_bound": "below", "length": 1}),
        ("jensen_2011", {"length": 4, "unit": "weeks", "calendar": "iso_weeks"}),
        ("lindell_2008", {"length": 1, "unit": "months", "horizon_days": 548}),
        ("etuknwa_2019", {"length": 3, "unit": "months"}),
        ("grotle_2016", {"benefits": ("sickness_benefit", "work_assessment_allowance"), "at": (3, 12)}),
        ("skarpaas_2019_full", {"max_grade": 0, "horizon_days": 360}),
    ],
)
def test_rules_hold_what_the_texts_print(name: str, expected: dict[str, object]) -> None:
    rule = get_rule(name)
    assert {key: getattr(rule, key) for key in expected} == expected


def test_hours_are_shares_of_a_week_of_37_and_a_half() -> None:
    for hours, name in ((7.5, "hara_2018_rtw"), (18.75, "hara_2018_half"), (30.0, "hara_2018_full")):
        assert get_rule(name).min_work_share == 100 * hours / 37.5


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ArgumentError, match=r"got 'myhre2014'. Did you mean 'myhre_2014'\? The catalogue holds: aas"):
        get_rule("myhre2014")


@pytest.mark.parametrize("name", RULES)
def test_each_sentence_is_one_sentence(name: str) -> None:
    text = describe_rule(RULES[name])
    assert text.startswith(f"Return to work (rule {name}) was ")
    assert text.endswith(".")
    assert "\n" not in text
    assert "  " not in text
    assert ". " not in text
    assert not re.search(r"\b(None|nan|\[|_benefit)\b", text.replace(name, ""))


SENTENCES = {
    "gismervik_2020": (
        "Return to work (rule gismervik_2020) was the first 4 consecutive weeks, beginning on or after the "
        "index date, without any sickness benefit; a day with only work assessment allowance (AAP) counted as "
        "a day without benefit; it was dated to the first day of that period, and counted when that day fell "
        "within the horizon, also when the period ended after it; the start of a disability pension and death "
        "were competing events; follow-up was censored at emigration, the end of data and the horizon."
    ),
    "jacobsen_2020": (
        "Return to work (rule jacobsen_2020) was the first of the 14-week windows that follow one another "
        "from the index date, with a mean work share of at least 50 %; the work share was 100 % less the "
        "combined grade of sickness benefit, work assessment allowance (AAP), disability pension and "
        "rehabilitation benefit, times the position where employment was known; it was dated to the first day "
        "of that period, and counted when the whole period fell within the horizon; the start of a disability "
        "pension on a day below that level, as well as death, were competing events; follow-up was censored "
        "at emigration, the end of data and the horizon."
    ),
    "hara_2018_no_benefits": (
        "Return to work (rule hara_2018_no_benefits) was the day 12 months after the index date, when spent "
        "without any benefit and with a work share above 0 %; the work share was 100 % less the combined "
        "grade of all benefits, times the position where employment was known; it was dated to that day, and "
        "counted when that day fell within the horizon; the start of a disability pension and death were "
        "competing events; follow-up was censored at emigration, the end of data and the horizon."
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_sentences_in_full(name: str) -> None:
    assert describe_rule(RULES[name]) == SENTENCES[name]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"competing": ()}, "work assessment allowance (AAP) or disability pension counted as a day without benefit"),
        ({"competing": ()}, "there were no competing events; follow-up was censored at death, emigration"),
        ({"competing": ("death",)}, "; death was a competing event;"),
        (
            {"competing": ("work_assessment_allowance", "disability_pension")},
            "the start of work assessment allowance (AAP) and the start of a disability pension were competing events",
        ),
        ({"retirement_age": 67}, "emigration, the age of 67 years, the end of data and the horizon"),
        ({"event_date": "confirmed", "confirmation": "by_horizon"}, "it was dated to the last day of that period"),
        ({"confirmation": "by_horizon"}, "counted when the whole period fell within the horizon"),
        ({"length": 1}, "was the first whole week, beginning on or after the index date, without any sickness"),
        ({"length": 1, "unit": "days"}, "was the first day, on or after the index date, without any sickness benefit"),
        ({"max_grade": 50}, "with a combined grade of sickness benefit of at most 50 %"),
        (
            {"hold": "mean", "min_work_share": 20, "max_grade": None},
            "the first day at work, on or after the index date, that opened 4 weeks with a mean work share of at least",
        ),
        (
            {"hold": "point", "at": (0, 3, 6), "unit": "months"},
            "among the days of measurement (on the index date and 3 and 6 months after it)",
        ),
        ({"hold": "point", "at": (0,)}, "was the day of the index date, when spent without any sickness benefit"),
    ],
)
def test_options_are_said_where_they_matter(changes: dict[str, object], words: str) -> None:
    rule: RtwRule = replace(RULES["gismervik_2020"], **changes)  # type: ignore[arg-type]
    assert words in describe_rule(rule)
