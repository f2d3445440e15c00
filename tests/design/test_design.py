"""Formulas to matrices: coding, names, counts, and messages that name the culprit."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from rtwcohort.design import build_design
from rtwcohort.errors import ArgumentError, DesignError


@pytest.fixture
def people():
    n = 12
    return pd.DataFrame(
        {
            "time": np.arange(1, n + 1),
            "event": [1, 0] * 6,
            "sex": pd.Categorical(["male", "female", "male"] * 4, categories=["male", "female", "other"]),
            "age": np.arange(n) ** 1.5 + 20,
            "ecog.ps": [0, 1, 2, 1, 0, 1, 2, 2, 0, 1, 0, 2],
            "smoker": [True, False, False, True] * 3,
            "sick days": np.arange(n) ** 2 % 7,
            "school": list("abccabbcaacb"),
        }
    )


def design_of(people, right, **options):
    return build_design(people, f"Surv(time, event) ~ {right}", **options)


def test_numbers_pass_through(people):
    design = design_of(people, "age + `sick days`")
    assert design.names == ("age", "sick days")
    np.testing.assert_array_equal(design.matrix, people[["age", "sick days"]].to_numpy())
    assert design.matrix.flags.f_contiguous
    assert design.response.event.tolist() == [True, False] * 6
    assert design.kept.all()
    assert design.info.formula == "Surv(time, event) ~ age + `sick days`"


@pytest.mark.parametrize(
    ("right", "names"),
    [
        ("sex", ["sex: female"]),
        ("school", ["school: b", "school: c"]),
        ("C(school)", ["school: b", "school: c"]),
        ("C(ecog.ps)", ["ecog.ps: 1", "ecog.ps: 2"]),
        ("ecog.ps", ["ecog.ps"]),
        ("smoker", ["smoker"]),
        ("age*sex", ["age", "sex: female", "age x sex: female"]),
        ("smoker:age", ["smoker x age"]),
        ("I(age**2)", ["I(age ** 2)"]),
        ("np.log(age) + log(`sick days` + 1)", ["np.log(age)", "log(`sick days` + 1)"]),
        ("poly(age, 2)", ["poly(age, 2)[1]", "poly(age, 2)[2]"]),
        ("bs(age, df=4)", [f"bs(age, df=4)[{k}]" for k in (1, 2, 3, 4)]),
        ("cr(age, df=2, constraints='center')", [f"cr(age, df=2, constraints='center')[{k}]" for k in (1, 2)]),
    ],
)
def test_names(people, right, names):
    assert list(design_of(people, right).names) == names


def test_coding_is_as_if_with_an_intercept(people):
    design = design_of(people, "school + sex")
    np.testing.assert_array_equal(design.matrix[:, 0], people["school"] == "b")
    np.testing.assert_array_equal(design.matrix[:, 2], people["sex"] == "female")


def test_reference_level(people):
    design = design_of(people, "sex + school + ecog.ps", reference={"sex": "female", "school": "b", "ecog.ps": 1})
    assert design.names == ("sex: male", "school: a", "school: c", "ecog.ps: 0", "ecog.ps: 2")
    assert design.info.reference == {"sex": "female", "school": "b", "ecog.ps": 1}
    np.testing.assert_array_equal(design.matrix[:, 0], people["sex"] == "male")
    np.testing.assert_array_equal(design.matrix[:, 3], people["ecog.ps"] == 0)


def test_groups_are_slices_of_terms(people):
    design = design_of(people, "age + school + sex:age + bs(`sick days`, df=3)")
    assert {term: design.names[part] for term, part in design.groups.items()} == {
        "age": ("age",),
        "school": ("school: b", "school: c"),
        "bs(`sick days`, df=3)": tuple(f"bs(`sick days`, df=3)[{k}]" for k in (1, 2, 3)),
        "sex x age": ("sex: female x age",),
    }


def test_terms_as_a_list(people):
    design = build_design(people, ["age", "sick days", "ecog.ps", "sex"])
    assert design.names == ("age", "sick days", "ecog.ps", "sex: female")


def test_levels_that_nobody_has_are_named(people):
    info = design_of(people, "sex").info
    assert info.levels["sex"] == ("male", "female")
    assert info.notes == ("No row used has `sex` = 'other'; left out of the model.",)
    with pytest.raises(DesignError, match="reference level 'other' of `sex`; choose among male, female"):
        design_of(people, "sex", reference={"sex": "other"})


def test_missing_values_are_counted_or_dropped_as_asked(people):
    people.loc[[1, 4], "age"] = np.nan
    people.loc[[4, 5, 6], "school"] = None
    people.loc[11, "sick days"] = 99
    with pytest.raises(DesignError, match=r"missing in 4 of 12 rows: `age` in 2, `school` in 3.*missing='drop'"):
        design_of(people, "age + school")
    design = design_of(people, "age + school", missing="drop")
    assert dict(design.n_missing) == {"age": 2, "school": 3}
    assert np.flatnonzero(~design.kept).tolist() == [1, 4, 5, 6]
    assert (design.info.n_rows, design.info.n) == (12, 8)
    assert design.matrix.shape == (8, 3)
    assert design.response.time.size == 8
    with pytest.raises(ArgumentError, match="`missing`"):
        design_of(people, "age", missing="ignore")


def test_a_missing_response_counts(people):
    people["event"] = people["event"].astype("Int64")
    people.loc[3, "event"] = pd.NA
    assert dict(design_of(people, "age", missing="drop").n_missing) == {"event": 1}


def test_no_complete_row(people):
    people["age"] = np.nan
    with pytest.raises(DesignError, match=r"No row is complete; missing: `age` \(12\)"):
        design_of(people, "age", missing="drop")
    with pytest.raises(DesignError, match="the data are empty"):
        design_of(people.iloc[:0], "age")


@pytest.mark.parametrize(
    ("right", "message"),
    [
        ("ags", "names 'ags', which is not a column. Did you mean 'age'?"),
        ("bs(ags, df=4)", "names 'ags', which is not a column. Did you mean 'age'?"),
        ("age + (sex", "cannot be read"),
        ("age +", "cannot be read"),
        ("age - 1", "removes the intercept"),
        ("1", "names no predictor"),
        ("nosuch(age)", "cannot be evaluated.*nosuch"),
        ("log(age - 20)", "'log\\(age - 20\\)' gives a missing or infinite value in 1 rows"),
        ("cr(age, df=3)", "write constraints='center' inside cr"),
    ],
)
def test_formulas_that_fail(people, right, message):
    with pytest.raises(DesignError, match=message):
        design_of(people, right)


@pytest.mark.parametrize("formula", ["age + sex", "~ age", "Surv(time, event) ~", "a ~ b ~ c"])
def test_formula_needs_two_sides(people, formula):
    with pytest.raises(DesignError, match=r"must look like|left side"):
        build_design(people, formula)


def test_predictors_with_one_value_are_named(people):
    people["const"], people["one"] = 3.5, "x"
    with pytest.raises(DesignError, match=r"`const` has one value \(3.5\) in the 12 rows"):
        design_of(people, "age + const")
    with pytest.raises(DesignError, match=r"`one` has one value \('x'\)"):
        design_of(people, "age + one")
    people.loc[people["sex"] == "male", "age"] = np.nan
    with pytest.raises(DesignError, match=r"`sex` has one value \('female'\) in the 4 rows"):
        design_of(people, "age + sex", missing="drop")


def test_aliased_columns_are_named_with_their_combination(people):
    people["sum"] = 2 * people["age"] - 3 * people["smoker"] + 1
    with pytest.raises(DesignError, match=r"'sum' = 2 x 'age' - 3 x 'smoker' [+] 1\. Its effect"):
        design_of(people, "age + smoker + sum")
    people["days"] = people["age"] * 365.25
    with pytest.raises(DesignError, match=r"'days' = 365\.25 x 'age'\. Its"):
        design_of(people, "school + age + days")
    people["women"] = np.where(people["sex"] == "female", "yes", "no")
    with pytest.raises(DesignError, match="'women: yes' = 'sex: female'"):
        design_of(people, "age + sex + women")


def test_empty_cell_of_an_interaction_is_named(people):
    people["unit"] = np.where(people["sex"] == "male", "north", np.where(people.index < 5, "north", "south"))
    with pytest.raises(DesignError, match="'sex: female x unit: south' = 'unit: south'"):
        design_of(people, "sex * unit")


def test_more_columns_than_rows(people):
    wide = pd.concat([people, pd.DataFrame(np.eye(12), columns=[f"d{k}" for k in range(12)])], axis=1)
    with pytest.raises(DesignError, match="'d11' is a linear combination"):
        build_design(wide, [f"d{k}" for k in range(12)])


def test_nearly_collinear_is_not_collinear(people):
    people["close"] = people["age"] + 1e-4 * np.sin(np.arange(12))
    assert design_of(people, "age + close").matrix.shape[1] == 2
    people["year"] = 2000.0 + 1e-3 * np.cos(np.arange(12))
    assert design_of(people, "age + year").matrix.shape[1] == 2


def test_kinds_of_columns(people):
    people["count"] = pd.array([1, 2, 3] * 4, dtype="Int64")
    people["answer"] = pd.Series([1.5, 2, 3] * 4, dtype=object)
    people["when"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(people["time"], unit="D")
    people["mixed"] = [1, "a", 2.5] * 4
    assert design_of(people, "count").names == ("count",)
    assert design_of(people, "answer").names == ("answer",)
    with pytest.raises(DesignError, match="`when` must be numbers or text; it holds dates"):
        design_of(people, "when")
    with pytest.raises(DesignError, match="`mixed` must be numbers or text; it holds mixed"):
        design_of(people, "mixed")
    people.loc[2, "age"] = np.inf
    with pytest.raises(DesignError, match="`age` is infinite in 1 rows"):
        design_of(people, "age")


def test_wrong_reference(people):
    with pytest.raises(DesignError, match=r"`sex` has no level 'femal' to be the reference\. Did you mean 'female'\?"):
        design_of(people, "sex", reference={"sex": "femal"})
    with pytest.raises(
        DesignError, match=r"`reference` names 'sx', which is not in the formula\. Did you mean 'sex'\?"
    ):
        design_of(people, "sex", reference={"sx": "male"})


def test_other_frames_and_the_caller_s_frame_stays(people):
    before = people.copy()
    design = design_of(people, "sex + school", reference={"school": "c"})
    pd.testing.assert_frame_equal(people, before)
    other = build_design(
        pl.from_pandas(people), "Surv(time, event) ~ sex + school", reference={"school": "c", "sex": "male"}
    )
    np.testing.assert_array_equal(other.matrix, design.matrix)
    assert other.names == design.names


def test_odd_row_labels_change_nothing(people):
    odd = people.set_axis([5] * 12)
    odd.iloc[3, odd.columns.get_loc("age")] = np.nan
    design = design_of(odd, "age + sex", missing="drop")
    assert design.matrix[:, 0].tolist() == odd["age"].dropna().tolist()


def test_basis_splines_sum_to_one_and_natural_splines_are_linear_outside(people):
    design = design_of(people, "bs(age, df=5)")
    rest = 1.0 - design.matrix.sum(axis=1)
    assert rest[people["age"].argmin()] == pytest.approx(1.0)
    assert (rest > -1e-12).all()
    assert np.linalg.matrix_rank(np.column_stack([np.ones(12), design.matrix, people["age"]])) == 6


def test_interaction_of_categories_with_a_chosen_reference(people):
    people["unit"] = ["north"] * 5 + ["south"] * 7
    people["sex"] = pd.Categorical(["male", "female", "male"] * 4)
    design = design_of(people, "sex * unit", reference={"sex": "male", "unit": "south"})
    assert design.names == ("sex: female", "unit: north", "sex: female x unit: north")
    woman, north = people["sex"] == "female", people["unit"] == "north"
    np.testing.assert_array_equal(design.matrix, np.column_stack([woman, north, woman & north]))
    assert design.groups["sex x unit"] == slice(2, 3)


def test_interaction_of_a_spline_with_a_category(people):
    design = design_of(people, "bs(age, df=3) * smoker")
    assert {term: part.stop - part.start for term, part in design.groups.items()} == {
        "bs(age, df=3)": 3,
        "smoker": 1,
        "bs(age, df=3) x smoker": 3,
    }
    np.testing.assert_array_equal(design.matrix[:, 4:], design.matrix[:, :3] * people["smoker"].to_numpy()[:, None])


def test_an_aliased_spline_column_is_named(people):
    people["age2"] = 1.0 - 2.0 * people["age"]
    with pytest.raises(DesignError, match=r"The column 'age2' is a linear combination.*bs\(age, df=4\)\[1\]"):
        design_of(people, "bs(age, df=4) + age2")


def test_the_last_level_as_reference(people):
    design = design_of(people, "sex + C(ecog.ps) + school + age", default_reference="last", reference={"school": "b"})
    assert design.names == ("sex: male", "ecog.ps: 0", "ecog.ps: 1", "school: a", "school: c", "age")
    assert design.info.reference == {"sex": "female", "ecog.ps": 2.0, "school": "b"}
    with pytest.raises(ArgumentError, match="`default_reference`"):
        design_of(people, "sex", default_reference="lowest")
