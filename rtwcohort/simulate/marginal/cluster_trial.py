"""Cluster-randomised trials with a set marginal effect and a set intracluster correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate import draws
from rtwcohort.simulate.marginal.baseline import Baseline, inverse_cumulative_hazard
from rtwcohort.simulate.marginal.binary import Measure, measures, treated_risk
from rtwcohort.simulate.marginal.gamma import beta_variable, gamma_variable
from rtwcohort.simulate.marginal.links import both_below, inverse_link
from rtwcohort.simulate.marginal.ordered import thresholds_for
from rtwcohort.simulate.marginal.randomise import Randomisation, randomise
from rtwcohort.simulate.marginal.solving import bounded_exp, rounded
from rtwcohort.simulate.marginal.truth import truth_frame
from rtwcohort.simulate.portable import Floats, Ints, log

IccScale = Literal["proportions", "latent"]
Rows = list[tuple[str, str, str, float, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryOutcome:
    """Yes or no: the control risk and the marginal effect, a risk ratio, odds ratio or risk difference."""

    control_risk: float
    effect: float
    measure: Measure = "rr"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousOutcome:
    """Normal: the control mean, the difference, and the standard deviation within an arm."""

    difference: float
    control_mean: float = 0.0
    sd: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedOutcome:
    """Ordered levels: their shares among controls (lowest first) and the marginal log odds ratio of a better level."""

    control_shares: tuple[float, ...]
    log_or: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOutcome:
    """Time to return: the control hazard, the marginal log hazard ratio, and the last day of follow-up."""

    baseline: Baseline
    log_hr: float
    administrative: float
    whole_days: bool = True


Outcome = BinaryOutcome | ContinuousOutcome | OrderedOutcome | TimeOutcome


@dataclass(frozen=True, slots=True)
class ClusterTrial:
    """A drawn trial.

    Attributes
    ----------
    frame
        One row a person: person, cluster, stratum, arm, and outcome (or time and event).
    clusters
        One row a cluster: cluster, stratum, arm, size.
    truth
        outcome, term, scale, value, holds.
    design_effect, planned_design_effect
        Variance of the effect against a trial without clusters, with the sizes drawn and with the mean and coefficient
        of variation asked for, with the correlation of the outcome (latent for ordered levels and times, where it is
        an upper bound for small correlations).
    effective_n
        People divided by the design effect.
    """

    frame: pd.DataFrame
    clusters: pd.DataFrame
    truth: pd.DataFrame
    design_effect: float
    planned_design_effect: float
    effective_n: float


def draw_cluster_trial(
    clusters: int,
    size: float,
    *,
    outcome: Outcome,
    icc: float,
    seed: int,
    icc_scale: IccScale | None = None,
    size_cv: float = 0.0,
    randomisation: Randomisation = "simple",
    strata: npt.ArrayLike | None = None,
    score: npt.ArrayLike | None = None,
    arms: tuple[str, str] = ("control", "treated"),
    purpose: str = "cluster_trial",
) -> ClusterTrial:
    """Draw a cluster-randomised trial.

    Parameters
    ----------
    clusters, size, size_cv
        Number of clusters, people a cluster, and the coefficient of variation of the sizes: 0 gives every cluster
        exactly `size`, otherwise sizes are gamma variables rounded to whole people, at least one.
    outcome
        What is measured, with its marginal effect.
    icc, icc_scale
        Correlation of two people of one cluster, given the arm. "proportions": of the outcomes 0 and 1 themselves,
        by a beta-binomial (binary only, and its default). "latent": of the normal variable behind the outcome, whose
        margin is kept exactly; for a continuous outcome that is the outcome itself.
    seed, purpose
        A draw depends on these, the cluster and the place within it.
    randomisation, strata, score
        See `randomise`; `score` is the size of the cluster where it is not given.
    arms
        Names of control and treated.

    Returns
    -------
    ClusterTrial

    Raises
    ------
    ArgumentError
        For sizes, correlations or outcomes that cannot be.

    Notes
    -----
    The effect is marginal: of a person of a randomly chosen cluster under one arm against the other. Design effect:
    1 + ((1 + cv**2) m - 1) ICC (Eldridge, Ashby and Kerry, International Journal of Epidemiology 35 (2006) 1292-1300).
    """
    scale = _check(clusters, size, size_cv, outcome, icc, icc_scale)
    number = np.arange(clusters, dtype=np.int64)
    sizes = _sizes(number, size, size_cv, seed, purpose)
    arm, stratum = randomise(
        number,
        randomisation=randomisation,
        seed=seed,
        strata=strata,
        score=sizes if score is None else score,
        purpose=f"{purpose}:arm",
    )
    cluster = np.repeat(number, sizes)
    starts = np.cumsum(sizes) - sizes
    place = np.arange(len(cluster)) - starts[cluster]
    if isinstance(outcome, BinaryOutcome) and scale == "proportions":
        drawn, rows, within = _proportions(outcome, icc, number, arm, cluster, place, seed, purpose)
    else:
        normal = _normal(icc, cluster, place, seed, purpose)
        drawn, rows, within = _from_normal(outcome, normal, arm[cluster], icc)
    labels = pd.Index(list(arms))
    frame = pd.DataFrame(
        {
            "person": np.arange(len(cluster)),
            "cluster": cluster,
            "stratum": stratum[cluster],
            "arm": pd.Categorical.from_codes(arm[cluster], categories=labels),
            **drawn,
        }
    )
    table = pd.DataFrame(
        {
            "cluster": number,
            "stratum": stratum,
            "arm": pd.Categorical.from_codes(arm, categories=labels),
            "size": sizes,
        }
    )
    people, squares = int(sizes.sum()), int((sizes * sizes).sum())
    effect = 1.0 + (squares / people - 1.0) * within
    rows.append(("trial", "icc", scale, float(icc), "parameter"))
    if scale == "latent":
        rows.append(("trial", "icc", "kendall_tau", rounded(2.0 / math.pi * math.asin(icc)), "parameter"))
    return ClusterTrial(
        frame=frame,
        clusters=table,
        truth=truth_frame(rows),
        design_effect=effect,
        planned_design_effect=1.0 + ((1.0 + size_cv * size_cv) * size - 1.0) * within,
        effective_n=people / effect,
    )


def binary_icc(risk: float, latent: float) -> float:
    """Return the correlation of two outcomes 0 and 1 of this risk whose normal variables have this correlation."""
    cut = float(draws.normal_quantile(np.asarray([risk]))[0])
    return (both_below(cut, cut, latent) - risk * risk) / (risk * (1.0 - risk))


def _sizes(clusters: Ints, size: float, size_cv: float, seed: int, purpose: str) -> Ints:
    drawn = gamma_variable(draws.key(seed, f"{purpose}:size"), clusters, size, (size * size_cv) ** 2)
    return np.maximum(np.rint(drawn), 1.0).astype(np.int64)


def _normal(icc: float, cluster: Ints, place: Ints, seed: int, purpose: str) -> Floats:
    shared = draws.normal(draws.key(seed, f"{purpose}:cluster"), cluster)
    own = draws.normal(draws.key(seed, f"{purpose}:person"), cluster, place)
    return math.sqrt(icc) * shared + math.sqrt(1.0 - icc) * own


def _proportions(
    outcome: BinaryOutcome, icc: float, number: Ints, arm: Ints, cluster: Ints, place: Ints, seed: int, purpose: str
) -> tuple[dict[str, Any], Rows, float]:
    risks = np.asarray(_risks(outcome))
    own = beta_variable(seed, f"{purpose}:risk", number, risks[arm], icc)
    yes = draws.uniform(draws.key(seed, f"{purpose}:person"), cluster, place) < own[cluster]
    return {"outcome": yes.astype(np.int64)}, _binary_truth(outcome), icc


def _from_normal(outcome: Outcome, normal: Floats, arm: Ints, icc: float) -> tuple[dict[str, Any], Rows, float]:
    if isinstance(outcome, BinaryOutcome):
        risks = _risks(outcome)
        # A high normal value is a yes: P(Z > -cut) = risk.
        cut = draws.normal_quantile(np.asarray(risks))
        rows = _binary_truth(outcome)
        each = [binary_icc(risk, icc) for risk in risks]
        rows += [
            ("trial", f"icc[{name}]", "proportions", value, "marginal")
            for name, value in zip(("control", "treated"), each, strict=True)
        ]
        return {"outcome": (normal > -cut[arm]).astype(np.int64)}, rows, each[0]
    if isinstance(outcome, ContinuousOutcome):
        value = outcome.control_mean + outcome.difference * arm + outcome.sd * normal
        return {"outcome": value}, [("trial", "arm", "difference", outcome.difference, "marginal")], icc
    share, treated = draws.normal_cdf(normal), arm.astype(np.float64)
    if isinstance(outcome, OrderedOutcome):
        level = np.zeros(len(arm), dtype=np.int64)
        for cut_point in thresholds_for(outcome.control_shares):
            level += share > inverse_link("logit", float(cut_point) - outcome.log_or * treated)
        return {"outcome": level}, [("trial", "arm", "log_or", outcome.log_or, "marginal")], icc
    # The upper share keeps its digits where times are short: -log S with S = 1 - share.
    hazard = -log(np.maximum(draws.normal_cdf(-normal), 1e-300)) * bounded_exp(-outcome.log_hr * treated)
    days = inverse_cumulative_hazard(outcome.baseline, np.maximum(hazard, 1e-300))
    event = days <= outcome.administrative
    days = np.where(event, days, outcome.administrative)
    days = np.maximum(np.ceil(days), 1.0) if outcome.whole_days else days
    rows = [("trial", "arm", "log_hr", outcome.log_hr, "marginal")]
    return {"time": days, "event": event.astype(np.int64)}, rows, icc


def _risks(outcome: BinaryOutcome) -> tuple[float, float]:
    return outcome.control_risk, rounded(treated_risk(outcome.control_risk, outcome.effect, outcome.measure))


def _binary_truth(outcome: BinaryOutcome) -> Rows:
    risks = _risks(outcome)
    rows: Rows = [("trial", "arm", scale, value, "marginal") for scale, value in measures(*risks).items()]
    return [
        *rows,
        ("trial", "control", "risk", risks[0], "marginal"),
        ("trial", "treated", "risk", risks[1], "marginal"),
    ]


def _check(
    clusters: int, size: float, size_cv: float, outcome: object, icc: float, icc_scale: IccScale | None
) -> IccScale:
    check_number(clusters, argument="clusters", least=2, most=10_000_000, whole=True)
    check_number(size_cv, argument="size_cv", least=0.0, most=5.0)
    check_number(size, argument="size", least=1, most=10_000_000, whole=size_cv == 0.0)
    check_number(icc, argument="icc", least=0.0, most=0.99)
    if not isinstance(outcome, BinaryOutcome | ContinuousOutcome | OrderedOutcome | TimeOutcome):
        raise ArgumentError(
            "`outcome` must be a BinaryOutcome, ContinuousOutcome, OrderedOutcome or TimeOutcome; "
            f"got {type(outcome).__name__}."
        )
    if isinstance(outcome, ContinuousOutcome):
        check_number(outcome.sd, argument="outcome.sd", least=1e-12)
    if isinstance(outcome, TimeOutcome):
        check_number(outcome.administrative, argument="outcome.administrative", least=1e-9, most=1e7)
    scale = icc_scale or ("proportions" if isinstance(outcome, BinaryOutcome) else "latent")
    check_choice(scale, ("proportions", "latent"), argument="icc_scale")
    if scale == "proportions" and not isinstance(outcome, BinaryOutcome):
        raise ArgumentError(
            f"`icc_scale` 'proportions' is for a BinaryOutcome; a {type(outcome).__name__} takes 'latent'."
        )
    return scale
