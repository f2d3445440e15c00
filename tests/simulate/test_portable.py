"""Random numbers and elementary functions that do not depend on the machine."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtwcohort.simulate.portable import (
    bell,
    choose,
    exp,
    exponential,
    log,
    piecewise_time,
    stream,
    uniform,
    whole,
)

STORED = ["0x1.b61368e2a9047p-1", "0x1.e3d29db553f22p-2", "0x1.0725c49e7f100p-9"]
STORED_EXPONENTIALS = ["0x1.3f599ad9ccce1p-3", "0x1.7fdfa86a7c287p-1", "0x1.8d7d89c21a7fap+2"]


def test_exp_and_log_agree_with_the_library():
    x = np.linspace(-30, 30, 20_001)
    expected = np.array([math.exp(value) for value in x])
    assert np.abs(exp(x) / expected - 1).max() < 5e-15
    y = np.concatenate([np.logspace(-300, 300, 5001), np.linspace(0.5, 2, 5001), [2.0**-53, 1 - 2.0**-53]])
    expected = np.array([math.log(value) for value in y])
    assert np.abs(log(y) - expected).max() < 2e-13
    near = np.abs(expected) < 1
    assert np.abs(log(y) - expected)[near].max() < 3e-16


def test_the_stored_bits_of_the_stream():
    # NumPy guarantees PCG64's raw output and SeedSequence; these are the first values of seed 1, stream "x".
    values = uniform(stream(1, "x"), 3)
    assert [value.hex() for value in values.tolist()] == STORED
    assert [value.hex() for value in exponential(stream(1, "x"), 3).tolist()] == STORED_EXPONENTIALS


def test_streams_are_apart():
    first = uniform(stream(1, "x"), 1000)
    assert np.array_equal(first, uniform(stream(1, "x"), 1000))
    for other in (stream(2, "x"), stream(1, "y")):
        assert abs(np.corrcoef(first, uniform(other, 1000))[0, 1]) < 0.1


def test_uniforms_are_strictly_inside_and_even():
    values = uniform(stream(3, "u"), 200_000)
    assert 0 < values.min() < values.max() < 1
    counts = np.histogram(values, bins=20, range=(0, 1))[0]
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 43.8  # 0.999 quantile of chi-square, 19 df


def test_moments():
    n = 200_000
    assert bell(stream(4, "b"), n).mean() == pytest.approx(0, abs=0.01)
    assert bell(stream(4, "b"), n).std() == pytest.approx(1, abs=0.01)
    assert exponential(stream(4, "e"), n).mean() == pytest.approx(1, abs=0.01)
    assert exponential(stream(4, "e"), n).std() == pytest.approx(1, abs=0.02)


def test_whole_numbers_and_choices_take_every_value_with_its_share():
    values = whole(stream(5, "w"), 60_000, 3, 8)
    assert np.bincount(values)[3:].tolist() == pytest.approx([10_000] * 6, rel=0.04)
    picked = choose(stream(5, "c"), 100_000, (1, 2, 7))
    assert (np.bincount(picked) / 100_000).tolist() == pytest.approx([0.1, 0.2, 0.7], abs=0.006)


def test_piecewise_times_by_hand():
    # 0.01 a day for 10 days (0.1 in all), nothing for 10 days, then 0.05 a day.
    unit = np.array([0.0, 0.05, 0.0999, 0.1, 0.15, 0.6])
    expected = [0.0, 5.0, 9.99, 20.0, 21.0, 30.0]
    assert piecewise_time(unit, (0, 10, 20), (0.01, 0.0, 0.05)).tolist() == pytest.approx(expected)
    assert piecewise_time(np.array([0.2]), (0, 10), (0.01, 0.0)).tolist() == [np.inf]
