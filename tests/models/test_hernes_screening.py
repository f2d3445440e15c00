"""The screening that the Hernes cohort printed: univariable lists and Tables 2 and 3 (Haugen et al., 45 persons).

Estimates with their intervals as printed; the p-values that the intervals imply select the predictors of the tables at
0.05, and show which printed figures cannot be right.
"""

import numpy as np
import pytest

from rtwcohort.core.wald import normal_quantile, two_sided_p

# predictor: estimate, lower and upper limit, in the multivariable table (six months, odds ratios; 1.945 for sex)
SIX_MONTHS = {
    "age": (None, 0.886, 0.979, True),
    "fabq_work": (None, 0.876, 0.950, True),
    "job_demands": (None, 0.712, 0.897, True),
    "job_strain": (None, 0.035, 0.542, True),
    "social_support": (None, 1.024, 1.299, True),
    "belief_in_improvement": (None, 1.579, 5.746, True),
    "job_satisfaction": (None, 0.994, 1.369, False),
    "job_control": (None, 0.946, 1.168, False),
    "fabq_pa": (None, 0.941, 1.042, False),
    "sex": (1.945, 0.854, 4.429, False),
}
# twelve months, coefficients
TWELVE_MONTHS = {
    "fabq_work": (None, -0.213, -0.053, True),
    "job_control": (0.275, 0.008, 0.053, True),
    "belief_in_improvement": (None, 0.606, 3.879, True),
    "work_status": (None, 1.644, 5.316, True),
    "age": (None, -0.149, 0.022, False),
    "sex": (0.508, -0.800, 1.816, False),
    "job_demands": (-0.085, -0.385, 0.215, False),
    "job_strain": (-2.213, -4.814, 0.389, False),
    "social_support": (0.046, -0.158, 0.250, False),
    "job_satisfaction": (0.202, -0.031, 0.435, False),
    "fabq_pa": (-0.27, -0.133, 0.078, False),
}


def implied(low, high, log):
    ends = np.log([low, high]) if log else np.array([low, high])
    middle, error = ends.mean(), np.diff(ends)[0] / (2 * normal_quantile(0.95))
    return middle, float(two_sided_p(middle / error))


@pytest.mark.parametrize(("table", "log"), [(SIX_MONTHS, True), (TWELVE_MONTHS, False)])
def test_selection_at_five_per_cent(table, log):
    for name, (_, low, high, kept) in table.items():
        _, p = implied(low, high, log)
        assert (p < 0.05) == kept, name


def test_misprints_show():
    wrong = [name for name, (b, low, high, _) in TWELVE_MONTHS.items() if b is not None and not low <= b <= high]
    assert wrong == ["job_control", "fabq_pa"]
    assert implied(-0.133, 0.078, log=False)[0] == pytest.approx(-0.0275, abs=1e-4)
    assert np.exp(implied(0.854, 4.429, log=True)[0]) == pytest.approx(1.945, abs=5e-4)
    # demands: printed p 0.0578 where the interval gives 0.58
    assert implied(-0.385, 0.215, log=False)[1] == pytest.approx(0.578, abs=2e-3)


def test_coefficients_for_the_people_there():
    # Ten candidates at six months and eleven at twelve, for at most 45 persons, of whom 41 and 32 are in the tables.
    assert 41 / len(SIX_MONTHS) < 5
    assert 32 / len(TWELVE_MONTHS) < 3
