"""The score test of proportional odds, for any link, and the likelihood-ratio test beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.core.wald import WaldTest, chi_square_p
from rtwcohort.errors import ArgumentError, ConvergenceError, DesignError
from rtwcohort.models.links import LINKS, category_probabilities
from rtwcohort.models.ordinal_brant import check_fit, tests_table
from rtwcohort.models.ordinal_free_form import free_form_map
from rtwcohort.models.ordinal_likelihood import OrdinalData, OrdinalLikelihood
from rtwcohort.models.ordinal_maximum import maximise_ordinal
from rtwcohort.models.ordinal_nonparallel_kernel import NonparallelPieces, nonparallel_pieces
from rtwcohort.models.ordinal_result import OrdinalFit

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer]
ScoreVariance = Literal["model", "robust", "cluster"]
Information = Literal["expected", "observed"]
_SINGULAR: Final = 1e-10


@dataclass(frozen=True, slots=True)
class ParallelTest:
    """Tests that a term acts alike at every threshold.

    Attributes
    ----------
    tests
        "all" for every term together, then each term.
    method
        "score" or "likelihood ratio".
    information, variance
        What the score test used; "" for the likelihood-ratio test.
    link
        Of the model.
    n
        Rows used.
    """

    tests: Mapping[str, WaldTest]
    method: str
    information: str
    variance: str
    link: str
    n: int

    @property
    def statistic(self) -> float:
        """Chi-square of all terms together."""
        return self.tests["all"].statistic

    @property
    def df(self) -> int:
        """Degrees of freedom of `statistic`."""
        return self.tests["all"].df

    @property
    def p_value(self) -> float:
        """Upper tail of chi-square at `statistic`."""
        return self.tests["all"].p_value

    def tidy(self) -> pd.DataFrame:
        """Return `term, df, statistic, p_value`: all terms together first, then each term."""
        return tests_table(self.tests)

    def describe_choices(self) -> str:
        """Return in words what was tested and how."""
        if self.method != "score":
            return (
                f"Likelihood-ratio test of equal effects at every threshold ({self.link} link): the model against the "
                "one in which the term has its own effect at each threshold."
            )
        sandwich = {
            "model": "",
            "robust": " The variance of the score is a sum of squares over rows (generalised score test).",
            "cluster": " The variance of the score is a sum of squares over clusters (generalised score test).",
        }
        return (
            f"Score test of equal effects at every threshold ({self.link} link) at the fitted model, with the "
            f"{self.information} information.{sandwich[self.variance]}{self._missing()}"
        )

    def _missing(self) -> str:
        if all(np.isfinite(test.statistic) for test in self.tests.values()):
            return ""
        if self.variance != "model":
            return " Where the statistic is NaN there are fewer rows or clusters than effects set free."
        return (
            f" Where the statistic is NaN the {self.information} information is not positive definite at the fit: use "
            "information='expected', or merge sparse categories."
        )


def score_tests_of(
    pieces: NonparallelPieces,
    own: npt.NDArray[np.bool_],
    groups: Mapping[str, slice],
    *,
    observed: bool = False,
) -> dict[str, WaldTest]:
    """Test terms from the pieces of the model without any restriction.

    Parameters
    ----------
    pieces
        At the restricted fit.
    own
        Which of the p columns have their own effect at every threshold already, shape (p,).
    groups
        Term -> slice of its columns. Columns in `own` are not tested.
    observed
        Whether the information is the observed one, which may be singular where categories are sparse: the generalised
        inverse is then taken, as SAS does, and the degrees of freedom stay.

    Notes
    -----
    With L the restrictions of the fit and E the directions set free, the score is E'U - C L'U with C = I_EL I_LL^-1,
    and its variance I_EE - C I_LE, or (E - LC')' B (E - LC') with the outer products B for the generalised test [1]_.

    References
    ----------
    .. [1] Boos DD. On generalized score tests. The American Statistician 1992;46:327-333.
    """
    q = own.size + 1
    cuts = pieces.score.size // q
    fitted = _restrictions(own, cuts)
    whole = pieces.information
    inner = fitted.T @ whole @ fitted
    tests = {}
    for name, part in {"all": slice(0, own.size), **groups}.items():
        columns = [column for column in range(own.size)[part] if not own[column]]
        if not columns:
            continue
        free = np.zeros((cuts * q, (cuts - 1) * len(columns)))
        for place, (cut, column) in enumerate((cut, column) for cut in range(1, cuts) for column in columns):
            free[cut * q + 1 + column, place] = 1.0
        across = fitted.T @ whole @ free
        basis = free - fitted @ _solve(inner, across)
        variance = basis.T @ (whole if pieces.meat is None else pieces.meat) @ basis
        tests[name] = _quadratic(basis.T @ pieces.score, variance, observed)
    return tests


def parallel_score_test(
    fit: OrdinalFit, *, information: Information | None = None, variance: ScoreVariance | None = None
) -> ParallelTest:
    """Test, at the fitted model, whether letting effects differ between thresholds would raise the likelihood.

    Parameters
    ----------
    fit
        From `fit_ordinal`, any link. Terms that have nominal effects already are not tested.
    information
        "expected" (positive definite whatever the data) or "observed" (which gives the figures of SAS PROC LOGISTIC);
        None for "observed" when the fit has compat="sas" and else "expected".
    variance
        "model"; "robust" or "cluster" for the generalised score test; None for that of the fit.

    Raises
    ------
    DesignError
        For two categories, or no term left to test.
    ConvergenceError
        When an estimate of the fit is infinite.
    ArgumentError
        For a variance that the weights or clusters of the fit do not allow.

    Notes
    -----
    The model set free is link(P(Y <= j)) = threshold_j - x'b_j. Its score U and information I at the fit give U'I^-1 U,
    chi-square with (k - 2) x columns degrees of freedom [1]_. With one term at a time only that term is set free.
    The test is liberal where cells are few.

    References
    ----------
    .. [1] Peterson B, Harrell FE. Partial proportional odds models for ordinal response variables. Applied Statistics
       1990;39:205-217.
    """
    chosen = check_fit(fit, variance)
    information = information or ("observed" if fit.choices.compat == "sas" else "expected")
    check_choice(information, ("expected", "observed"), argument="information")
    own = _own_columns(fit)
    if not fit.converged:
        raise ConvergenceError(
            "An estimate of the model is infinite, so there is no point at which to take the score. Leave out or merge "
            "what separates the data first."
        )
    pieces = _pieces_at(fit, information, chosen)
    tests = score_tests_of(pieces, own, _groups(fit), observed=information == "observed")
    return ParallelTest(tests, "score", information, chosen, fit.link, len(fit.data.codes))


def parallel_lr_test(fit: OrdinalFit) -> ParallelTest:
    """Refit with nominal effects of each term, and of all, and compare the likelihoods.

    Parameters
    ----------
    fit
        From `fit_ordinal`, any link. Terms that have nominal effects already are not tested.

    Raises
    ------
    DesignError
        For two categories, or no term left to test.
    ArgumentError
        With sampling weights or clusters, where the likelihood has no chi-square: use `parallel_score_test`.

    Notes
    -----
    As R's `ordinal::nominal_test`, which tests term by term. A larger model whose maximum is not reached (sparse
    categories, cumulative probabilities that would cross) gives NaN.
    """
    own = _own_columns(fit)
    if fit.choices.variance == "cluster" or fit.choices.weight_type == "probability":
        raise ArgumentError(
            "With clusters or sampling weights twice the difference of the log-likelihoods is not chi-square: use "
            "`parallel_score_test`, which takes them into account."
        )
    tests = {}
    for name, part in {"all": slice(0, own.size), **_groups(fit)}.items():
        free = [column for column in range(own.size)[part] if not own[column]]
        if not free:
            continue
        nominal = tuple(sorted({*fit.data.nominal, *free}))
        ratio = 2.0 * (_loglik(replace(fit.data, nominal=nominal), fit) - fit.loglik)
        df = (fit.n_thresholds - 1) * len(free)
        tests[name] = WaldTest(ratio, df, chi_square_p(ratio, df))
    return ParallelTest(tests, "likelihood ratio", "", "model", fit.link, len(fit.data.codes))


def _loglik(data: OrdinalData, fit: OrdinalFit) -> float:
    likelihood = OrdinalLikelihood(data, fit.link)
    try:
        return maximise_ordinal(likelihood, fit.control).loglik
    except (ConvergenceError, DesignError):
        return np.nan
    finally:
        likelihood.close()


def _own_columns(fit: OrdinalFit) -> npt.NDArray[np.bool_]:
    """Return which columns have nominal effects, after checking that something is left to test."""
    if fit.n_thresholds < 2:
        raise DesignError("Parallel effects can be tested with at least 3 categories; the outcome has 2.")
    own = np.zeros(len(fit.data.names), dtype=np.bool_)
    own[list(fit.data.nominal)] = True
    if own.all():
        raise DesignError("No term is left whose effect is the same at every threshold: nothing to test.")
    return own


def _groups(fit: OrdinalFit) -> dict[str, slice]:
    if fit.design is not None:
        return dict(fit.design.groups)
    return {name: slice(place, place + 1) for place, name in enumerate(fit.data.names)}


def _pieces_at(fit: OrdinalFit, information: str, variance: str) -> NonparallelPieces:
    """Return score, information and outer products of the free model at the fit, in centred and scaled columns."""
    data, cuts = fit.data, fit.n_thresholds
    coef = (free_form_map(cuts, len(data.names), data.nominal) @ fit.estimates).reshape(cuts, -1)
    eta = coef[:, 0] - data.matrix @ coef[:, 1:].T
    if data.offset is not None:
        eta -= data.offset[:, None]
    link = LINKS[fit.link]
    Z = np.ones((len(eta), coef.shape[1]), order="F")
    centre, scale = data.matrix.mean(axis=0), data.matrix.std(axis=0)
    np.divide(centre - data.matrix, scale, out=Z[:, 1:])
    return nonparallel_pieces(
        Z,
        data.codes,
        np.ones(len(eta)) if data.weights is None else data.weights,
        category_probabilities(eta, np.zeros(len(eta)), fit.link),  # type: ignore[arg-type]
        link.density(eta),
        link.slope(eta) if information == "observed" else None,
        data.cluster if variance == "cluster" else None,
        meat=variance != "model",
    )


def _quadratic(score: Floats, variance: Floats, generalised: bool) -> WaldTest:
    """Return score' variance^-1 score; NaN where the variance is not positive (semi-)definite."""
    df = score.size
    diagonal = variance.diagonal()
    if not generalised and not (diagonal > 0.0).all():
        return WaldTest(np.nan, df, np.nan)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, directions = np.linalg.eigh(variance * scale * scale[:, None])
    kept = values > _SINGULAR * max(float(values[-1]), 0.0)
    if (values < -_SINGULAR * abs(values[-1])).any() or not kept.any() or not (generalised or kept.all()):
        return WaldTest(np.nan, df, np.nan)
    along = directions.T @ (score * scale)
    statistic = float(np.sum(along[kept] ** 2 / values[kept]))
    return WaldTest(statistic, df, chi_square_p(statistic, df))


def _restrictions(own: npt.NDArray[np.bool_], cuts: int) -> Floats:
    """Return the map from the fit's parameters to those of the model in which every effect is free."""
    q = own.size + 1
    columns = []
    for column in range(q):
        places = np.arange(cuts) * q + column
        if column == 0 or own[column - 1]:
            block = np.zeros((cuts * q, cuts))
            block[places, np.arange(cuts)] = 1.0
        else:
            block = np.zeros((cuts * q, 1))
            block[places] = 1.0
        columns.append(block)
    return np.hstack(columns)


def _solve(inner: Floats, across: Floats) -> Floats:
    """Solve with a unit diagonal, so that units do not matter."""
    scale = 1.0 / np.sqrt(inner.diagonal())
    return np.asarray(scale[:, None] * np.linalg.solve(inner * scale * scale[:, None], across * scale[:, None]))
