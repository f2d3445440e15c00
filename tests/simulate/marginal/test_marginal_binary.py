"""Binary outcomes and counts: exact expectations by enumeration, recovery by models, combinations that cannot be."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logit

from rtwcohort.errors import ArgumentError
from rtwcohort.models import fit_count, fit_logistic
from rtwcohort.simulate.marginal import draw_binary, draw_counts, draw_outcome, solve_binary

INVERSE = {"logistic": expit, "log": np.exp, "identity": lambda x: x}


def people(n, spread):
    x = np.random.default_rng(4).uniform(-1, 1, n)
    return np.arange(n) % 3 == 0, spread * x


def odds_ratio(a, b):
    return b / (1 - b) / (a / (1 - a))


@pytest.mark.parametrize("baseline_of", ["control", "overall"])
@pytest.mark.parametrize("model", ["logistic", "log", "identity"])
@pytest.mark.parametrize(("measure", "effect"), [("rr", 1.4), ("or", 0.6), ("rd", 0.12)])
def test_marginal_effect_is_exact_by_standardisation(measure, effect, model, baseline_of):
    arm, eta = people(501, {"logistic": 1.5, "log": 0.4, "identity": 0.1}[model])
    solved = solve_binary(
        arm, effect=effect, measure=measure, baseline=0.35, linear_predictor=eta, model=model, baseline_of=baseline_of
    )
    risk = [INVERSE[model](solved.intercept + eta + a * solved.coefficient) for a in (0, 1)]
    without, treated = (r.mean() for r in risk)
    found = {"rr": treated / without, "or": odds_ratio(without, treated), "rd": treated - without}
    assert found[measure] == pytest.approx(effect, rel=1e-9)
    base = without if baseline_of == "control" else np.where(arm, risk[1], risk[0]).mean()
    assert base == pytest.approx(0.35, rel=1e-9)
    truth = solved.truth[solved.truth["holds"] == "marginal"].set_index(["term", "scale"])["value"]
    for name, value in found.items():
        assert truth["arm", name] == pytest.approx(value, rel=1e-10)
    assert truth["treated", "risk"] == pytest.approx(treated, rel=1e-12)


@pytest.mark.parametrize(
    ("model", "measure", "effect"), [("logistic", "or", 2.0), ("log", "rr", 1.5), ("identity", "rd", 0.2)]
)
@pytest.mark.parametrize("baseline_of", ["control", "overall"])
def test_conditional_effect_is_the_coefficient(model, measure, effect, baseline_of):
    arm, eta = people(300, {"logistic": 2.0, "log": 0.4, "identity": 0.1}[model])
    solved = solve_binary(
        arm, effect=effect, measure=measure, baseline=0.35, linear_predictor=eta, model=model, holds="conditional",
        baseline_of=baseline_of,
    )  # fmt: skip
    assert solved.coefficient == pytest.approx(effect if measure == "rd" else np.log(effect), rel=1e-11)
    risk = INVERSE[model](solved.intercept + eta + solved.coefficient * (arm if baseline_of == "overall" else 0))
    assert risk.mean() == pytest.approx(0.35, rel=1e-9)
    if model == "logistic":  # odds ratios are not collapsible: the marginal one is nearer to 1
        truth = solved.truth.set_index(["term", "scale"])["value"]
        assert 1.5 < truth["arm", "or"] < 1.95


def test_draws_have_the_set_effects():
    n = 60_000
    arm, eta = people(n, 2.0)
    drawn = draw_binary(np.arange(n), arm, effect=1.3, measure="rr", baseline=0.3, linear_predictor=eta, seed=6)
    share = [drawn.outcome[arm == a].mean() for a in (False, True)]
    error = np.sqrt(sum((1 - p) / p / k for p, k in zip(share, (2 * n / 3, n / 3), strict=True)))
    assert abs(np.log(share[1] / share[0]) - np.log(1.3)) < 3 * error
    frame = pd.DataFrame({"y": drawn.outcome, "arm": arm.astype(float), "eta": eta})
    fit = fit_logistic(frame, "y ~ arm + eta").tidy().set_index("term")
    for term, value in (("arm", drawn.model.coefficient), ("eta", 1.0)):
        assert abs(fit.loc[term, "estimate"] - value) < 3 * fit.loc[term, "std_error"]
    pulls = (drawn.outcome - drawn.risk) / np.sqrt(drawn.risk * (1 - drawn.risk))
    assert abs(pulls.mean()) < 3 / np.sqrt(n)


def test_no_covariates_is_a_table_by_hand():
    solved = solve_binary(np.array([0, 1]), effect=0.1, measure="rd", baseline=0.2)
    assert solved.intercept == pytest.approx(logit(0.2))
    assert solved.coefficient == pytest.approx(logit(0.3) - logit(0.2))
    overall = solve_binary(np.array([0, 1]), effect=2.0, measure="rr", baseline=0.3, baseline_of="overall")
    assert (overall.control_risk, overall.treated_risk) == pytest.approx((0.2, 0.4))


def test_drawn_in_parts():
    arm, eta = people(200, 1.0)
    choices = {"effect": 2.0, "measure": "or", "baseline": 0.4}
    whole = draw_binary(np.arange(200), arm, linear_predictor=eta, seed=3, **choices).outcome
    model = solve_binary(arm, linear_predictor=eta, **choices)
    place = np.random.default_rng(1).permutation(200)[:90]
    part = draw_outcome(model, place, arm[place], eta[place], seed=3).outcome
    np.testing.assert_array_equal(part, whole[place])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"effect": 3.0}, "between 0 and 2.5"),
        ({"effect": 0.7, "measure": "rd"}, "between -0.4 and 0.6"),
        ({"effect": 2.0, "baseline": 0.99, "baseline_of": "overall"}, "cannot both hold"),
        ({"effect": 2.3, "model": "log"}, r"\d+ of 90 people would have a risk outside 0 to 1 with treatment"),
        ({"effect": 1.1, "model": "identity"}, r"\d+ of 90 people would have a risk outside 0 to 1 without treatment"),
        ({"holds": "conditional"}, "only under `model` 'log'"),
        ({"measure": "hr"}, "measure"),
        ({"effect": -1.0}, "`effect`"),
        ({"baseline": 0.0}, "`baseline`"),
        ({"arm": np.full(90, 2)}, "control"),
        ({"arm": np.array([], dtype=int)}, "at least one person"),
        ({"arm": "treated"}, r"shape \(1,\)"),
        ({"linear_predictor": np.full(90, np.nan)}, "90 of 90"),
        ({"linear_predictor": np.full(90, "high")}, "must hold numbers"),
    ],
)
def test_refused(change, words):
    arm, eta = people(90, 0.8)
    good = {"arm": arm, "effect": 1.2, "measure": "rr", "baseline": 0.4, "linear_predictor": eta}
    solve_binary(**good)
    with pytest.raises(ArgumentError, match=words):
        solve_binary(**(good | change))


@pytest.mark.parametrize(("mean", "dispersion"), [(3.0, 0.0), (40.0, 0.0), (25.0, 1.5), (80.0, 0.05), (0.4, 6.0)])
def test_counts_against_scipy(mean, dispersion):
    n = 20_000
    count = draw_counts(np.arange(n), mean=mean, dispersion=dispersion, seed=2).count
    law = stats.poisson(mean) if dispersion == 0 else stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean))
    edges = np.unique(law.ppf(np.linspace(0.02, 0.98, 25)).astype(int))
    share = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    seen = np.bincount(np.searchsorted(edges, count), minlength=len(share))
    keep = share > 0
    assert stats.chisquare(seen[keep], n * share[keep]).pvalue > 0.005


def test_counts_ratio_and_zeros():
    n = 30_000
    arm = np.arange(n) % 2
    drawn = draw_counts(np.arange(n), np.log(0.8) * arm, mean=40.0, dispersion=0.7, extra_zeros=0.3, seed=5)
    truth = drawn.truth.set_index(["term", "scale"])["value"]
    zero = 0.3 + 0.7 * (1 + 0.7 * 40 / 0.7) ** (-1 / 0.7)
    assert truth["reference", "zero_share"] == pytest.approx(zero)
    assert abs((drawn.count[arm == 0] == 0).mean() - zero) < 3 * np.sqrt(zero * (1 - zero) / (n / 2))
    groups = [drawn.count[arm == a] for a in (0, 1)]
    error = np.sqrt(sum(g.var() / g.mean() ** 2 / len(g) for g in groups))
    assert abs(np.log(groups[1].mean() / groups[0].mean()) - np.log(0.8)) < 3 * error
    assert abs(groups[0].mean() - 40.0) < 3 * groups[0].std() / np.sqrt(n / 2)


def test_count_model_gives_the_ratio_back():
    n = 8000
    arm = np.arange(n) % 2
    frame = pd.DataFrame(
        {"days": draw_counts(np.arange(n), 0.5 * arm, mean=12, dispersion=0.8, seed=1).count, "arm": arm}
    )
    fit = fit_count(frame, "days ~ arm", family="negative_binomial").tidy().set_index("term")
    assert abs(fit.loc["arm", "estimate"] - 0.5) < 3 * fit.loc["arm", "std_error"]


def test_counts_refused():
    with pytest.raises(ArgumentError, match="too far from 0"):
        draw_counts(np.arange(3), mean=5000.0, dispersion=0.0, seed=1)
    with pytest.raises(ArgumentError, match="above 1,000,000"):
        draw_counts(np.arange(3), 40.0, mean=5.0, dispersion=1.0, seed=1)
    with pytest.raises(ArgumentError, match="extra_zeros"):
        draw_counts(np.arange(3), mean=5.0, dispersion=1.0, extra_zeros=1.0, seed=1)
