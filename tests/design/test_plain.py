"""Plain formulas coded straight from the frame give what the careful way gives, through formulaic, fault or not."""

import pickle

import numpy as np
import pandas as pd
import pytest

from rtwcohort.design import build_design, design, outcome, response
from rtwcohort.design.new_rows import code_rows, predictor_columns
from rtwcohort.design.rank import check_rank
from rtwcohort.design.right_side import PlainSpec, read_right
from rtwcohort.errors import DesignError

NAMES = ("age", "x.dot", "odd name", "wide", "flag", "small", "sex", "grade", "text", "unit", "nullable", "maybe")
RIGHT = {"x.dot": "x.dot", "odd name": "`odd name`"}


def made_up(rng):
    n = int(rng.choice([6, 25, 120]))
    grade = pd.Categorical(rng.choice(["low", "mid", "high"], n), ["low", "none", "mid", "high"], ordered=True)
    frame = pd.DataFrame(
        {
            "time": rng.integers(0, 90, n) if rng.random() < 0.5 else rng.random(n) * 90.0,
            "event": rng.choice(np.array([rng.integers(0, 2, n), rng.integers(0, 2, n) * 1.0], dtype=object)[0], n),
            "status": rng.integers(1, 4, n),
            "age": rng.normal(45.0, 9.0, n),
            "x.dot": rng.integers(-5, 5, n).astype(np.int16),
            "odd name": rng.integers(0, 200, n).astype(np.uint8),
            "wide": 10.0 ** rng.integers(-4, 9) * rng.normal(size=n) + 10.0 ** rng.integers(-3, 6),
            "flag": rng.random(n) > 0.4,
            "small": rng.normal(size=n).astype(np.float32),
            "sex": pd.Categorical(rng.choice(["m", "f"], n)),
            "grade": grade,
            "text": rng.choice(["a]", "[T.b", "c:d"], n),
            "unit": rng.integers(-1, 4, n).astype(str(rng.choice(["int8", "int64"]))),
            "nullable": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "maybe": pd.array(rng.random(n) > 0.5, dtype="boolean"),
        }
    )
    frame["event"] = frame["event"].astype(str(rng.choice(["int64", "float64", "bool"])))
    spoil(rng, frame)
    if rng.random() < 0.2:
        frame = frame.set_axis(rng.integers(0, 3, n))
    return frame if rng.random() < 0.7 else frame.copy()


