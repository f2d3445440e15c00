"""The whole job on real data: Wooldridge, Introductory Econometrics, Example 13.4.

The published difference-in-differences of log duration for Kentucky is 0.191 with standard error 0.069 (5,626 claims),
after Meyer, Viscusi and Durbin (1995).
"""

import json

import pytest

from rtwcohort.study import prepare_demo, read_study, run_study


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("injury")
    study = prepare_demo(folder / "demo", data="injury")
    return run_study(read_study(study), output=folder / "results")


def test_published_contrast(done):
    kentucky = done.results.analysis.contrasts[0].duration
    assert round(kentucky.effect.estimate, 3) == 0.191
    assert round(kentucky.effect.std_error, 3) == 0.069
    assert kentucky.cells["n"].sum() == 5626


def test_cox_model_of_the_same_contrast_points_the_same_way(done):
    kentucky = done.results.analysis.contrasts[0]
    assert 0.85 < kentucky.hazard.effect.estimate < 0.97
    assert kentucky.hazard.cells["events"].sum() == 5626


def test_both_are_in_the_written_results(done):
    results = json.loads((done.folder / "results.json").read_text(encoding="utf-8"))
    rows = results["tables"]["contrast-1"]["rows"]
    assert [row["estimate"] for row in rows] == pytest.approx([0.1906, 0.9066], abs=1e-4)
    page = (done.folder / "report.html").read_text(encoding="utf-8")
    assert "0.191 (0.056 to 0.325)" in page
    assert "standard error 0.069" in page
    assert "quarter-weeks" in page
