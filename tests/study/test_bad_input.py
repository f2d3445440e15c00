"""What bad input gets: a message that names what is wrong and the way out, an exit code, and nothing half written."""

import pandas as pd
import pytest

from rtwcohort.errors import CohortError, DesignError, OutputError, RegisterError, StudyFileError


def missing_file(place):
    place.text = place.text.replace('folder = "data"', 'folder = "date"')


def missing_column(place):
    place.tables["benefits"] = place.tables["benefits"].rename(columns={"start": "begynnelse"})


def no_tables(place):
    place.tables = {"cars": pd.DataFrame({"colour": ["red"]})}


def typo(place):
    place.text = place.text.replace("horizon", "horizont")


def unknown_rule(place):
    place.text = place.text.replace("gismervik_2020", "gismervik_2002")


def unknown_requirement(place):
    place.text = place.text.replace("on_benefit_at_index", "on_benefits_at_index")


def unknown_variable(place):
    place.text = place.text.replace('"age", "sex"', '"aeg", "sex"')


def code_as_a_term(place):
    place.text = place.text.replace('"sex"]', "\"__import__('os').getcwd()\"]")


def nobody_left(place):
    place.text = place.text.replace(
        'eligibility = [{ require = "on_benefit_at_index" }]',
        'eligibility = [{ require = "age_at_index", min = 70, max = 80 }]',
    )


def one_arm(place):
    place.tables["enrolment"]["arm"] = "ordinary"


def unknown_reference(place):
    place.text = place.text.replace('reference = "ordinary"', 'reference = "ordinery"')


def arm_missing(place):
    place.tables["enrolment"].loc[:9, "arm"] = None


def constant_predictor(place):
    place.tables["persons"]["sex"] = "female"


def linear_combination(place):
    place.tables["persons"]["income"] = 100_000.0
    place.tables["persons"].loc[place.tables["enrolment"]["arm"] == "visit", "income"] = 200_000.0
    place.text = place.text.replace('"sex"]', '"sex", "income"]')


def no_events(place):
    place.tables["benefits"]["end"] = "2021-12-31"


def dates_in_the_wrong_order(place):
    benefits = place.tables["benefits"]
    place.tables["benefits"] = benefits.rename(columns={"start": "end", "end": "start"})


def missing_predictor(place):
    place.tables["persons"].loc[:9, "sex"] = None


def wrong_window(place):
    place.text = place.text.replace("horizon = 365", "horizon = 365\nabsence_windows = [[365, 0]]")


CASES = [
    (missing_file, StudyFileError, ["study.toml, line 4", "`register.folder`", "'date'", "Did you mean 'data'?"]),
    (missing_column, RegisterError, ["benefits", "start"]),
    (no_tables, RegisterError, ["cars.csv", "benefits"]),
    (typo, StudyFileError, ["line 10", "`outcome.horizont`", "Did you mean 'horizon'?"]),
    (unknown_rule, StudyFileError, ["line 9", "`outcome.rule`", "gismervik_2020"]),
    (unknown_requirement, StudyFileError, ["line 7", "`cohort.eligibility[0]`", "on_benefit_at_index"]),
    (unknown_variable, StudyFileError, ["line 12", "`predictors.terms[1]`", "Did you mean 'age'?"]),
    (code_as_a_term, StudyFileError, ["`predictors.terms[2]`", "may use names"]),
    (nobody_left, CohortError, ["80", "age outside 70 to 80"]),
    (one_arm, CohortError, ["line 14", "`arms.column`", "one level, 'ordinary'"]),
    (unknown_reference, StudyFileError, ["line 15", "`arms.reference`", "Did you mean 'ordinary'?"]),
    (arm_missing, CohortError, ["missing for 10 of 80 people", "has_arm"]),
    (constant_predictor, DesignError, ["`predictors.terms[2]`", "sex", "one"]),
    (linear_combination, DesignError, ["income", "arm"]),
    (no_events, DesignError, ["Nobody of 80 people returned", "horizon 80"]),
    (dates_in_the_wrong_order, CohortError, ["cleaning dropped 79 of 80 rows of benefits"]),
    (missing_predictor, DesignError, ["sex", "10", "drop"]),
    (wrong_window, StudyFileError, ["`outcome.absence_windows[0]`", "[365, 0]"]),
]


@pytest.mark.parametrize(("spoil", "error", "words"), CASES, ids=[case[0].__name__ for case in CASES])
def test_bad_input(place, command, spoil, error, words):
    spoil(place)
    place.save()
    code, out, err = command("run", place.study)
    assert code == error.exit_code, err
    for word in words:
        assert word in err
    assert "Traceback" not in err
    assert out == ""
    assert len(err.strip().splitlines()) <= 12
    assert sorted(path.name for path in place.folder.iterdir()) == ["data", "study.toml"]


def test_no_identifier_in_an_error(place, command):
    for spoil in (dates_in_the_wrong_order, missing_predictor, arm_missing):
        spoil(place)
    place.tables["persons"]["person_id"] = place.tables["persons"]["person_id"] + 90_000
    place.save()
    _, out, err = command("run", place.study)
    numbers = {str(k) for table in place.tables.values() for k in table["person_id"]}
    assert not numbers & set((out + err).replace(",", " ").replace(".", " ").split())


def test_a_file_that_is_not_what_its_name_says(place, command):
    place.save()
    (place.folder / "data" / "benefits.csv").rename(place.folder / "data" / "benefits.parquet")
    code, _, err = command("run", place.study)
    assert code == RegisterError.exit_code
    assert "benefits.parquet" in err
    assert "text" in err


def test_output_of_another_study_is_kept(place, command):
    place.save()
    assert command("run", place.study)[0] == 0
    before = (place.results / "report.html").read_bytes()
    place.text = place.text.replace("A small study", "Another study")
    place.save()
    code, _, err = command("run", place.study)
    assert code == OutputError.exit_code
    assert "'A small study'" in err
    assert "--replace" in err
    assert (place.results / "report.html").read_bytes() == before
    assert command("run", place.study, "--replace")[0] == 0


def test_output_that_cannot_be_written(place, command):
    place.save()
    (place.folder / "taken").write_text("a file")
    code, _, err = command("run", place.study, "--output", place.folder / "taken" / "inside")
    assert code == OutputError.exit_code
    assert "--output" in err


def test_a_failed_run_keeps_the_old_results(place, command):
    place.save()
    assert command("run", place.study)[0] == 0
    before = {path.name: path.read_bytes() for path in place.results.glob("*.*")}
    no_events(place)
    place.save()
    assert command("run", place.study)[0] == DesignError.exit_code
    assert {path.name: path.read_bytes() for path in place.results.glob("*.*")} == before


def test_usage_error(command):
    code, _, err = command("run")
    assert code == 2
    assert "Missing argument" in err
