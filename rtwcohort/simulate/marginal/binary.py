"""Binary outcomes whose risk ratio, odds ratio or risk difference is set, marginally or given covariates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate import draws
from rtwcohort.simulate.marginal.inputs import check_persons, check_values, check_whole
from rtwcohort.simulate.marginal.links import inverse_link, link_of
from rtwcohort.simulate.marginal.solving import bounded_exp, log_of, mean, root, rounded
from rtwcohort.simulate.marginal.truth import truth_frame
from rtwcohort.simulate.portable import Floats, Ints

Measure = Literal["rr", "or", "rd"]
Model = Literal["logistic", "log", "identity"]
MEASURES: Final = ("rr", "or", "rd")
MODELS: Final = ("logistic", "log", "identity")
_OWN: Final = {"logistic": "or", "log": "rr", "identity": "rd"}
_WORDS: Final = {"rr": "risk ratio", "or": "odds ratio", "rd": "risk difference"}


@dataclass(frozen=True, slots=True)
class BinaryModel:
    """A solved risk: g(risk) = intercept + linear predictor + coefficient * arm, with g of `model`.

    Attributes
    ----------
    model
        "logistic", "log" or "identity".
    intercept, coefficient
        12 significant digits.
    control_risk, treated_risk
        Average risks of everybody without and with the treatment.
    truth
        outcome, term, scale, value, holds.
    """

    model: Model
    intercept: float
    coefficient: float
    control_risk: float
    treated_risk: float
    truth: pd.DataFrame

    def risk(self, linear_predictor: Floats, arm: Ints) -> Floats:
        """Return each person's risk, shape (n,)."""
        return risk_of(self.model, self.intercept + linear_predictor + self.coefficient * arm)


@dataclass(frozen=True, slots=True)
class BinaryDraw:
    """Drawn outcomes (0 or 1), the risks they were drawn with, and the solved model with its truth."""

    persons: Ints
    outcome: Ints
    risk: Floats
    model: BinaryModel

    @property
    def truth(self) -> pd.DataFrame:
        """The true values."""
        return self.model.truth


def draw_binary(
    persons: npt.ArrayLike,
    arm: npt.ArrayLike,
    *,
    effect: float,
    measure: Measure,
    baseline: float,
    seed: int,
    linear_predictor: npt.ArrayLike = 0.0,
    holds: Literal["marginal", "conditional"] = "marginal",
    baseline_of: Literal["control", "overall"] = "control",
    model: Model = "logistic",
    purpose: str = "binary",
) -> BinaryDraw:
    """Draw a binary outcome with a set effect of the arm.

    Parameters
    ----------
    persons, arm
        Numbers of people, and 0 (control) or 1 (treated), shape (n,).
    effect, measure
        The effect on its own scale (risk ratio 1.3, risk difference 0.1) and "rr", "or" or "rd".
    baseline, baseline_of
        The average risk of everybody as "control", or of everybody as they are ("overall").
    seed, purpose
        A draw depends on these and the person, given the solved model.
    linear_predictor
        Of covariates without intercept and arm, on the scale of the model, shape (n,).
    holds
        "marginal": the standardised measure (everybody treated against nobody treated) is exactly `effect`, and the
        arm's coefficient is solved. "conditional": the effect is the same for everybody, which needs the model it
        belongs to: "or" logistic, "rr" log, "rd" identity.
    model
        How covariates act on the risk.

    Returns
    -------
    BinaryDraw

    Raises
    ------
    ArgumentError
        For risks outside 0 to 1, with the number of people and the way out.

    Notes
    -----
    The parameters are solved over the people given. To draw in parts, solve once (`solve_binary`) and give each part to
    `draw_outcome`.
    """
    number = check_persons(persons)
    group = _arm(arm, len(number))
    eta = check_values(linear_predictor, len(number), argument="linear_predictor")
    solved = solve_binary(
        group,
        effect=effect,
        measure=measure,
        baseline=baseline,
        linear_predictor=eta,
        holds=holds,
        baseline_of=baseline_of,
        model=model,
    )
    return draw_outcome(solved, number, group, eta, seed=seed, purpose=purpose)


