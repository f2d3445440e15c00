"""Ordered status at several waves: margins by enumeration and quadrature, association, recovery by GEE, refusals."""

import tomllib
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter
from scipy.special import expit, ndtr, ndtri
from scipy.stats import multivariate_normal

from rtwcohort.errors import ArgumentError
from rtwcohort.models import fit_ordinal, fit_ordinal_gee, fit_ordinal_gee_arrays
from rtwcohort.simulate.marginal import (
    Association,
    LaterStatus,
    RepeatedStatus,
    StatusEffect,
    draw_ordered_repeated,
    draw_status,
    thresholds_for,
)
from rtwcohort.simulate.marginal.association import achieved, latent_correlation
from rtwcohort.simulate.marginal.links import both_below, cholesky, inverse_link, link_of

DECLARED = """
waves = ["M0", "M3", "M6"]
levels = ["not", "partly", "fully"]
thresholds = [[0.4, 1.6], [-0.1, 1.0], [-0.5, 0.5]]
effects = [
  { term = "arm", log_or = 0.6 },
  { term = "age", log_or = -0.5, per = 10, centre = 45 },
  { term = "fabq", log_or = -0.35, per = 5, centre = 20 },
]
association = { structure = "exchangeable", scale = "global_or", value = 6.0 }
[[later]]
wave = "M12"
given = "M6"
thresholds = [0.2, 1.4]
effects = [{ term = "fabq", log_or = -0.4, per = 5, centre = 18 }]
earlier = [["partly", 1.5], ["fully", 2.28]]
"""


def declared():
    return TypeAdapter(RepeatedStatus).validate_python(tomllib.loads(DECLARED))


def covariates(n, seed=1):
    rng = np.random.default_rng(seed)
    fabq = rng.normal(20, 6, n)
    return {
        "arm": np.arange(n) % 2,
        "age": rng.normal(45, 9, n),
        "fabq": {wave: fabq + rng.normal(-place, 3, n) for place, wave in enumerate(("M0", "M3", "M6"))},
    }


def long_frame(drawn, given):
    frame = drawn.frame()
    person = frame["person"].to_numpy() - drawn.persons[0]
    frame["arm"], frame["age"] = given["arm"][person], given["age"][person]
    wave = frame["wave"].cat.codes.to_numpy()
    frame["fabq"] = np.column_stack([given["fabq"][w] for w in ("M0", "M3", "M6")])[person, np.minimum(wave, 2)]
    return frame


@pytest.mark.parametrize("h", [-2.5, -0.3, 0.0, 1.1])
@pytest.mark.parametrize("k", [-1.2, 0.0, 2.0])
@pytest.mark.parametrize("correlation", [-0.99, -0.4, 0.0, 0.3, 0.85, 0.995])
def test_bivariate_normal_against_scipy(h, k, correlation):
    reference = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], allow_singular=True)
    assert both_below(h, k, correlation) == pytest.approx(float(reference.cdf([h, k])), abs=2e-6)


@pytest.mark.parametrize("correlation", [-0.9, 0.2, 0.95])
def test_bivariate_normal_at_the_medians(correlation):
    """Sheppard: P(both below the median) = 1/4 + arcsin(r) / (2 pi)."""
    assert both_below(0.0, 0.0, correlation) == pytest.approx(0.25 + np.arcsin(correlation) / (2 * np.pi), abs=1e-13)


def test_links_against_scipy():
    x = np.linspace(-6, 4, 41)
    for link, inverse in (("logit", expit), ("probit", ndtr), ("cloglog", lambda v: -np.expm1(-np.exp(v)))):
        np.testing.assert_allclose(inverse_link(link, x), inverse(x), atol=1e-14)
        assert link_of(link, float(inverse(0.7))) == pytest.approx(0.7, abs=1e-12)


