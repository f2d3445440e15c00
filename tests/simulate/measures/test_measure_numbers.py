"""Percentages, quantiles and contrasts with their simulation errors, against naive computations."""

import numpy as np
import pytest

from rtwcohort.simulate.measures.numbers import (
    contrast,
    kaplan_meier_quantile,
    mean,
    percent,
    quantile,
    ratio,
    spread,
)


def test_percent_and_its_error():
    value, error = percent(np.array([1, 1, 0, 0, 0]))
    assert value == 40
    assert error == pytest.approx(100 * np.sqrt(0.4 * 0.6 / 5))
    assert percent(np.zeros(99))[1] == pytest.approx(100 * np.sqrt(0.01 * 0.99 / 99))
    assert np.isnan(percent(np.zeros(0))[0])


def test_mean_and_spread_against_replicates():
    rng = np.random.default_rng(1)
    samples = rng.gamma(2.0, 10.0, size=(3000, 400))
    values, errors = zip(*(mean(row) for row in samples), strict=True)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.04)
    values, errors = zip(*(spread(row) for row in samples), strict=True)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.1)


@pytest.mark.parametrize("q", [0.25, 0.5, 0.9])
def test_quantile_error_against_replicates(q):
    rng = np.random.default_rng(2)
    values, errors = zip(*(quantile(row, q) for row in rng.exponential(100, size=(1500, 500))), strict=True)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.08)


def naive_kaplan_meier_median(time, event):
    survival = 1.0
    for day in sorted(set(time[event])):
        at_risk = (time >= day).sum()
        survival *= 1 - ((time == day) & event).sum() / at_risk
        if survival <= 0.5 + 1e-12:
            return day
    return float("nan")


def test_kaplan_meier_median_against_a_loop():
    rng = np.random.default_rng(3)
    for _ in range(40):
        time = rng.integers(0, 60, 30)
        event = rng.random(30) < 0.6
        found = kaplan_meier_quantile(time, event, 0.5)[0]
        expected = naive_kaplan_meier_median(time, event)
        assert found == expected or (np.isnan(found) and np.isnan(expected))


def test_kaplan_meier_error_against_replicates():
    rng = np.random.default_rng(4)
    values, errors = [], []
    for _ in range(600):
        event_time, censored = rng.exponential(100, 500), rng.uniform(50, 400, 500)
        time = np.minimum(event_time, censored).astype(int)
        value, error = kaplan_meier_quantile(time, event_time <= censored, 0.5)
        values.append(value)
        errors.append(error)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.12)


def test_a_median_that_is_not_reached_is_missing():
    assert np.isnan(kaplan_meier_quantile(np.array([5, 5, 5]), np.array([True, False, False]), 0.5)[0])


def test_ratio_error_against_replicates():
    rng = np.random.default_rng(5)
    found = []
    for _ in range(1500):
        days = rng.exponential(30, 300)
        found.append(ratio(days * (days > 56), days))
    values, errors = zip(*found, strict=True)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.1)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("rr", 50 / 40), ("or", (0.5 / 0.5) / (0.4 / 0.6)), ("rd", 10.0), ("difference", 10.0)],
)
def test_contrasts_and_their_errors_against_replicates(kind, expected):
    rng = np.random.default_rng(6)
    assert contrast(kind, (50.0, 1.0), (40.0, 1.0))[0] == pytest.approx(expected)
    found = [contrast(kind, percent(rng.random(800) < 0.5), percent(rng.random(600) < 0.4)) for _ in range(1500)]
    values, errors = zip(*found, strict=True)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.08)


def test_ratios_of_nothing_are_missing():
    assert np.isnan(contrast("rr", (0.0, 1.0), (10.0, 1.0))[0])
    assert np.isnan(contrast("or", (50.0, 1.0), (100.0, 1.0))[0])
