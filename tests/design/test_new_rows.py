"""New rows are coded like the rows of the fit, or refused by name."""

import numpy as np
import pandas as pd
import pytest

from rtwcohort.design import build_design
from rtwcohort.design.new_rows import code_rows, predictor_columns
from rtwcohort.errors import DesignError

FORMULAS = {
    "interaction, spline and odd names": ("age:sex + C(k) + bs(x.dot, df=4) + `odd name` + flag", None),
    "a number as category": ("k + sex + I(age**2) + np.log(age)", {"k": 2}),
    "polynomial and reference": ("C(k):sex + poly(age, 2)", {"sex": "m"}),
    "ordered category": ("grade + age", None),
}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(1)
    n = 80
    data = pd.DataFrame({"time": rng.integers(1, 90, n), "event": rng.integers(0, 2, n)})
    data["age"], data["x.dot"], data["odd name"] = rng.normal(45, 6, n), rng.normal(size=n), rng.normal(size=n)
    data["sex"], data["k"], data["flag"] = rng.choice(["m", "f"], n), rng.integers(1, 4, n), rng.random(n) > 0.5
    return data.assign(grade=pd.Categorical(rng.choice(["low", "high"], n), ["low", "high"], ordered=True))


@pytest.mark.parametrize("name", list(FORMULAS))
def test_same_rows_same_matrix(frame, name):
    right, reference = FORMULAS[name]
    design = build_design(frame, f"Surv(time, event) ~ {right}", reference=reference)
    assert np.array_equal(code_rows(design.info, frame), design.matrix)
    assert np.array_equal(code_rows(design.info, frame.iloc[[5]]), design.matrix[[5]])
    assert code_rows(design.info, frame.iloc[:0]).shape == (0, design.matrix.shape[1])
    shuffled = frame.assign(grade=frame["grade"].astype(str), unused=1).iloc[::-1]
    assert np.array_equal(code_rows(design.info, shuffled), design.matrix[::-1])


def test_columns_of_the_right_side(frame):
    design = build_design(frame, "Surv(time, event) ~ age:sex + `odd name` + bs(x.dot, df=4)")
    assert set(predictor_columns(design.info, list(frame))) == {"age", "sex", "odd name", "x.dot"}


def test_levels_may_be_of_another_type(frame):
    design = build_design(frame, "Surv(time, event) ~ C(k)")
    assert np.array_equal(code_rows(design.info, frame.astype({"k": str})), design.matrix)
    assert np.array_equal(code_rows(design.info, frame.astype({"k": float})), design.matrix)


def test_what_cannot_be_coded_is_named(frame):
    info = build_design(frame, "Surv(time, event) ~ sex + bs(age, df=4)").info
    for wrong, message in [
        (frame.assign(sex="x"), r"`sex` = 'x' is not among the levels of the fit in 80 rows.*The levels are: f, m"),
        (frame.assign(age=np.nan), "80 rows where `age` is missing"),
        (frame.assign(age=np.inf), "`age` is infinite in 80 rows"),
        (frame.assign(age="old"), "`age` was numbers in the fit"),
        (frame.assign(age=500.0), "range that it was fitted on"),
        (frame.rename(columns={"sex": "Sex"}), r"no column 'sex'.*Did you mean 'Sex'"),
    ]:
        with pytest.raises(DesignError, match=message):
            code_rows(info, wrong)