def test_cholesky_against_numpy():
    matrix = np.array([[1, 0.5, 0.2], [0.5, 1, 0.4], [0.2, 0.4, 1]])
    np.testing.assert_allclose(cholesky(matrix), np.linalg.cholesky(matrix), atol=1e-15)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_margins_are_the_model_at_every_profile(link):
    """Counts of levels at four profiles against the model's probabilities, cell by cell."""
    n = 40_000
    profile = np.arange(n) % 4
    eta = np.array([[0.0, 0.5, -1.0], [0.7, -0.2, 0.3], [-1.5, 0.0, 1.0], [2.0, 2.0, -2.0]])[profile]
    cut = np.array([[-0.8, 0.4, 1.5], [-1.0, 0.0, 1.0], [-0.2, 0.1, 0.9]])
    level = draw_ordered_repeated(np.arange(n), eta, cut, association=Association(value=0.6), seed=5, link=link)
    inverse = {"logit": expit, "probit": ndtr, "cloglog": lambda v: -np.expm1(-np.exp(v))}[link]
    distance = []
    for group in range(4):
        for wave in range(3):
            at = profile == group
            below = np.concatenate([[0.0], inverse(cut[wave] - eta[at][0, wave]), [1.0]])
            share = np.diff(below)
            seen = np.bincount(level[at, wave], minlength=4)
            distance += ((seen - at.sum() * share) / np.sqrt(at.sum() * share * (1 - share))).tolist()
    assert np.abs(distance).max() < 3.5  # 48 cells
    assert np.mean(np.square(distance)) < 1.6


def test_joint_table_is_the_copula():
    """P(Y1 <= a, Y2 <= b) against the bivariate normal rectangle, all cells."""
    n = 60_000
    cut, rho = np.array([-0.7, 0.6]), 0.55
    level = draw_ordered_repeated(
        np.arange(n), np.tile([0.3, -0.4], (n, 1)), cut, association=Association(value=rho), seed=9
    )
    for a in range(2):
        for b in range(2):
            h, k = ndtri(expit(cut[a] - 0.3)), ndtri(expit(cut[b] + 0.4))
            expected = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([h, k])
            seen = ((level[:, 0] <= a) & (level[:, 1] <= b)).mean()
            assert abs(seen - expected) < 3.5 * np.sqrt(expected * (1 - expected) / n)


@pytest.mark.parametrize(("scale", "value", "which"), [("global_or", 6.0, 0), ("correlation", 0.3, 1)])
def test_association_target_is_met_in_every_pair(scale, value, which):
    below = np.array([[0.5, 0.8], [0.4, 0.7], [0.3, 0.6]])
    matrix = latent_correlation(Association(scale=scale, value=value, cut=1), below)
    for s, t in combinations(range(3), 2):
        assert achieved(matrix[s, t], below[s, 0], below[t, 0])[which] == pytest.approx(value, rel=1e-9)
    assert matrix[0, 1] != matrix[0, 2]


def test_association_target_is_met_by_the_draws():
    n = 200_000
    below = np.array([0.45, 0.3])
    cut = np.log(below / (1 - below))[:, None]
    level = draw_ordered_repeated(
        np.arange(n), np.zeros((n, 2)), cut, association=Association(scale="global_or", value=6.0), seed=3
    )
    table = np.array([[((level[:, 0] == a) & (level[:, 1] == b)).sum() for b in (0, 1)] for a in (0, 1)])
    log_or = np.log(table[0, 0] * table[1, 1] / table[0, 1] / table[1, 0])
    assert abs(log_or - np.log(6.0)) < 3 * np.sqrt((1 / table).sum())


def test_structures():
    below = np.full((3, 1), 0.5)
    np.testing.assert_allclose(
        latent_correlation(Association(structure="ar1", value=0.6), below),
        [[1, 0.6, 0.36], [0.6, 1, 0.6], [0.36, 0.6, 1]],
    )
    np.testing.assert_allclose(
        latent_correlation(Association(structure="unstructured", value=(0.5, 0.3, 0.4)), below),
        [[1, 0.5, 0.3], [0.5, 1, 0.4], [0.3, 0.4, 1]],
    )
    solved = latent_correlation(Association(structure="ar1", scale="correlation", value=0.4), below)
    assert solved[0, 1] == pytest.approx(np.sin(np.pi / 2 * 0.4), abs=1e-11)  # Sheppard, at the medians
    assert solved[0, 2] == pytest.approx(solved[0, 1] ** 2)


def test_thresholds_from_shares():
    np.testing.assert_allclose(thresholds_for([0.2, 0.3, 0.5]), [np.log(0.25), 0.0], atol=1e-11)
    eta = np.random.default_rng(2).normal(0.5, 1.5, 500)
    cut = thresholds_for([57, 25, 18], eta)
    np.testing.assert_allclose([expit(c - eta).mean() for c in cut], [0.57, 0.82], atol=1e-11)


