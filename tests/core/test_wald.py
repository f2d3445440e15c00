"""Wald figures against closed values and scipy.stats."""

import numpy as np
import pytest
from scipy import stats

from rtwcohort.core.wald import chi_square_p, normal_quantile, tidy_table, two_sided_p
from rtwcohort.errors import ArgumentError


def test_tidy_table_by_hand():
    table = tidy_table(["x"], np.array([0.5]), np.array([0.25]))
    row = table.iloc[0]
    assert row["statistic"] == 2.0
    assert row["p_value"] == pytest.approx(0.04550026389635842, rel=1e-12)
    assert row["conf_low"] == pytest.approx(0.5 - 1.959963984540054 * 0.25, rel=1e-12)
    assert row["conf_high"] == pytest.approx(0.5 + 1.959963984540054 * 0.25, rel=1e-12)


def test_tails_do_not_underflow_to_zero():
    z = np.array([0.0, -1.0, 5.0, 20.0, 37.0])
    assert two_sided_p(z) == pytest.approx(2 * stats.norm.sf(np.abs(z)), rel=1e-10)
    assert two_sided_p(np.array([37.0]))[0] > 0
    assert chi_square_p(200.0, 3) == pytest.approx(stats.chi2.sf(200.0, 3), rel=1e-10)


def test_level_is_checked():
    with pytest.raises(ArgumentError, match="`level`"):
        normal_quantile(95)