def draw_outcome(
    model: BinaryModel,
    persons: npt.ArrayLike,
    arm: npt.ArrayLike,
    linear_predictor: npt.ArrayLike = 0.0,
    *,
    seed: int,
    purpose: str = "binary",
) -> BinaryDraw:
    """Draw the outcome of some people by a solved model."""
    number = check_persons(persons)
    eta = check_values(linear_predictor, len(number), argument="linear_predictor")
    risk = model.risk(eta, _arm(arm, len(number)))
    _check_inside(risk, model.model, "with the arm they are in")
    outcome = (draws.uniform(draws.key(seed, purpose), number) < risk).astype(np.int64)
    return BinaryDraw(number, outcome, risk, model)


def solve_binary(
    arm: npt.ArrayLike,
    *,
    effect: float,
    measure: Measure,
    baseline: float,
    linear_predictor: npt.ArrayLike = 0.0,
    holds: Literal["marginal", "conditional"] = "marginal",
    baseline_of: Literal["control", "overall"] = "control",
    model: Model = "logistic",
) -> BinaryModel:
    """Solve intercept and arm coefficient; see `draw_binary`."""
    group = _arm(arm, np.asarray(arm).size)
    eta = check_values(linear_predictor, len(group), argument="linear_predictor")
    _check_choices(effect, measure, baseline, holds, baseline_of, model)
    if holds == "conditional":
        coefficient = effect if measure == "rd" else log_of(effect)
        moved = coefficient * group if baseline_of == "overall" else np.zeros(len(group))
        intercept = _intercept(model, eta + moved, baseline)
    else:
        control = baseline if baseline_of == "control" else _control_risk(model, eta, group, effect, measure, baseline)
        treated = _treated(control, effect, measure)
        intercept = _intercept(model, eta, control)
        coefficient = _intercept(model, eta, treated) - intercept
    intercept, coefficient = rounded(intercept), rounded(coefficient)
    without, treatment = risk_of(model, intercept + eta), risk_of(model, intercept + eta + coefficient)
    _check_inside(without, model, "without treatment")
    _check_inside(treatment, model, "with treatment")
    risks = mean(without), mean(treatment)
    return BinaryModel(model, intercept, coefficient, *risks, truth=_truth(model, coefficient, risks))


def risk_of(model: Model, x: Floats) -> Floats:
    """Return the risk whose link is x; not kept within 0 to 1 for "log" and "identity"."""
    if model == "logistic":
        return inverse_link("logit", x)
    return bounded_exp(x) if model == "log" else np.asarray(x, dtype=np.float64)


def measures(control: float, treated: float) -> dict[str, float]:
    """Return risk ratio, odds ratio and risk difference of two risks strictly between 0 and 1."""
    odds = treated / (1.0 - treated) / (control / (1.0 - control))
    return {"rr": treated / control, "or": odds, "rd": treated - control}


def treated_risk(control: float, effect: float, measure: Measure) -> float:
    """Return the risk that the effect makes of the control risk; an error where it is not between 0 and 1."""
    _check_effect(effect, measure, control)
    return _treated(control, effect, measure)


def _treated(control: float, effect: float, measure: Measure) -> float:
    if measure == "or":
        odds = effect * control / (1.0 - control)
        return odds / (1.0 + odds)
    treated = control * effect if measure == "rr" else control + effect
    if not 0.0 < treated < 1.0:
        low, high = (0.0, 1.0 / control) if measure == "rr" else (-control, 1.0 - control)
        raise ArgumentError(
            f"a {_WORDS[measure]} of {effect:g} makes {treated:.3g} of the control risk {control:g}, which is no risk. "
            f"Take an effect between {low:.4g} and {high:.4g}, another `baseline`, or the measure 'or'."
        )
    return treated