def spoil(rng, frame):
    """Put a fault into one column now and then."""
    n, column = len(frame), str(rng.choice(NAMES))
    rows = rng.choice(n, max(1, n // 8), replace=False)
    fault = rng.choice(["none", "none", "missing", "infinite", "one value", "copy", "response", "time"])
    if fault == "missing":
        frame[column] = frame[column].astype(object) if frame[column].dtype == bool else frame[column]
        frame.loc[rows, column] = None
    elif fault == "infinite":
        frame.loc[rows, "age"] = np.inf * rng.choice([-1.0, 1.0])
    elif fault == "one value":
        frame[column] = frame[column].iloc[0]
    elif fault == "copy":
        frame["small"] = 2.0 * frame["age"] - 3.0
    elif fault == "response":
        frame["event"] = frame["event"].astype(float).where(~frame.index.isin(rows))
    elif fault == "time":
        frame["time"] = frame["time"].astype(float).where(~frame.index.isin(rows), rng.choice([-1.0, np.inf, np.nan]))


def right_side(rng):
    terms = []
    for name in rng.permutation(NAMES)[: rng.integers(1, 6)]:
        quoted = RIGHT.get(name, name)
        categorical = name in ("unit", "sex", "text", "x.dot", "flag", "nullable", "odd name") and rng.random() < 0.4
        terms.append(f"C({quoted})" if categorical else quoted)
    if rng.random() < 0.15:
        terms.append(str(rng.choice(["age:sex", "I(age**2)", "age", "nosuch", "unit*sex", "+"])))
    return str(rng.choice([" + ", "+"])).join(terms)


def options_of(rng, frame):
    options = {"missing": str(rng.choice(["drop", "raise"])), "default_reference": str(rng.choice(["first", "last"]))}
    if rng.random() < 0.2:
        options["reference"] = {str(rng.choice(NAMES)): rng.choice(["m", "low", "2", "True"])}
    if rng.random() < 0.2:
        options["weights"] = rng.choice([0.0, 1.0, 2.0, np.nan], len(frame), p=[0.1, 0.5, 0.37, 0.03])
    if rng.random() < 0.2:
        options["strata"] = "grade"
    return options


def call(frame, left, right, options):
    """Return all that a call gives, or its message."""
    try:
        made = build_design(frame, f"{left} ~ {right}", **options)
    except DesignError as error:
        return str(error)
    info, left_side = made.info, made.response
    arrays = [made.matrix, made.kept]
    values = [left_side.time, left_side.event] if left.startswith("Surv") else [left_side.codes]
    extras = [made.extras.weights, made.extras.strata]
    arrays += [*values, *(extra for extra in extras if extra is not None)]
    words = (info.formula, info.names, info.columns, list(info.groups.items()), list(info.levels.items()), info.notes)
    counts = (info.n_rows, info.n, dict(info.n_missing), info.n_zero_weight, info.extras)
    labels = () if left.startswith("Surv") else left_side.labels
    types = [(array.dtype, array.shape) for array in arrays]
    return words, counts, labels, types, [array.tobytes("F") for array in arrays], made.kept, info


@pytest.mark.parametrize("seed", range(16))
def test_the_quick_way_gives_what_the_careful_way_gives(seed, monkeypatch):
    rng, quick, faults = np.random.default_rng([seed, 7]), 0, 0
    for _ in range(25):
        frame, right = made_up(rng), right_side(rng)
        options = options_of(rng, frame)
        left = "Surv(time, event)" if rng.random() < 0.7 else "status"
        if left == "status":
            options["response"] = "ordinal"
        found = call(frame, left, right, options)
        with monkeypatch.context() as patch:
            patch.setattr(design, "code_plain", lambda *_, **__: None)
            patch.setattr(response, "plain_values", lambda _: None)
            patch.setattr(outcome, "plain_values", lambda _: None)
            expected = call(frame, left, right, options)
        case = (right, options, frame.dtypes.to_dict())
        if isinstance(expected, str):
            assert found == expected, case
            faults += 1
            continue
        assert not isinstance(found, str), (found, case)
        assert found[:-2] == expected[:-2], case
        assert [type(level) for all_of in found[-1].levels.values() for level in all_of] == [
            type(level) for all_of in expected[-1].levels.values() for level in all_of
        ]
        quick += isinstance(found[-1].spec, PlainSpec)
        assert not isinstance(expected[-1].spec, PlainSpec)
        rows = frame[found[-2]].sample(5, replace=True, random_state=seed)
        assert np.array_equal(code_rows(found[-1], rows), code_rows(expected[-1], rows)), case
        assert predictor_columns(found[-1], list(frame)) == predictor_columns(expected[-1], list(frame))
    assert quick >= 3
    assert faults >= 3


@pytest.fixture(scope="module")
def long():
    """More rows than are settled at once, in columns that lie row by row in memory."""
    rng = np.random.default_rng(4)
    n = 120_000
    frame = pd.DataFrame(rng.normal(size=(n, 10)), columns=[f"x{j}" for j in range(10)])
    frame["time"], frame["event"], frame["k"] = rng.integers(0, 365, n), rng.random(n) < 0.5, rng.integers(0, 3, n)
    return frame


def test_long_columns_are_copied_whole(long):
    made = build_design(long, "Surv(time, event) ~ k + " + " + ".join(f"x{j}" for j in range(10)) + " + C(event)")
    assert isinstance(made.info.spec, PlainSpec)
    assert np.array_equal(made.matrix[:, 1:11], long[[f"x{j}" for j in range(10)]])
    assert np.array_equal(made.matrix[:, [0, 11]], long[["k", "event"]].astype(float))
    assert not np.shares_memory(made.matrix, long["x0"].to_numpy())


@pytest.mark.parametrize("row", [0, 8191, 8192, 77_777, 119_999])
@pytest.mark.parametrize(("value", "message"), [(np.nan, "in 1 of 120000 rows: `x3`"), (-np.inf, "`x3` is inf")])
def test_one_bad_value_of_many_is_found(long, row, value, message):
    bad = long["x3"].to_numpy().copy()
    bad[row] = value
    with pytest.raises(DesignError, match=message):
        build_design(long.assign(x3=bad), "Surv(time, event) ~ x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9")


def test_one_different_value_of_many_is_enough_for_an_effect(long):
    rare = np.zeros(len(long))
    rare[50_003] = 1.0
    made = build_design(long.assign(rare=rare), "Surv(time, event) ~ x1 + rare")
    assert made.matrix[:, 1].sum() == 1.0
    with pytest.raises(DesignError, match="'also' = 'rare'"):
        build_design(long.assign(rare=rare, also=rare), "Surv(time, event) ~ x1 + rare + also")


def test_dependent_columns_of_many_rows_are_named(long):
    with pytest.raises(DesignError, match=r"'sum' = 2 x 'x1' - 3 x 'x4' \+ 7\. Its"):
        build_design(long.assign(sum=2.0 * long.x1 - 3.0 * long.x4 + 7.0), "Surv(time, event) ~ x1 + x4 + x5 + sum")


@pytest.mark.parametrize("share", [1e-2, 1e-4, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("n", [40, 5_000, 60_000])
def test_some_rows_settle_only_what_all_rows_would(n, share):
    rng = np.random.default_rng(n)
    X = np.asfortranarray(rng.normal(size=(n, 3)))
    X[:, 2] = 1e3 * (X[:, 0] - X[:, 1] + share * X[:, 2]) + 5.0
    within = (X.min(axis=0), X.max(axis=0))
    if share > 1e-8:
        check_rank(X, "abc")
        check_rank(X, "abc", within=within)
        return
    for known in (None, within):
        with pytest.raises(DesignError, match="'c' = 1000 x 'a' - 1000 x 'b'"):
            check_rank(X, "abc", within=known)


@pytest.mark.parametrize("text", ["a", "a+b", " a +\n `b c` + C(k)", "C(`b c`) + `x.y`", "é + _z"])
def test_plain_right_sides(text):
    assert read_right(text, ("a", "b", "b c", "k", "x.y", "é", "_z")).plain is not None


@pytest.mark.parametrize("text", ["a:b", "a + a", "a + C(a)", "I(a)", "`1` + a", "a + in", "C + a", "`q(` + a"])
def test_other_right_sides_go_the_long_way(text):
    assert read_right(text, ("a", "b", "1", "in", "C", "q(")).plain is None


def test_a_name_that_is_there_twice_is_refused(long):
    twice = pd.concat([long, long[["x1"]]], axis=1)
    with pytest.raises(DesignError, match="two columns named 'x1'"):
        build_design(twice, "Surv(time, event) ~ x1 + x2")


def test_yes_and_no_in_categories_are_found_again(long):
    made = build_design(long.head(500), "Surv(time, event) ~ C(event) + x1")
    assert np.array_equal(code_rows(made.info, long.head(500)), made.matrix)


def test_a_design_can_be_pickled(long):
    info = build_design(long.head(500), "Surv(time, event) ~ C(k) + x1").info
    again = pickle.loads(pickle.dumps(info))
    assert np.array_equal(code_rows(again, long.tail(20)), code_rows(info, long.tail(20)))


def test_the_matrix_does_not_follow_the_frame(long):
    frame = long.head(50).copy()
    made = build_design(frame, "Surv(time, event) ~ x1 + x2")
    before = made.matrix.copy()
    frame.loc[:, ["x1", "x2"]] = 0.0
    assert np.array_equal(made.matrix, before)


@pytest.mark.parametrize("n", [300, 12_345, 120_000])
def test_a_matrix_by_row_is_the_same(long, n):
    formula = "Surv(time, event) ~ x3 + C(k) + event + x1 + x2 + x5 + x6 + x7 + x8 + x9"
    by_column, by_row = (build_design(long.head(n), formula, by_row=by_row) for by_row in (False, True))
    assert by_row.matrix.flags.c_contiguous
    assert by_column.matrix.flags.f_contiguous
    assert np.array_equal(by_row.matrix, by_column.matrix)
    gap = long.head(n).assign(x2=long.x2.where(long.x1 < 1.5))
    dropped = [build_design(gap, formula, missing="drop", by_row=by_row) for by_row in (False, True)]
    assert np.array_equal(dropped[0].matrix, dropped[1].matrix)
    assert np.array_equal(dropped[1].matrix, by_row.matrix[dropped[1].kept])
    assert build_design(long.head(n), "Surv(time, event) ~ x1:x2", by_row=True).matrix.shape == (n, 1)


def test_of_two_faults_the_first_is_named_as_ever(long):
    rows = long.head(200).assign(x1=np.inf, x2=np.nan)
    with pytest.raises(DesignError, match="`x1` is infinite"):
        build_design(rows, "Surv(time, event) ~ event + x1 + C(k)", reference={"k": 7})
    with pytest.raises(DesignError, match="`x2` in 200"):
        build_design(rows, "Surv(time, event) ~ x1 + C(k) + x2", reference={"k": 7})
    with pytest.raises(DesignError, match="`time` is negative"):
        build_design(rows.assign(time=-1), "Surv(time, event) ~ x1 + C(k)", reference={"k": 7})
