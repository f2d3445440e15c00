"""Splines in Cox models against R 4.2.2, survival 3.5-3, splines: `coxph(Surv(time, status==2) ~ ... + sex, lung)`.

A natural spline has another basis here than in R's `ns`, so its coefficients differ; the model is the same one.
"""

import numpy as np
import pytest

from rtwcohort.models import fit_cox, proportional_hazards_test

# per spline: log-likelihood, score statistic, effect of sex, then cox.zph (KM transform) of the spline, sex and all
R = {
    # bs(age, df = 4)
    "bs(age, df=4)": (
        [-741.22712006330903, 17.799650779834931, -0.514488257092681],
        [7.01473732845, 2.77173066894, 8.87681204219],
    ),
    # ns(age, df = 3), whose inner knots are quantiles of all rows: 59 and 68
    "cr(age, knots=(59, 68), constraints='center')": (
        [-741.88604297561244, 16.508019145647072, -0.503733839087265],
        [0.551321388536, 2.893660059000, 3.249437247480],
    ),
}


@pytest.mark.parametrize("spline", list(R))
def test_equals_r(lung, spline):
    fit = fit_cox(lung, f"Surv(time, event) ~ {spline} + sex")
    whole, tests = R[spline]
    np.testing.assert_allclose([fit.loglik, fit.score_statistic, fit.coef[-1]], whole, rtol=1e-8)
    np.testing.assert_allclose(proportional_hazards_test(fit).terms["statistic"], tests, rtol=1e-6)


def test_coefficients_of_a_b_spline(lung):
    fit = fit_cox(lung, "Surv(time, event) ~ bs(age, df=4) + sex")
    theirs = [1.919978339434516, 0.750595040761207, 1.615645508156679, 2.314777102874282, -0.514488257092681]
    np.testing.assert_allclose(fit.coef, theirs, rtol=1e-8)


def test_knots_of_a_natural_spline_are_quantiles_of_distinct_values(lung):
    """As the explanation page says: R takes those of all rows, and fits another curve where values repeat."""
    distinct = lung.drop_duplicates("age")["age"]
    low, high = (float(np.quantile(distinct, share)) for share in (1 / 3, 2 / 3))
    ours = fit_cox(lung, "Surv(time, event) ~ cr(age, df=3, constraints='center')")
    named = fit_cox(lung, f"Surv(time, event) ~ cr(age, knots=({low!r}, {high!r}), constraints='center')")
    assert ours.loglik == pytest.approx(named.loglik, rel=1e-12)
    theirs = fit_cox(lung, "Surv(time, event) ~ cr(age, knots=(59, 68), constraints='center')")
    assert abs(theirs.loglik - ours.loglik) > 0.1
