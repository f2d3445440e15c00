"""`[[models]]`: each family can be asked for in a study file, and its numbers are those of the function itself."""

import json

import pytest

from rtwcohort.errors import StudyFileError
from rtwcohort.models import fit_count, fit_cox, fit_logistic
from rtwcohort.study import read_study, run_study

MODELS = """
[outcome]
rule = "gismervik_2020"
horizon = 365
status_days = [0, 60, 120]
[predictors]
terms = ["arm", "age"]
[[models]]
name = "Days of absence"
family = "count"
terms = ["arm", "age"]
options = { family = "negative_binomial" }
[[models]]
name = "Back by the horizon"
family = "logistic"
terms = ["arm", "age"]
scale = { age = 10 }
[[models]]
name = "Any work over time"
family = "gee"
outcome = "any_work"
days = [60, 120]
terms = ["arm * wave"]
[[models]]
name = "Cox with Breslow ties"
family = "cox"
terms = ["arm", "age"]
options = { ties = "breslow" }
[[models]]
name = "Median days"
family = "quantile"
terms = ["arm"]
"""


def with_models(place, models=MODELS):
    head, rest = place.text.split("[outcome]")
    arms = rest[rest.index("[arms]") :]
    place.text = head + models + arms
    place.tables["benefits"].loc[:14, "end"] = "2021-12-31"
    return place.save()


@pytest.fixture
def done(place):
    place = with_models(place)
    return run_study(read_study(place.study), output=place.results)


def test_fits_are_those_of_the_functions(done):
    count, logistic, gee, cox, _quantile = (model.fit for model in done.results.analysis.models)
    frame = done.results.analysis.frame
    absence = done.results.population.absence
    days = frame.merge(absence, on="person_id").rename(columns={"absence_days": "days"})
    expected = fit_count(days, "days ~ arm + age", family="negative_binomial", exposure="observed_days")
    assert count.coef == pytest.approx(expected.coef, rel=1e-10)
    returned = frame.assign(back=frame["event"].astype(int))
    assert logistic.coef == pytest.approx(fit_logistic(returned, "back ~ arm + age").coef, rel=1e-10)
    assert cox.coef == pytest.approx(fit_cox(frame, ["arm", "age"], ties="breslow").coef, rel=1e-10)
    assert gee.n_clusters == len(frame)


def test_each_has_a_section_and_a_table(done):
    page = (done.folder / "report.html").read_text(encoding="utf-8")
    results = json.loads((done.folder / "results.json").read_text(encoding="utf-8"))
    for number, name in enumerate(("Days of absence", "Back by the horizon", "Any work over time"), 1):
        assert name in page
        assert results["tables"][f"model-{number}"]["rows"]
    assert "Breslow" in page


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('family = "count"\nterms', 'family = "cuont"\nterms', ["`models[0].family`", "'count'"]),
        ('{ ties = "breslow" }', '{ tie = "breslow" }', ["`models[3].options.tie`", "Did you mean 'ties'?"]),
        ("days = [60, 120]", "days = [60, 90]", ["`models[2].days`", "0, 60, 120"]),
        ('outcome = "any_work"', 'outcome = "returned"', ["`models[2].outcome`", "any_work or full_work"]),
        ('terms = ["arm * wave"]', 'terms = ["amr * wave"]', ["`models[2].terms[0]`", "Did you mean 'arm'?"]),
    ],
)
def test_faults_are_named(place, old, new, words):
    assert old in MODELS
    place = with_models(place, MODELS.replace(old, new))
    with pytest.raises(StudyFileError) as caught:
        run_study(read_study(place.study), output=place.results)
    for word in words:
        assert word in str(caught.value)
    assert not place.results.exists()


SCREENING = """
[outcome]
rule = "gismervik_2020"
horizon = 365
[predictors]
terms = ["arm", "age"]
[screening]
candidates = ["arm", "age", "sex"]
n_boot = 20
threshold = 0.2
"""


def test_screening_has_its_section_and_the_seed_of_the_study(place):
    place = with_models(place, SCREENING)
    place.text = place.text.replace('title = "A small study"', 'title = "A small study"\nseed = 7')
    place.save()
    done = run_study(read_study(place.study), output=place.results)
    screening = done.results.analysis.screening
    assert list(screening.terms["term"]) == ["arm", "age", "sex"]
    assert "seed 7" in screening.describe_choices()
    results = json.loads((done.folder / "results.json").read_text(encoding="utf-8"))
    assert {"screening", "optimism", "screening-hazard-ratios"} <= set(results["tables"])
    again = run_study(read_study(place.study), output=place.results)
    assert again.results.analysis.screening.performance.equals(screening.performance)


def test_rows_missing_in_so_few_people_are_not_counted():
    from rtwcohort.study.facts import guarded_rows

    assert guarded_rows("uses the 78 of 80 rows without", 5) == "uses the rows without"
    assert guarded_rows("uses the 70 of 80 rows without", 5) == "uses the 70 of 80 rows without"


def test_strata_of_the_main_models_are_said(place):
    place.text = place.text.replace('terms = ["arm", "age", "sex"]', 'terms = ["arm", "age"]\nstrata = ["sex"]')
    place.save()
    done = run_study(read_study(place.study), output=place.results)
    frame = done.results.analysis.frame
    expected = fit_cox(frame, ["arm", "age"], strata="sex")
    assert done.results.analysis.multivariable.coef == pytest.approx(expected.coef, rel=1e-10)
    assert "Own baseline hazard in each of 2 strata" in (done.folder / "report.html").read_text(encoding="utf-8")