def test_partitions_and_order_do_not_matter():
    status, given = declared(), covariates(400)
    whole = draw_status(status, np.arange(400), given, seed=7).codes
    place = np.random.default_rng(0).permutation(400)[:150]
    part_given = {
        name: {w: v[place] for w, v in values.items()} if isinstance(values, dict) else values[place]
        for name, values in given.items()
    }
    part = draw_status(status, place, part_given, seed=7).codes
    np.testing.assert_array_equal(part, whole[place])
    assert (draw_status(status, np.arange(400), given, seed=8).codes != whole).any()


@pytest.mark.parametrize("working", ["independence", "exchangeable", "global_odds_ratio"])
def test_gee_on_the_whole_distribution_is_exact(working):
    """Every profile with every pair of levels, weighted by its probability: the estimates are the set values."""
    cut, truth, rho = np.array([-0.4, 0.9]), np.array([0.6, -0.4]), 0.6
    profiles = [(arm, first, second) for arm in (0, 1) for first in (-1.0, 1.0) for second in (-1.0, 0.5)]
    X, y, weights = [], [], []
    for arm, *x in profiles:
        edges = [np.concatenate([[-8.0], ndtri(expit(cut - arm * truth[0] - v * truth[1])), [8.0]]) for v in x]
        joint = np.array(
            [[multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([h, k]) for k in edges[1]] for h in edges[0]]
        )
        share = np.diff(np.diff(joint, axis=0), axis=1)
        for a in range(3):
            for b in range(3):
                X += [[arm, x[0]], [arm, x[1]]]
                y += [a, b]
                weights += [share[a, b]] * 2
    person = np.repeat(np.arange(len(y) // 2), 2)
    fit = fit_ordinal_gee_arrays(
        np.array(X), np.array(y), id=person, wave=np.tile([0, 1], len(y) // 2), association=working,
        weights=np.array(weights),
    ).tidy()  # fmt: skip
    np.testing.assert_allclose(fit["estimate"][:2], truth, atol=1e-5)


@pytest.mark.parametrize("association", ["independence", "global_odds_ratio"])
def test_gee_gives_the_set_odds_ratios(association):
    n = 6000
    given, base = covariates(n), declared()
    status = RepeatedStatus(
        waves=base.waves, levels=base.levels, thresholds=((-0.3, 0.9),), wave_log_or=(0.0, 0.4, 0.7),
        effects=base.effects, association=base.association,
    )  # fmt: skip
    frame = long_frame(draw_status(status, np.arange(n), given, seed=11), given)
    fit = fit_ordinal_gee(
        frame, "status ~ C(wave) + arm + age + fabq", id="person", wave="wave", association=association
    ).tidy()
    rows = fit[~fit["term"].str.contains("\\|")]
    found = dict(zip(rows["term"], zip(rows["estimate"], rows["std_error"], strict=True), strict=True))
    true = {"arm": 0.6, "age": -0.05, "fabq": -0.07} | {f"wave: {w}": b for w, b in (("M3", 0.4), ("M6", 0.7))}
    for term, value in true.items():
        estimate, error = found[term]
        assert abs(estimate - value) < 3 * error, term
        assert error < 0.1


def test_later_wave_gives_its_ordinal_regression_back():
    n = 20_000
    given = covariates(n)
    drawn = draw_status(declared(), np.arange(n), given, seed=4)
    codes = drawn.codes
    frame = pd.DataFrame(
        {
            "y": codes[:, 3],
            "partly": codes[:, 2] == 1,
            "fully": codes[:, 2] == 2,
            "fabq": (given["fabq"]["M6"] - 18) / 5,
        }
    ).astype(float)
    frame["y"] = frame["y"].astype(int)
    fit = fit_ordinal(frame, "y ~ partly + fully + fabq").tidy().set_index("term")
    for term, value in {"partly": 1.5, "fully": 2.28, "fabq": -0.4}.items():
        assert abs(fit.loc[term, "estimate"] - value) < 3 * fit.loc[term, "std_error"]


def test_truth_names_every_effect():
    truth = draw_status(declared(), np.arange(3), covariates(3), seed=1).truth
    at = truth.set_index(["outcome", "term"])["value"]
    assert at["status", "age/10"] == -0.5
    assert at["status@M12", "fabq@M6/5"] == -0.4
    assert at["status@M12", "status@M6[fully]"] == 2.28
    assert at["status@M3", "threshold[not]"] == -0.1
    assert set(truth["holds"]) == {"marginal", "conditional", "parameter"}


def test_effect_at_some_waves_and_of_one_wave():
    status = RepeatedStatus(
        waves=("a", "b"), levels=("no", "yes"), shares=((0.5, 0.5),), association=Association(value=0.0),
        effects=(StatusEffect(term="x", log_or=2.0, waves=("b",), value_at="a"),),
    )  # fmt: skip
    n = 20_000
    x = np.arange(n) % 2
    codes = draw_status(status, np.arange(n), {"x": {"a": x, "b": 1 - x}}, seed=1).codes
    at = [[codes[x == group, wave].mean() for wave in (0, 1)] for group in (0, 1)]
    np.testing.assert_allclose(at, [[0.5, 0.5], [0.5, expit(2.0)]], atol=0.015)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"thresholds": ((1.0, 0.5),)}, "must increase"),
        ({"thresholds": ((0.5,),)}, "3 levels need 2 thresholds"),
        ({"thresholds": ()}, "one of the two"),
        ({"thresholds": ((0.0, 1.0), (0.0, 1.0))}, "one row or one a wave"),
        ({"thresholds": (), "shares": ((0.5, 0.3, 0.3),)}, "add up to 1"),
        ({"waves": ("M0", "M0", "M6")}, "each once"),
        ({"levels": ("not",)}, "at least 2 names"),
        ({"wave_log_or": (0.1, 0.2, 0.3)}, "the first 0"),
        ({"later": (LaterStatus(wave="M12", given="M9", thresholds=(0.0, 1.0)),)}, "given of 'M12'"),
        ({"later": (LaterStatus(wave="M12", given="M6", thresholds=(0.0, 1.0), earlier=(("part", 1.0),)),)}, "partly"),
        ({"effects": (StatusEffect(term="arm", log_or=1.0, waves=("M9",)),)}, "waves of 'arm'"),
        ({"link": "log"}, "status.link"),
    ],
)
def test_refused_declarations(change, words):
    good = {"waves": ("M0", "M3", "M6"), "levels": ("not", "partly", "fully"), "thresholds": ((0.0, 1.0),)}
    RepeatedStatus(**good)
    with pytest.raises(ArgumentError, match=words):
        RepeatedStatus(**(good | change))


