"""Delayed entry, weights, strata, clusters and offset beside the formula."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from rtwcohort.design import build_design, check_survival
from rtwcohort.design.terms import level_text
from rtwcohort.errors import ArgumentError, DesignError


@pytest.fixture
def people():
    n = 12
    return pd.DataFrame(
        {
            "entry": np.arange(n) // 3,
            "exit": np.arange(1, n + 1) + 2,
            "event": [1, 0] * 6,
            "age": np.arange(n) ** 1.5 + 20,
            "sex": ["male", "female", "male"] * 4,
            "unit": [3, 1, 1, 2, 2, 3] * 2,
            "person": [f"p{k}" for k in (5, 5, 1, 1, 9, 9, 2, 2, 5, 1, 9, 2)],
            "w": np.linspace(0.5, 2.0, n),
            "log_days": np.log(np.arange(1, n + 1)),
        }
    )


def design_of(people, **options):
    return build_design(people, "Surv(entry, exit, event) ~ age", **options)


def test_delayed_entry(people):
    response = design_of(people).response
    assert response.entry.tolist() == people["entry"].tolist()
    assert response.time.tolist() == people["exit"].tolist()
    assert response.names.columns() == ("entry", "exit", "event")
    assert design_of(people).extras.weights is None


def test_entry_must_come_before_exit(people):
    people.loc[4, "entry"] = people.loc[4, "exit"]
    with pytest.raises(DesignError, match=r"`entry` is not before `exit` in 1 row \(first: row 5\).*< t <="):
        design_of(people)
    people.loc[4, "entry"] = -1
    with pytest.raises(DesignError, match="`entry` is negative"):
        design_of(people)
    with pytest.raises(DesignError, match="`entry` must have one value a row"):
        check_survival([1, 2], [1, 0], entry=[0])


def test_a_missing_entry_counts(people):
    people["entry"] = people["entry"].astype(float)
    people.loc[3, "entry"] = np.nan
    with pytest.raises(DesignError, match="`entry` in 1"):
        design_of(people)
    assert dict(design_of(people, missing="drop").n_missing) == {"entry": 1}


def test_extras_by_name(people):
    design = design_of(people, weights="w", strata="sex", cluster="person", offset="log_days")
    extras = design.extras
    np.testing.assert_array_equal(extras.weights, people["w"])
    np.testing.assert_array_equal(extras.offset, people["log_days"])
    assert extras.strata.tolist() == [1, 0, 1] * 4
    assert extras.strata_labels == ("sex: female", "sex: male")
    assert extras.cluster.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 0, 1, 2, 3]
    assert extras.n_clusters == 4
    assert extras.strata.dtype == extras.cluster.dtype == np.int64
    assert dict(design.info.extras) == {
        "weights": ("w",),
        "strata": ("sex",),
        "cluster": ("person",),
        "offset": ("log_days",),
    }


def test_combinations(people):
    extras = design_of(people, strata=["sex", "unit"], cluster=["unit", "sex"]).extras
    assert extras.strata_labels == (
        "sex: female, unit: 1",
        "sex: female, unit: 2",
        "sex: male, unit: 1",
        "sex: male, unit: 2",
        "sex: male, unit: 3",
    )
    rebuilt = [extras.strata_labels[code] for code in extras.strata]
    assert rebuilt == [f"sex: {sex}, unit: {unit}" for sex, unit in zip(people["sex"], people["unit"], strict=True)]
    pairs = list(zip(people["unit"], people["sex"], strict=True))
    assert extras.n_clusters == len(set(pairs)) == 5
    assert len(set(zip(pairs, extras.cluster.tolist(), strict=True))) == 5


def test_arrays_are_as_columns(people):
    by_name = design_of(people, weights="w", strata=["sex"], cluster="person", offset="log_days").extras
    by_array = design_of(
        people,
        weights=people["w"].to_list(),
        strata=people["sex"].to_numpy(),
        cluster=people["person"].to_list(),
        offset=people["log_days"].set_axis(range(50, 62)),
    ).extras
    for name in ("weights", "strata", "cluster", "offset"):
        np.testing.assert_array_equal(getattr(by_name, name), getattr(by_array, name))
    assert by_array.strata_labels == ("strata: female", "strata: male")


def test_other_frames_and_odd_row_labels(people):
    expected = design_of(people, weights="w", strata="unit", cluster="person").extras
    for frame in (pl.from_pandas(people), people.set_axis([7] * 12)):
        extras = design_of(frame, weights="w", strata="unit", cluster="person").extras
        np.testing.assert_array_equal(extras.strata, expected.strata)
        np.testing.assert_array_equal(extras.cluster, expected.cluster)
        np.testing.assert_array_equal(extras.weights, expected.weights)


def test_missing_extras_are_counted_under_their_names(people):
    people.loc[0, "w"] = np.nan
    people.loc[[1, 2], "sex"] = None
    people.loc[2, "person"] = None
    offset = people["log_days"].to_numpy().copy()
    offset[3] = np.nan
    options = {"weights": "w", "strata": "sex", "cluster": "person", "offset": offset}
    with pytest.raises(DesignError, match="4 of 12 rows: `w` in 1, `sex` in 2, `person` in 1, `offset` in 1"):
        design_of(people, **options)
    design = design_of(people, missing="drop", **options)
    assert dict(design.n_missing) == {"w": 1, "sex": 2, "person": 1, "offset": 1}
    assert np.flatnonzero(~design.kept).tolist() == [0, 1, 2, 3]
    assert design.extras.cluster.tolist() == [0, 0, 1, 1, 2, 3, 0, 1]
    assert design.extras.n_clusters == 4


def test_rows_of_weight_zero_are_left_out_and_counted(people):
    people.loc[[0, 1], "w"] = 0.0
    people.loc[0, "age"] = np.nan
    design = design_of(people, weights="w")
    assert design.matrix.shape == (10, 1)
    assert design.info.n_zero_weight == 2
    assert dict(design.n_missing) == {}
    assert design.info.notes == ("2 rows have weight 0; left out.",)
    np.testing.assert_array_equal(design.extras.weights, people["w"][2:])


def test_a_stratum_that_nobody_kept_has_no_code(people):
    people["sex"] = pd.Categorical(people["sex"], categories=["male", "female", "other"])
    people.loc[people["sex"] == "male", "age"] = np.nan
    extras = design_of(people, strata="sex", missing="drop").extras
    assert extras.strata_labels == ("sex: female",)
    assert set(extras.strata) == {0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"offset": "log_day"}, r"`offset` names 'log_day', which is not a column\. Did you mean 'log_days'"),
        ({"cluster": ["person", "unt"]}, r"`cluster` names 'unt', which is not a column\. Did you mean 'unit'"),
        ({"weights": ["w", "age"]}, "`weights` takes one column"),
        ({"offset": "sex"}, "`sex` must be numbers"),
        ({"weights": np.ones(5)}, r"`weights` must have one value a row \(12\); got 5"),
        ({"weights": -np.ones(12)}, "`weights` is negative in 12 rows"),
        ({"weights": np.zeros(12)}, "`weights` has no weight above 0"),
        ({"weights": np.full(12, np.inf)}, "`weights` is infinite"),
        ({"offset": np.full(12, -np.inf)}, "`offset` is infinite"),
        ({"levels": ["a", "b"]}, "`levels` orders the categories of an ordinal or binary response"),
    ],
)
def test_refused(people, options, message):
    with pytest.raises(DesignError, match=message):
        design_of(people, **options)


def test_unknown_response(people):
    with pytest.raises(ArgumentError, match="`response`"):
        design_of(people, response="ordered")


def naive_codes(values):
    """Number distinct values as they first appear."""
    known = {}
    return [known.setdefault(value, len(known)) for value in values]


@pytest.mark.parametrize("seed", range(6))
def test_clusters_and_strata_of_any_kind_and_order(seed):
    rng = np.random.default_rng(seed)
    n = 60
    frame = pd.DataFrame({"time": rng.integers(1, 50, n), "event": rng.integers(0, 2, n), "x": rng.normal(size=n)})
    frame["sorted"] = np.sort(rng.integers(-5, 900, n))
    frame["mixed"], frame["real"] = rng.integers(0, 9, n) * 10**9, rng.integers(0, 9, n) / 4.0
    frame["text"], frame["flag"] = rng.choice(["b", "a", "ç"], n), rng.random(n) > 0.5
    frame["kind"] = pd.Categorical(rng.choice(["u", "v"], n), ["v", "w", "u"])
    frame["wide"] = pd.array(rng.integers(0, 5, n), dtype="Int64")
    frame.loc[frame.index[::7], "x"] = np.nan
    for missing_of in ("x", "sorted"):
        used = frame.dropna() if missing_of == "x" else frame.assign(x=rng.normal(size=n))
        for column in ("sorted", "mixed", "real", "text", "flag", "kind", "wide", ["text", "flag"], ["wide", "mixed"]):
            keys = (
                used[column].tolist() if isinstance(column, str) else list(map(tuple, used[column].to_numpy().tolist()))
            )
            given = frame if missing_of == "x" else used
            extras = build_design(given, "Surv(time, event) ~ x", cluster=column, strata=column, missing="drop").extras
            assert extras.cluster.tolist() == naive_codes(keys)
            assert extras.n_clusters == len(set(keys))
            order = sorted(set(keys), key=["v", "w", "u"].index) if column == "kind" else sorted(set(keys))
            assert extras.strata.tolist() == [order.index(key) for key in keys]
            first = used.iloc[keys.index(order[0])]
            columns = [column] if isinstance(column, str) else column
            assert extras.strata_labels[0] == ", ".join(f"{name}: {level_text(first[name])}" for name in columns)
            assert extras.cluster.dtype == extras.strata.dtype == np.int64
