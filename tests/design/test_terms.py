"""Terms as text."""

import pytest

from rtwcohort.design import formula_from_terms
from rtwcohort.design.terms import columns_of, display_name, quote_dotted
from rtwcohort.errors import DesignError


@pytest.mark.parametrize(
    ("terms", "right"),
    [
        (["age", "sex"], "age + sex"),
        (["age", "sick days"], "age + `sick days`"),
        (["ecog.ps", "FABQ-W", "alder_år", "2nd", "class"], "`ecog.ps` + `FABQ-W` + alder_år + `2nd` + `class`"),
        (["arm:sex", "bs(age, df=4)", "C(grade)", "`my var`"], "arm:sex + bs(age, df=4) + C(grade) + `my var`"),
    ],
)
def test_formula_from_terms(terms, right):
    assert formula_from_terms(terms) == f"Surv(time, event) ~ {right}"


def test_a_column_with_operators_in_its_name_is_quoted_when_known():
    assert formula_from_terms(["a:b", "a"], "Surv(t, e)", columns=["a:b", "a"]) == "Surv(t, e) ~ `a:b` + a"


@pytest.mark.parametrize(
    ("terms", "message"),
    [([], "empty"), (["age", "age"], "twice"), (["age", " "], "empty term"), ("age", "must be a list")],
)
def test_bad_terms(terms, message):
    with pytest.raises(DesignError, match=message):
        formula_from_terms(terms)


@pytest.mark.parametrize(
    ("factor", "columns"),
    [
        ("age", ("age",)),
        ("sick days", ("sick days",)),
        ("bs(age, df=4)", ("age",)),
        ("np.log(`sick days` + age)", ("sick days", "age")),
        ("C(sex, contr.treatment('m'))", ("sex",)),
    ],
)
def test_columns_of(factor, columns):
    assert columns_of(factor, ["age", "sick days"]) == columns


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("sex[T.male]", "sex: male"),
        ("C(sex)[T.male]", "sex: male"),
        ("C(`ecog.ps`)[T.1.0]", "ecog.ps: 1"),
        ("age:sex[T.a:b]", "age x sex: a:b"),
        ("school[T.up to [9] years]", "school: up to [9] years"),
        ("a[b]:c[T.d]", "a: b x c: d"),
        ("school[T.don't know]:age", "school: don't know x age"),
        ("bs(age, df=4)[2]", "bs(age, df=4)[2]"),
        ("my var", "my var"),
        ("C(`ecog.ps`)", "ecog.ps"),
    ],
)
def test_display_name(column, name):
    assert display_name(column) == name


def test_dotted_names_are_quoted_only_where_they_stand_bare():
    side = quote_dotted("ph.ecog + np.log(wt.loss) + `ph.ecog` + ph.ecog.x", ["ph.ecog", "wt.loss", "ph.ecog.x", "np"])
    assert side == "`ph.ecog` + np.log(`wt.loss`) + `ph.ecog` + `ph.ecog.x`"
