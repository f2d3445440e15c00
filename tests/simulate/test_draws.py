"""Draws are functions of seed, purpose, person and counter, and have the distribution that they say."""

import numpy as np
import pytest
from scipy import stats

from rtwcohort.simulate import draws
from rtwcohort.simulate.draws_kernel import exp_, exponential_at, log_, uniform_at
from rtwcohort.simulate.portable import exp, log

PINNED_KEY = 2915399908789200479
PINNED = [0.33626748877481305, 0.9148223018955365, 0.36478058093006227]
PEOPLE = np.arange(200_000, dtype=np.int64)


def test_a_draw_does_not_depend_on_the_others():
    key = draws.key(7, "return")
    whole = draws.uniform(key, PEOPLE)
    assert np.array_equal(draws.uniform(key, PEOPLE[500:700]), whole[500:700])
    assert np.array_equal(draws.uniform(key, PEOPLE[::-1]), whole[::-1])


def test_the_bits_are_pinned():
    key = draws.key(1, "index")
    assert int(key) == PINNED_KEY
    assert draws.uniform(key, np.arange(3)).tolist() == PINNED


@pytest.mark.parametrize("change", ["seed", "purpose", "counter"])
def test_other_draws_are_unrelated(change):
    key = draws.key(1, "a")
    other = {"seed": draws.key(2, "a"), "purpose": draws.key(1, "b"), "counter": key}[change]
    one = draws.uniform(key, PEOPLE)
    two = draws.uniform(other, PEOPLE, counter=int(change == "counter"))
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(PEOPLE.size)


def test_neighbours_are_unrelated_and_uniform():
    drawn = draws.uniform(draws.key(3, "x"), PEOPLE)
    assert stats.kstest(drawn, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 4 / np.sqrt(PEOPLE.size)
    counts = draws.uniform(draws.key(3, "x"), np.zeros(100_000, dtype=np.int64), counter=np.arange(100_000))
    assert stats.kstest(counts, "uniform").pvalue > 1e-3


def test_normal_quantile_and_distribution_function_agree_with_scipy():
    share = np.concatenate(
        [np.geomspace(1e-290, 0.49, 400), np.linspace(0.01, 0.99, 99), 1 - np.geomspace(1e-15, 0.4, 99)]
    )
    np.testing.assert_allclose(draws.normal_quantile(share), stats.norm.ppf(share), rtol=1e-13, atol=1e-15)
    value = np.linspace(-30, 9, 2001)
    np.testing.assert_allclose(draws.normal_cdf(value), stats.norm.cdf(value), rtol=1e-13, atol=1e-15)


def test_normal_exponential_whole_and_choose():
    key = draws.key(5, "y")
    assert stats.kstest(draws.normal(key, PEOPLE), "norm").pvalue > 1e-3
    assert stats.kstest(draws.exponential(key, PEOPLE), "expon").pvalue > 1e-3
    drawn = draws.whole(key, PEOPLE, -2, 4)
    assert stats.chisquare(np.bincount(drawn + 2, minlength=7)).pvalue > 1e-3
    assert draws.whole(key, PEOPLE[:3], np.array([1, 5, 9]), np.array([1, 5, 9])).tolist() == [1, 5, 9]
    shares = np.array([1.0, 0.0, 3.0, 6.0])
    counts = np.bincount(draws.choose(key, PEOPLE, shares.tolist()), minlength=4)
    assert counts[1] == 0
    assert stats.chisquare(counts[[0, 2, 3]], shares[[0, 2, 3]] / 10 * PEOPLE.size).pvalue > 1e-3


def test_compiled_draws_have_the_same_bits():
    key = draws.key(11, "z")
    people = PEOPLE[:500]
    assert [uniform_at(key, p, 4) for p in people] == draws.uniform(key, people, counter=4).tolist()
    assert [exponential_at(key, p, 9) for p in people] == draws.exponential(key, people, counter=9).tolist()
    at = np.concatenate([np.linspace(-700, 700, 999), [0.0]])
    assert [exp_(x) for x in at] == exp(at).tolist()
    above = np.geomspace(1e-300, 1e300, 999)
    assert [log_(x) for x in above] == log(above).tolist()
