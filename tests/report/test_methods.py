from __future__ import annotations

from rtwcohort.report.methods import MethodsFacts, methods_paragraph, methods_paragraphs

RULE = "a person has returned to work on the first of 28 days without any benefit"


def test_the_fewest_facts() -> None:
    assert methods_paragraphs(MethodsFacts(rule=RULE, horizon=365, small_cells=0)) == (
        "A person has returned to work on the first of 28 days without any benefit. "
        "Each person was followed for up to 365 days.",
        "The share that had returned was estimated by the Kaplan-Meier method. "
        "Intervals are 95 % confidence intervals.",
        "Small counts are printed as they are: disclosure control was turned off in the study file.",
    )


def test_one_of_each() -> None:
    text = methods_paragraph(
        MethodsFacts(
            rule=f"{RULE}.",
            horizon=1,
            time_unit="years",
            index="the date of enrolment",
            eligibility=("were 18 to 66 years old",),
            censoring=("emigration",),
            competing=("death",),
            predictors=("arm",),
            arms=("ordinary", "visit"),
            software=(("rtwcohort", "0.1.0"),),
            seed=7,
        )
    )
    for sentence in (
        "People were included if they were 18 to 66 years old.",
        "Time was counted from the date of enrolment (the index date).",
        "Each person was followed for up to 1 year.",
        "Follow-up was censored at emigration.",
        "Death was a competing event: follow-up ended there, and hazard ratios are cause-specific.",
        "Visit was compared with ordinary by the log-rank test.",
        "The hazard ratio of returning was estimated by a Cox model with arm; tied times were handled by Efron's",
        "The analysis was run in rtwcohort 0.1.0.",
        "The seed of random numbers was 7.",
    ):
        assert sentence in text
    assert ".." not in text


def test_many_of_each() -> None:
    text = methods_paragraph(
        MethodsFacts(
            rule=RULE,
            horizon=365,
            eligibility=("were adults", "had a job", "were on sick leave"),
            censoring=("emigration", "the end of the register"),
            competing=("death", "disability pension"),
            predictors=("arm", "age", "sex"),
            scales={"age": "10 years"},
            ties="breslow",
            missing="drop",
            arms=("ordinary", "visit", "phone"),
            tests=("Welch's t-test", "Pearson chi-square test"),
            software=(("rtwcohort", "0.1.0"), ("numpy", "2.4"), ("scipy", "1.17")),
            more=("one more sentence",),
        )
    )
    for sentence in (
        "People were included if they were adults, had a job and were on sick leave.",
        "Follow-up was censored at emigration or the end of the register, whichever came first.",
        "Death and disability pension were competing events:",
        "Visit and phone were compared with ordinary by the log-rank test.",
        "with one predictor at a time and with all 3 together: arm, age and sex; tied times were handled by Breslow's",
        "Hazard ratios are for 10 years (age).",
        "Baseline characteristics were compared by Welch's t-test and Pearson chi-square test.",
        "People with a missing value of a predictor were left out of the models that use it.",
        "One more sentence.",
        "Counts from 1 to 4 are withheld",
        "The analysis was run in rtwcohort 0.1.0, with numpy 2.4 and scipy 1.17.",
    ):
        assert sentence in text