@pytest.mark.parametrize(
    ("association", "words"),
    [
        (Association(value=-0.6), "not positive definite"),
        (Association(structure="unstructured", value=(0.9, -0.9, 0.9)), "not positive definite"),
        (Association(structure="unstructured", value=(0.9,)), "3 values"),
        (Association(scale="correlation", value=0.95, cut=2), "cannot be reached"),
        (Association(cut=3), "from 1 to 2"),
        (Association(at=(1.0,)), "one number a wave"),
    ],
)
def test_refused_associations(association, words):
    cut = np.array([[0.0, 1.0], [0.0, 0.1], [0.0, 3.0]])
    with pytest.raises(ArgumentError, match=words):
        draw_ordered_repeated(np.arange(4), np.zeros((4, 3)), cut, association=association, seed=1)


def test_refused_association_values():
    for bad in ({"value": 1.0}, {"value": (0.1, 0.2)}, {"scale": "global_or", "value": 0.0}, {"scale": "odds"}):
        with pytest.raises(ArgumentError, match=r"association\."):
            Association(**bad)


def test_refused_data():
    status, given = declared(), covariates(5)
    cases = [
        (np.arange(0), given, "at least one person"),
        (np.array([0, 1, 1, 2, 3]), given, "more than once"),
        (np.array([0.0, 1, 2, 3, 4]), given, "whole numbers"),
        (np.arange(5), given | {"age": np.array([1, 2, np.nan, 4, 5])}, "1 of 5 values are not"),
        (np.arange(5), given | {"age": np.full(5, "old")}, "must hold numbers"),
        (np.arange(5), given | {"age": np.arange(4)}, r"shape \(5,\)"),
        (np.arange(5), {k: v for k, v in given.items() if k != "age"} | {"ages": 1.0}, "Did you mean 'ages'"),
        (np.arange(5), given | {"fabq": {"M0": np.zeros(5), "M3": np.zeros(5)}}, "no wave 'M6'"),
    ]
    for persons, values, words in cases:
        with pytest.raises(ArgumentError, match=words):
            draw_status(status, persons, values, seed=1)


def test_one_wave_one_person():
    status = RepeatedStatus(waves=("M0",), levels=("no", "yes"), thresholds=((0.0,),))
    drawn = draw_status(status, np.array([3]), {}, seed=1)
    assert drawn.codes.shape == (1, 1)
    assert drawn.frame().columns.tolist() == ["person", "wave", "status"]