def _control_risk(model: Model, eta: Floats, arm: Ints, effect: float, measure: Measure, overall: float) -> float:
    """Solve the control risk under which everybody, as they are, has the overall risk."""
    low, high = {
        "rr": (0.0, min(1.0, 1.0 / effect)),
        "or": (0.0, 1.0),
        "rd": (max(0.0, -effect), min(1.0, 1.0 - effect)),
    }[measure]
    edge = 1e-9 * (high - low)

    def off(control: float) -> float:
        intercept = _intercept(model, eta, control)
        coefficient = _intercept(model, eta, _treated(control, effect, measure)) - intercept
        return mean(risk_of(model, intercept + eta + coefficient * arm)) - overall

    if not off(low + edge) <= 0.0 <= off(high - edge):
        raise ArgumentError(
            f"`baseline` = {overall:g} overall and a {_WORDS[measure]} of {effect:g} cannot both hold: overall risks "
            f"from {off(low + edge) + overall:.3g} to {off(high - edge) + overall:.3g} are possible."
        )
    return root(off, low + edge, high - edge)


def _intercept(model: Model, eta: Floats, risk: float) -> float:
    """Return the intercept under which the average risk is `risk`."""
    if model == "identity":
        return risk - mean(eta)
    if model == "log":
        return log_of(risk / mean(bounded_exp(eta)))
    start = link_of("logit", risk)

    def off(intercept: float) -> float:
        return mean(inverse_link("logit", intercept + eta)) - risk

    return root(off, start - float(eta.max()) - 1e-9, start - float(eta.min()) + 1e-9)


def _truth(model: Model, coefficient: float, risks: tuple[float, float]) -> pd.DataFrame:
    rows = [("binary", "arm", scale, value, "marginal") for scale, value in measures(*risks).items()]
    conditional = {"logistic": "log_or", "log": "log_rr", "identity": "rd"}[model]
    rows.append(("binary", "arm", conditional, coefficient, "conditional"))
    rows += [
        ("binary", name, "risk", value, "marginal") for name, value in zip(("control", "treated"), risks, strict=True)
    ]
    return truth_frame(rows)


def _arm(arm: npt.ArrayLike, n: int) -> Ints:
    group = check_whole(arm, n, argument="arm")
    if not n:
        raise ArgumentError("`arm` must hold at least one person; got none.")
    if group.max() > 1:
        raise ArgumentError(f"`arm` must be 0 (control) or 1 (treated); got up to {group.max()}.")
    return group


def _check_choices(
    effect: float, measure: Measure, baseline: float, holds: str, baseline_of: str, model: Model
) -> None:
    check_choice(holds, ("marginal", "conditional"), argument="holds")
    check_choice(baseline_of, ("control", "overall"), argument="baseline_of")
    check_choice(model, MODELS, argument="model")
    _check_effect(effect, measure, baseline)
    if holds == "conditional" and _OWN[model] != measure:
        fitting = next(name for name, own in _OWN.items() if own == measure)
        raise ArgumentError(
            f"a conditional {_WORDS[measure]} is the same for everybody only under `model` '{fitting}'; got '{model}'. "
            f"Take that model, or `holds` 'marginal'."
        )


def _check_effect(effect: float, measure: Measure, baseline: float) -> None:
    check_choice(measure, MEASURES, argument="measure")
    least, most = (-1.0, 1.0) if measure == "rd" else (1e-9, 1e9)
    check_number(effect, argument="effect", least=least, most=most)
    check_number(baseline, argument="baseline", least=1e-9, most=1.0 - 1e-9)


def _check_inside(risk: Floats, model: Model, when: str) -> None:
    outside = int(np.count_nonzero((risk < 0.0) | (risk > 1.0)))
    if outside:
        raise ArgumentError(
            f"{outside} of {len(risk)} people would have a risk outside 0 to 1 {when} (from {risk.min():.3g} to "
            f"{risk.max():.3g}) under `model` '{model}'. Take the model 'logistic' with a marginal effect, a lower "
            "`baseline` or a narrower linear predictor."
        )
