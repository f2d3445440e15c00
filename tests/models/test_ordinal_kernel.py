"""The cumulative link likelihood against loops over scipy's distributions, and its derivatives by differences."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from rtwcohort.models.links import LINKS, category_probabilities
from rtwcohort.models.ordinal_likelihood import OrdinalData, OrdinalLikelihood, predicted_probabilities
from rtwcohort.models.ordinal_link_kernel import interval
from rtwcohort.models.ordinal_logit_kernel import exp_minus, log_one_plus

DISTRIBUTIONS = {
    "logit": stats.logistic,
    "probit": stats.norm,
    "cloglog": stats.gumbel_l,
    "loglog": stats.gumbel_r,
    "cauchit": stats.cauchy,
}


def problem(link, *, n=700, k=4, p=3, nominal=(), weighted=False, offset=False, seed=3):
    """Rows of more than one tile, on odd scales, with far-away means."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * [1.0, 20.0, 0.01][:p] + [0.0, 1990.0, 5.0][:p]
    y = rng.integers(0, k, n).astype(np.int32)
    data = OrdinalData(
        matrix=np.asfortranarray(x),
        codes=y,
        labels=tuple("abcdefg"[:k]),
        names=tuple(f"x{j}" for j in range(p)),
        nominal=tuple(nominal),
        weights=rng.uniform(0.5, 3.0, n) if weighted else None,
        offset=rng.normal(size=n) if offset else None,
        cluster=rng.integers(0, 30, n),
    )
    likelihood = OrdinalLikelihood(data, link)
    working = likelihood.start() + rng.normal(size=likelihood.n_parameters) * 0.05
    return data, likelihood, working


def naive_rows(data, link, natural):
    """Return log P(Y = y) of every row, one row after another, from scipy's cdf and sf."""
    F = DISTRIBUTIONS[link]
    k = len(data.labels)
    q = len(data.nominal)
    alpha = natural[: k - 1]
    gamma = natural[k - 1 : (k - 1) * (1 + q)].reshape(q, k - 1)
    beta = natural[(k - 1) * (1 + q) :]
    out = []
    for i, x in enumerate(data.matrix):
        common = sum(b * x[j] for b, j in zip(beta, data.location, strict=True))
        common += 0.0 if data.offset is None else data.offset[i]
        at = [-np.inf]
        for j in range(k - 1):
            at.append(alpha[j] - common - sum(gamma[a, j] * x[c] for a, c in enumerate(data.nominal)))
        at.append(np.inf)
        low, high = at[data.codes[i]], at[data.codes[i] + 1]
        out.append(np.log(F.cdf(high) - F.cdf(low) if low < 0 else F.sf(low) - F.sf(high)))
    return np.array(out)


CASES = [
    pytest.param(link, nominal, weighted, id=f"{link}-{'nominal' if nominal else 'common'}-{weighted}")
    for link in DISTRIBUTIONS
    for nominal, weighted in (((), False), ((), True), ((0, 2), True))
]


