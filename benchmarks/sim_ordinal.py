"""Scenarios for cumulative link regression at 200 people, and for ordinal GEE at 40 people with 3 waves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logit, ndtr, ndtri
from sim_core import FEW_CLUSTERS, Scenario, attempt, between, coverage, covers, rejects, size

from rtwcohort.core.wald import chi_square_p, two_sided_p
from rtwcohort.models.ordinal import fit_ordinal_arrays
from rtwcohort.models.ordinal_brant import brant_test
from rtwcohort.models.ordinal_gee import fit_ordinal_gee_arrays
from rtwcohort.models.ordinal_score_test import parallel_lr_test, parallel_score_test

Floats = npt.NDArray[np.float64]
Outcomes = Mapping[str, bool | None]
N = 200
THRESHOLDS = np.array([-0.4, 0.9])
EFFECTS = np.array([0.5, -0.3])
INVERSE: dict[str, Any] = {"logit": logit, "probit": ndtri, "cloglog": lambda u: np.log(-np.log1p(-u))}
CORRECTIONS = {
    "none": "uncorrected, normal",
    "kauermann_carroll": "Kauermann-Carroll, t (recommended)",
    "mancl_derouen": "Mancl-DeRouen, t",
    "fay_graubard": "Fay-Graubard, t",
}
GEE_EFFECTS = np.array([0.5, 0.3, 0.3])


def status(u: Floats, eta: Floats, link: str = "logit") -> npt.NDArray[np.int64]:
    """Return the category of people with uniform numbers u: link(P(Y <= j)) = threshold_j - eta."""
    return np.searchsorted(THRESHOLDS, np.asarray(INVERSE[link](u)) + eta)


def _people(rng: np.random.Generator) -> Floats:
    return np.column_stack([rng.integers(0, 2, N).astype(np.float64), rng.normal(size=N)])


def _coverage(rng: np.random.Generator) -> Outcomes:
    X = _people(rng)
    y = status(rng.random(N), X @ EFFECTS)
    truth = np.concatenate([THRESHOLDS, EFFECTS])
    fits = {
        "observed": attempt(lambda: fit_ordinal_arrays(X, y)),
        "expected": attempt(lambda: fit_ordinal_arrays(X, y, information="expected")),
        "robust": attempt(lambda: fit_ordinal_arrays(X, y, robust=True)),
    }
    out: dict[str, bool | None] = {}
    for name, fit in fits.items():
        for place, term in ((2, "arm"), (3, "covariate"), (0, "threshold")):
            ok = fit is not None and fit.converged
            out[f"{name}_{term}"] = covers(fit.estimates[place], fit.std_error[place], truth[place]) if ok else None
    return out


def _other_link(link: str, rng: np.random.Generator) -> Outcomes:
    X = _people(rng)
    fit = attempt(lambda: fit_ordinal_arrays(X, status(rng.random(N), X @ EFFECTS, link), link=link))
    if fit is None or not fit.converged:
        return {}
    return {term: covers(fit.coef[j], fit.std_error[2 + j], EFFECTS[j]) for j, term in enumerate(("arm", "covariate"))}


def _size(rng: np.random.Generator) -> Outcomes:
    X = _people(rng)
    y = status(rng.random(N), np.zeros(N))
    fit = attempt(lambda: fit_ordinal_arrays(X, y))
    robust = attempt(lambda: fit_ordinal_arrays(X, y, robust=True))
    if fit is None or robust is None:
        return {}
    return {
        "wald": rejects(float(two_sided_p(fit.coef[0] / fit.std_error[2]))),
        "robust": rejects(float(two_sided_p(robust.coef[0] / robust.std_error[2]))),
        "lr": rejects(chi_square_p(max(2.0 * (fit.loglik - fit.loglik_null), 0.0), 2)),
    }


def _proportional(rng: np.random.Generator) -> Outcomes:
    X = _people(rng)
    fit = attempt(lambda: fit_ordinal_arrays(X, status(rng.random(N), X @ EFFECTS)))
    if fit is None:
        return {}
    tests = {
        "brant": lambda: brant_test(fit),
        "brant_robust": lambda: brant_test(fit, variance="robust"),
        "score": lambda: parallel_score_test(fit),
        "score_observed": lambda: parallel_score_test(fit, information="observed"),
        "score_robust": lambda: parallel_score_test(fit, variance="robust"),
        "lr": lambda: parallel_lr_test(fit),
    }
    made = {name: attempt(test) for name, test in tests.items()}
    return {name: None if test is None else rejects(test.p_value) for name, test in made.items()}


def waves(rng: np.random.Generator, effects: Floats, people: int) -> tuple[Floats, npt.NDArray[np.int64], Any, Any]:
    """Return arm, wave and covariate, status, person and wave: exact margins, a normal copula of correlation 0.5."""
    person, wave = np.repeat(np.arange(people), 3), np.tile(np.arange(3), people)
    arm = np.repeat(rng.permutation(np.arange(people) % 2), 3)
    X = np.column_stack([arm, wave, rng.normal(size=3 * people)]).astype(np.float64)
    shared = np.repeat(rng.normal(size=people), 3)
    u = ndtr(np.sqrt(0.5) * shared + np.sqrt(0.5) * rng.normal(size=3 * people))
    return X, status(u, X @ effects), person, wave


def _gee(association: str, rng: np.random.Generator) -> Outcomes:
    X, y, person, wave = waves(rng, GEE_EFFECTS, 40)
    out: dict[str, bool | None] = {}
    for correction in CORRECTIONS:
        fit = attempt(
            lambda how=correction: fit_ordinal_gee_arrays(
                X, y, id=person, wave=wave, association=association, correction=how
            )
        )
        if fit is None or not fit.converged:
            continue
        table = fit.tidy()
        for place, term in enumerate(("arm", "wave", "covariate")):
            truth = GEE_EFFECTS[place]
            out[f"{correction}_{term}"] = between(table["conf_low"][place], truth, table["conf_high"][place])
    return out


def _gee_size(rng: np.random.Generator) -> Outcomes:
    X, y, person, wave = waves(rng, np.array([0.0, 0.3, 0.3]), 40)
    out: dict[str, bool | None] = {}
    for correction in CORRECTIONS:
        fit = attempt(lambda how=correction: fit_ordinal_gee_arrays(X, y, id=person, wave=wave, correction=how))
        if fit is not None and fit.converged:
            out[correction] = rejects(float(fit.tidy()["p_value"][0]))
    return out


OBSERVED = (
    "The score test with the observed information is at 6.0 %, just above its bound; the expected information, the "
    "default, does not have this fault."
)
UNCORRECTED = (
    "With 40 clusters the uncorrected variance is too small: use a correction, as the warning of the fit says."
)
GEE_MEASURES = {
    f"{correction}_{term}": coverage(label, term, FEW_CLUSTERS)
    for correction, label in CORRECTIONS.items()
    for term in ("arm", "wave", "covariate")
}
ASSOCIATIONS = {"independence": 206, "exchangeable": 207, "global_odds_ratio": 208}
VARIANCES = {
    "observed": "model variance, observed information",
    "expected": "model variance, expected information",
    "robust": "robust variance",
}
SCENARIOS = (
    Scenario(
        "ordinal", "Ordinal regression, logit",
        "200 people, 3 categories (thresholds -0.4 and 0.9), an arm (effect 0.5) and a normal covariate (-0.3).", 201,
        {
            f"{name}_{term}": coverage(label, "first threshold" if term == "threshold" else term)
            for name, label in VARIANCES.items()
            for term in ("arm", "covariate", "threshold")
        },
        _coverage,
    ),
    *(
        Scenario(
            f"ordinal_{link}", f"Ordinal regression, {link}", "The same with that link.", seed,
            {term: coverage("model variance, observed information", term) for term in ("arm", "covariate")},
            partial(_other_link, link),
        )
        for link, seed in (("probit", 202), ("cloglog", 203))
    ),
    Scenario(
        "ordinal_size", "Ordinal regression, no effects", "The same (logit) with both effects 0.", 204,
        {
            "wald": size("Wald, model variance", "arm"),
            "robust": size("Wald, robust variance", "arm"),
            "lr": size("likelihood ratio", "both terms"),
        },
        _size,
    ),
    Scenario(
        "proportional_odds", "Tests of proportional odds",
        "The data of 'Ordinal regression, logit'; both terms together.", 205,
        {
            "brant": size("Brant", "2 d.f."),
            "brant_robust": size("Brant, robust variance", "2 d.f."),
            "score": size("score, expected information", "2 d.f."),
            "score_observed": size("score, observed information (SAS)", "2 d.f.", outside=OBSERVED),
            "score_robust": size("score, robust variance", "2 d.f."),
            "lr": size("likelihood ratio", "2 d.f."),
        },
        _proportional,
    ),
    *(
        Scenario(
            f"gee_{association}", f"Ordinal GEE, {association.replace('_', ' ')}",
            "40 people in two arms of 20, 3 waves, 3 categories; effects of the arm 0.5 (between people), wave 0.3 and "
            "a normal covariate 0.3 (within people); normal copula with correlation 0.5.", seed, GEE_MEASURES,
            partial(_gee, association),
        )
        for association, seed in ASSOCIATIONS.items()
    ),
    Scenario(
        "gee_size", "Ordinal GEE, no effect of the arm", "The same, independence; effect of the arm 0.", 209,
        {
            correction: size(label, "arm", outside=UNCORRECTED if correction == "none" else "")
            for correction, label in CORRECTIONS.items()
        },
        _gee_size,
    ),
)  # fmt: skip
