"""Ordered, two-valued, counted and continuous outcomes."""

import numpy as np
import pandas as pd
import pytest

from rtwcohort.design import (
    binary_response,
    build_design,
    continuous_response,
    count_response,
    ordinal_response,
)
from rtwcohort.errors import DesignError

STATUS = ["not", "partly", "fully"]


@pytest.fixture
def people():
    status = pd.Categorical(["not", "fully", "partly", "fully"] * 3, categories=STATUS, ordered=True)
    return pd.DataFrame(
        {"status": status, "age": np.arange(12) ** 1.5, "in.work": [0, 1] * 6, "days": np.arange(12) % 5}
    )


def test_ordered_categorical(people):
    design = build_design(people, "status ~ age", response="ordinal")
    assert design.response.codes.tolist() == [0, 2, 1, 2] * 3
    assert design.response.labels == ("not", "partly", "fully")
    assert design.response.empty == ()
    assert design.info.response == "ordinal"


def test_empty_category_is_reported_and_has_no_code(people):
    few = people[people["status"] != "partly"]
    design = build_design(few, "status ~ age", response="ordinal")
    assert design.response.codes.tolist() == [0, 1, 1] * 3
    assert design.response.labels == ("not", "fully")
    assert design.response.empty == ("partly",)
    assert design.info.notes == ("No row used has `status` = 'partly'; left out of the model.",)


@pytest.mark.parametrize(
    ("values", "levels", "codes", "labels"),
    [
        (["b", "a", "c"], ["c", "a", "b"], [2, 1, 0], ("c", "a", "b")),
        ([3, 1, 2, 1], None, [2, 0, 1, 0], ("1", "2", "3")),
        ([3.0, 1.0], None, [1, 0], ("1", "3")),
        ([3, 1, 2], ["3", "2", "1"], [0, 2, 1], ("3", "2", "1")),
        ([True, False], None, [1, 0], ("False", "True")),
        (pd.array([2, 1], dtype="Int64"), None, [1, 0], ("1", "2")),
        (pd.Categorical(["x", "y"]), ["y", "x"], [1, 0], ("y", "x")),
        (pd.Categorical(["x", "y"], ordered=True), ["y", "x"], [1, 0], ("y", "x")),
        ([2.5, 0.5], [0.5, 2.5], [1, 0], ("0.5", "2.5")),
    ],
)
def test_orders(values, levels, codes, labels):
    response = ordinal_response(values, name="y", levels=levels)
    assert response.codes.tolist() == codes
    assert response.codes.dtype == np.int64
    assert response.labels == labels


@pytest.mark.parametrize(
    ("values", "levels", "message"),
    [
        (["b", "a"], None, r"`y` is text, so its order is not known.*levels=\['a', 'b'\]"),
        (pd.Categorical(["b", "a"]), None, "`y` is an unordered category"),
        (["b", "a", "c"], ["a", "b"], "`y` has 1 rows outside `levels`, such as 'c'"),
        (["a", "a"], ["a", "b"], r"`y` has one category \(a\)"),
        (["a", "b"], ["a", "a"], "names a category of `y` twice"),
        (["a", "b"], "ab", "must list the categories"),
        ([1.5, 2.5], None, "takes 2 values, not a few ordered categories"),
        (np.arange(50), None, "takes 50 values"),
        ([1.0, np.nan], None, "`y` is missing in 1 rows"),
        ([], None, "`y` has no rows"),
    ],
)
def test_ordinal_refuses(values, levels, message):
    with pytest.raises(DesignError, match=message):
        ordinal_response(values, name="y", levels=levels)


@pytest.mark.parametrize(
    ("values", "levels", "ones", "labels"),
    [
        ([0, 1, 1], None, [0, 1, 1], ("0", "1")),
        ([False, True], None, [0, 1], ("False", "True")),
        (["yes", "no"], None, [1, 0], ("no", "yes")),
        (["yes", "no"], ["yes", "no"], [0, 1], ("yes", "no")),
        ([2, 1], [1, 2], [1, 0], ("1", "2")),
        (pd.Categorical(["w", "s"], categories=["w", "x", "s"]), None, [0, 1], ("w", "s")),
        (pd.array([1, 0], dtype="boolean"), None, [1, 0], ("False", "True")),
    ],
)
def test_binary(values, levels, ones, labels):
    response = binary_response(values, name="y", levels=levels)
    assert response.values.tolist() == ones
    assert response.labels == labels


@pytest.mark.parametrize(
    ("values", "levels", "message"),
    [
        ([1, 2], None, r"must hold 0 and 1; it holds 1, 2.*levels=\[1, 2\]"),
        ([0, 0], None, "`y` is 0 in all 2 rows"),
        (["a", "a"], None, "`y` is a in all 2 rows"),
        (["a", "b", "c"], None, "must have two values; it has 3: a, b, c"),
        (["a", "b"], ["a", "b", "c"], "`levels` must name two values"),
        (["a", "b"], ["a", "c"], "outside `levels`, such as 'b'"),
    ],
)
def test_binary_refuses(values, levels, message):
    with pytest.raises(DesignError, match=message):
        binary_response(values, name="y", levels=levels)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.5, 2], "whole numbers of at least 0; 1 rows hold others, such as 1.5"),
        ([-1, 2], "such as -1"),
        ([0, 0], "`y` is 0 in all"),
        (["1", "2"], "must be numbers"),
        ([True, False], "must be numbers"),
        ([1, np.inf], "infinite in 1 rows"),
    ],
)
def test_counts_refuse(values, message):
    with pytest.raises(DesignError, match=message):
        count_response(values, name="y")


def test_continuous():
    assert continuous_response([1, 2.5], name="y").values.tolist() == [1.0, 2.5]
    with pytest.raises(DesignError, match="`y` is 2 in all 3 rows"):
        continuous_response([2, 2, 2], name="y")


def test_left_sides(people):
    assert build_design(people, "in.work ~ age", response="binary").response.name == "in.work"
    assert build_design(people, "`in.work` ~ age", response="binary").response.values.sum() == 6
    assert build_design(people, "days ~ age", response="count").response.values.max() == 4
    assert build_design(people, "age ~ days", response="continuous").response.values[1] == 1.0
    flipped = build_design(people, "in.work ~ age", response="binary", levels=[1, 0]).response
    assert flipped.values.tolist() == [1.0, 0.0] * 6
    with pytest.raises(DesignError, match=r"name of one column; got 'Surv\(age, days\)'. Surv.* is for survival"):
        build_design(people, "Surv(age, days) ~ age", response="binary")
    with pytest.raises(DesignError, match=r"The response names 'dys', which is not a column\. Did you mean 'days'"):
        build_design(people, "dys ~ age", response="count")
    with pytest.raises(DesignError, match=r"must be Surv\(time, event\)"):
        build_design(people, "status ~ age")


def test_missing_outcome_is_dropped_only_as_asked(people):
    people.loc[[2, 5], "status"] = None
    with pytest.raises(DesignError, match="2 of 12 rows: `status` in 2"):
        build_design(people, "status ~ age", response="ordinal")
    design = build_design(people, "status ~ age", response="ordinal", missing="drop")
    assert design.response.codes.tolist() == [0, 2, 2, 0, 1, 2, 0, 2, 1, 2]
    assert dict(design.n_missing) == {"status": 2}