@pytest.mark.parametrize(("link", "nominal", "weighted"), CASES)
class TestLikelihood:
    def test_naive(self, link, nominal, weighted):
        data, likelihood, working = problem(link, nominal=nominal, weighted=weighted, offset=weighted)
        natural = likelihood.to_natural() @ working
        rows = naive_rows(data, link, natural)
        weights = np.ones(rows.size) if data.weights is None else data.weights
        assert likelihood(working)[0] == pytest.approx(float(weights @ rows), rel=1e-11)
        chosen = predicted_probabilities(data, link, natural)[np.arange(rows.size), data.codes]
        np.testing.assert_allclose(chosen, np.exp(rows), rtol=1e-9)

    def test_differences(self, link, nominal, weighted):
        _, likelihood, working = problem(link, nominal=nominal, weighted=weighted, offset=weighted)
        _, score, information = likelihood(working)
        step = 1e-5
        for j in range(working.size):
            up, down = working.copy(), working.copy()
            up[j] += step
            down[j] -= step
            first = (likelihood(up)[0] - likelihood(down)[0]) / (2.0 * step)
            second = -(likelihood(up)[1] - likelihood(down)[1]) / (2.0 * step)
            assert score[j] == pytest.approx(first, rel=1e-6, abs=1e-5)
            np.testing.assert_allclose(information[:, j], second, rtol=1e-6, atol=1e-5 * np.abs(information).max())

    def test_outer_products_and_clusters(self, link, nominal, weighted):
        data, likelihood, working = problem(link, n=60, nominal=nominal, weighted=weighted)
        n, weights = 60, np.ones(60) if data.weights is None else data.weights
        rows = likelihood.by_cluster(working, np.arange(n), n)
        np.testing.assert_allclose(rows.sum(axis=0), likelihood(working)[1], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(likelihood.outer(working, square=True), rows.T @ rows, rtol=1e-9, atol=1e-9)
        single = rows / weights[:, None]
        once = likelihood.outer(working, square=False)
        np.testing.assert_allclose(once, single.T @ (weights[:, None] * single), rtol=1e-9, atol=1e-9)
        grouped = likelihood.by_cluster(working, data.cluster, 30)
        np.testing.assert_allclose(grouped[7], rows[data.cluster == 7].sum(axis=0), rtol=1e-9, atol=1e-12)

    def test_expected_information(self, link, nominal, weighted):
        """The mean over all outcomes of score x score', by giving every row every category."""
        data, likelihood, working = problem(link, n=40, nominal=nominal, weighted=weighted, offset=True)
        chances = predicted_probabilities(data, link, likelihood.to_natural() @ working)
        total = np.zeros((working.size, working.size))
        weights = np.ones(40) if data.weights is None else data.weights
        for y in range(len(data.labels)):
            likelihood.data.codes[:] = y
            other = OrdinalLikelihood(likelihood.data, link)
            other.mean, other.scale, other._inverse = likelihood.mean, likelihood.scale, likelihood._inverse
            rows = other.by_cluster(working, np.arange(40), 40) / weights[:, None]
            total += rows.T @ ((weights * chances[:, y])[:, None] * rows)
        np.testing.assert_allclose(likelihood.expected(working), total, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("link", DISTRIBUTIONS)
class TestInterval:
    @pytest.mark.parametrize("u", [-30.0, -8.0, -3.0, -0.2, 0.0, 0.7, 4.0, 6.0, 30.0])
    def test_one_end(self, link, u):
        F = DISTRIBUTIONS[link]
        code = LINKS[link].code
        assert interval(code, u, -np.inf)[0] == pytest.approx(F.logcdf(u), rel=1e-12, abs=1e-300)
        assert interval(code, np.inf, u)[0] == pytest.approx(F.logsf(u), rel=1e-12, abs=1e-300)

    @pytest.mark.parametrize("low", [-20.0, -6.0, -1.0, -0.05, 0.3, 2.0])
    @pytest.mark.parametrize("width", [1e-9, 1e-4, 0.1, 0.45, 3.0])
    def test_two_ends(self, link, low, width):
        """Against the integral of the density, which does not cancel."""
        F, high = DISTRIBUTIONS[link], low + width
        peak = max(F.logpdf(low), F.logpdf(high))
        if peak < -600:
            # No such probability in floats: the logarithm may be -inf, and is at most that of peak times width.
            assert interval(LINKS[link].code, high, low)[0] <= peak + np.log(width) + 1e-9 * abs(peak)
            return
        inside = quad(lambda t: np.exp(F.logpdf(t) - peak), low, high, epsabs=0.0, epsrel=1e-12)[0]
        log_p, gu, gl, cu, cl = interval(LINKS[link].code, high, low)
        # the width of the interval itself has one rounding of `high`
        near = 1e-10 + 1e-15 * abs(low) / width
        assert log_p == pytest.approx(np.log(inside) + peak, rel=1e-11, abs=near)
        assert gu == pytest.approx(np.exp(F.logpdf(high) - peak) / inside, rel=near, abs=1e-300)
        assert gl == pytest.approx(np.exp(F.logpdf(low) - peak) / inside, rel=near, abs=1e-300)
        slope = LINKS[link].slope
        assert cu == pytest.approx(float(slope(np.array(high))) * np.exp(-log_p), rel=1e-8, abs=1e-6 * gu)
        assert cl == pytest.approx(float(slope(np.array(low))) * np.exp(-log_p), rel=1e-8, abs=1e-6 * gl)

    def test_crossed_thresholds_have_no_probability(self, link):
        assert interval(LINKS[link].code, 0.5, 0.5)[0] == -np.inf
        assert interval(LINKS[link].code, -1.0, 2.0)[0] == -np.inf

    def test_probabilities_in_both_tails(self, link):
        F = DISTRIBUTIONS[link]
        got = category_probabilities(np.array([-2.0, 0.5, 3.0]), np.array([0.0, 30.0, -30.0]), link)
        assert (got >= 0.0).all()
        np.testing.assert_allclose(got.sum(axis=1), 1.0, rtol=1e-14)
        if link == "logit":
            assert got[1, 0] == pytest.approx(F.cdf(-32.0), rel=1e-13)
            assert got[2, 3] == pytest.approx(F.sf(33.0), rel=1e-13)

    def test_link_inverts(self, link):
        chosen, u = LINKS[link], np.linspace(-3.0, 2.0, 11)
        np.testing.assert_allclose(chosen.cdf(u), DISTRIBUTIONS[link].cdf(u), rtol=1e-12)
        np.testing.assert_allclose(chosen.density(u), DISTRIBUTIONS[link].pdf(u), rtol=1e-12)
        np.testing.assert_allclose(chosen.quantile(chosen.cdf(u)), u, rtol=1e-9, atol=1e-12)
        step = 1e-5
        slope = (chosen.density(u + step) - chosen.density(u - step)) / (2.0 * step)
        np.testing.assert_allclose(chosen.slope(u), slope, rtol=1e-6, atol=1e-9)


def test_own_exponential_and_logarithm():
    x = np.concatenate([np.linspace(0.0, 40.0, 5001), [100.0, 700.0, 708.0]])
    np.testing.assert_allclose([exp_minus(value) for value in x], np.exp(-x), rtol=4e-16)
    e = np.concatenate([np.exp(-x), np.linspace(0.0, 1.0, 501)])
    np.testing.assert_allclose([log_one_plus(value) for value in e], np.log1p(e), rtol=6e-16)
    assert exp_minus(1e6) == exp_minus(708.0) > 0.0


def test_memory_order_and_threads_do_not_change_the_sums():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60_000, 6))
    y = rng.integers(0, 3, 60_000).astype(np.int32)
    kinds = {"F": np.asfortranarray(x), "C": np.ascontiguousarray(x), "A": np.repeat(x, 2, axis=1)[:, ::2]}
    found = []
    for matrix in kinds.values():
        likelihood = OrdinalLikelihood(OrdinalData(matrix, y, ("a", "b", "c"), tuple("uvwxyz")), "logit")
        found.append(likelihood(np.array([-0.9, 1.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])))
        likelihood.close()
    assert found[0][0] == found[1][0] == found[2][0]
    np.testing.assert_array_equal(found[0][2], found[1][2])
