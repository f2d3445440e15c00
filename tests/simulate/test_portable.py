"""Elementary functions that do not depend on the machine."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtwcohort.simulate.portable import exp, log, piecewise_time


def test_exp_and_log_agree_with_the_library():
    x = np.linspace(-30, 30, 20_001)
    expected = np.array([math.exp(value) for value in x])
    assert np.abs(exp(x) / expected - 1).max() < 5e-15
    y = np.concatenate([np.logspace(-300, 300, 5001), np.linspace(0.5, 2, 5001), [2.0**-53, 1 - 2.0**-53]])
    expected = np.array([math.log(value) for value in y])
    assert np.abs(log(y) - expected).max() < 2e-13
    near = np.abs(expected) < 1
    assert np.abs(log(y) - expected)[near].max() < 3e-16


def test_piecewise_times_by_hand():
    # 0.01 a day for 10 days (0.1 in all), nothing for 10 days, then 0.05 a day.
    unit = np.array([0.0, 0.05, 0.0999, 0.1, 0.15, 0.6])
    expected = [0.0, 5.0, 9.99, 20.0, 21.0, 30.0]
    assert piecewise_time(unit, (0, 10, 20), (0.01, 0.0, 0.05)).tolist() == pytest.approx(expected)
    assert piecewise_time(np.array([0.2]), (0, 10), (0.01, 0.0)).tolist() == [np.inf]
