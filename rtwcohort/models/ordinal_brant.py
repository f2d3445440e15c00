"""Brant's test of proportional odds: whether the binary logits at each threshold are parallel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from rtwcohort.core.checks import check_choice
from rtwcohort.core.control import DEFAULT_CONTROL, Control
from rtwcohort.core.wald import WaldTest, wald_test
from rtwcohort.errors import ArgumentError, ConvergenceError, DesignError
from rtwcohort.models.newton import SingularInformationError, maximise
from rtwcohort.models.ordinal_result import OrdinalFit

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer]
BrantVariance = Literal["model", "robust", "cluster"]

_WAY_OUT: Final = (
    "Brant's test needs a finite logit at every threshold: use `parallel_score_test`, which needs none, or merge "
    "sparse categories."
)


@dataclass(frozen=True, slots=True)
class BrantTest:
    """Brant's Wald test that every threshold has the same coefficients.

    Attributes
    ----------
    terms
        Names of the columns, length p.
    groups
        Term -> slice of its columns.
    labels
        Categories from lowest to highest, length k.
    binary_coef
        Shape (k - 1, p + 1): the intercept and coefficients of the logit of P(Y > j) at each threshold j.
    binary_vcov
        Joint covariance of the rows of `binary_coef` laid one after the other, shape ((k - 1)(p + 1),) twice.
    variance
        "model" (Brant 1990), "robust" or "cluster" (a sandwich).
    n
        Rows used.
    """

    terms: tuple[str, ...]
    groups: Mapping[str, slice]
    labels: tuple[str, ...]
    binary_coef: Floats
    binary_vcov: Floats
    variance: str
    n: int

    @property
    def statistic(self) -> float:
        """Chi-square of all columns together."""
        return self._wald(slice(None)).statistic

    @property
    def df(self) -> int:
        """Degrees of freedom of `statistic`: (k - 2) p."""
        return self._wald(slice(None)).df

    @property
    def p_value(self) -> float:
        """Upper tail of chi-square at `statistic`."""
        return self._wald(slice(None)).p_value

    def tidy(self, by: Literal["term", "column"] = "term") -> pd.DataFrame:
        """Return `term, df, statistic, p_value`: all columns together first, then each term or each column.

        A statistic is NaN where the covariance is singular, as with fewer clusters than contrasts.
        """
        check_choice(by, ("term", "column"), argument="by")
        parts: dict[str, slice] = dict(self.groups)
        if by == "column":
            parts = {name: slice(place, place + 1) for place, name in enumerate(self.terms)}
        return tests_table({"all": self._wald(slice(None)), **{name: self._wald(part) for name, part in parts.items()}})

    def binary_fits(self) -> pd.DataFrame:
        """Return `threshold, term, estimate, std_error` of the logits of P(Y > j), which the test compares."""
        cuts, width = self.binary_coef.shape
        return pd.DataFrame(
            {
                "threshold": np.repeat([f"> {label}" for label in self.labels[:-1]], width),
                "term": ["(intercept)", *self.terms] * cuts,
                "estimate": self.binary_coef.ravel(),
                "std_error": np.sqrt(self.binary_vcov.diagonal()),
            }
        )

    def describe_choices(self) -> str:
        """Return in words which covariance the test used."""
        words = {
            "model": "the model-based joint covariance of Brant (1990)",
            "robust": "a sandwich covariance of the stacked logits",
            "cluster": "a sandwich covariance of the stacked logits with scores summed by cluster",
        }
        return (
            f"Brant test of proportional odds over {len(self.labels) - 1} binary logits of P(Y > j), with "
            f"{words[self.variance]}."
        )

    def _wald(self, columns: slice) -> WaldTest:
        cuts, width = self.binary_coef.shape
        places = np.arange(1, width)[columns]
        contrast = np.zeros(((cuts - 1) * places.size, cuts * width))
        for cut in range(1, cuts):
            rows = np.arange(places.size) + (cut - 1) * places.size
            contrast[rows, places] = 1.0
            contrast[rows, cut * width + places] = -1.0
        return wald_test(self.binary_coef.ravel(), self.binary_vcov, contrast)


def brant_test(fit: OrdinalFit, *, variance: BrantVariance | None = None) -> BrantTest:
    """Test proportional odds by comparing the binary logits at each threshold.

    Parameters
    ----------
    fit
        From `fit_ordinal` with the logit link and no nominal effects. Its rows, weights and clusters are used.
    variance
        "model", "robust" or "cluster"; None for that of the fit.

    Raises
    ------
    DesignError
        For another link, nominal effects, or two categories.
    ConvergenceError
        When a binary logit is separated, so that it has no finite estimate.
    ArgumentError
        For a variance that the weights or clusters of the fit do not allow.

    Notes
    -----
    See `brant_test_arrays` for the formulas. `parallel_score_test` tests the same for every link and without fitting
    the logits.
    """
    chosen = check_fit(fit, variance)
    if fit.link != "logit":
        raise DesignError(
            f"Brant's test is of the logit link; the model has the {fit.link} link. Use `parallel_score_test`."
        )
    if fit.data.nominal:
        raise DesignError(
            "The model has nominal effects, which are not proportional by construction. Use `parallel_score_test` for "
            "the other terms."
        )
    data = fit.data
    return brant_test_arrays(
        data.matrix,
        data.codes,
        weights=data.weights,
        cluster=data.cluster if chosen == "cluster" else None,
        offset=data.offset,
        variance=chosen,
        names=data.names,
        groups=None if fit.design is None else fit.design.groups,
        labels=data.labels,
        control=fit.control,
    )


def check_fit(fit: OrdinalFit, variance: str | None) -> BrantVariance:
    """Return the variance to use for a test of a fit, after checking that it may be used.

    Raises
    ------
    ArgumentError
        When it is none of the choices, has no clusters, or is "model" with sampling weights.
    """
    if not isinstance(fit, OrdinalFit):
        raise ArgumentError(f"`fit` must come from `fit_ordinal`; got {type(fit).__name__}.")
    chosen: BrantVariance = fit.choices.variance if variance is None else variance  # type: ignore[assignment]
    check_choice(chosen, ("model", "robust", "cluster"), argument="variance")
    if chosen == "cluster" and fit.data.cluster is None:
        raise ArgumentError("variance='cluster' needs clusters: fit the model with `cluster`.")
    if chosen == "model" and fit.choices.weight_type == "probability":
        raise ArgumentError("The model has sampling weights, which need variance='robust' (or 'cluster').")
    return chosen


def brant_test_arrays(
    X: Floats,
    y: Codes,
    *,
    weights: Floats | None = None,
    cluster: Codes | None = None,
    offset: Floats | None = None,
    variance: BrantVariance = "model",
    names: Sequence[str] | None = None,
    groups: Mapping[str, slice] | None = None,
    labels: Sequence[str] | None = None,
    control: Control | None = None,
) -> BrantTest:
    """Fit a binary logit at each threshold and test whether their slopes are equal.

    Parameters
    ----------
    X
        Shape (n, p), without an intercept.
    y
        Category codes 0 to k - 1, shape (n,), k of at least 3, none of them empty.
    weights
        Shape (n,). With `variance="model"` they count as numbers of rows; as sampling weights they need "robust".
    cluster
        Shape (n,): whole numbers from 0; for `variance="cluster"`.
    offset
        Shape (n,): a known part of the linear predictor x'b.
    variance
        "model": Brant's covariance; "robust" or "cluster": A^-1 B A^-1 of the stacked logits, without a small-sample
        factor.
    names, groups, labels
        For the tables: columns, terms and categories.

    Raises
    ------
    ArgumentError, DesignError
        For input that breaks its rule.
    ConvergenceError
        When a binary logit is separated, so that it has no finite estimate.

    Notes
    -----
    With z_j = 1 if Y > j, pi_j = P(Y > j) from its own logit and A_j = X'W diag(pi_j (1 - pi_j))X, the covariance of
    b_j and b_l for j < l is A_j^-1 X'W diag(pi_l (1 - pi_j)) X A_l^-1 [1]_. The statistic is D'(cov D)^-1 D with
    D = (b_1 - b_2, ..., b_1 - b_(k-1)).

    References
    ----------
    .. [1] Brant R. Assessing proportionality in the proportional odds model for ordinal logistic regression.
       Biometrics 1990;46:1171-1178.
    """
    matrix = np.asarray(X, dtype=np.float64)
    terms = tuple(names) if names is not None else tuple(f"x{place + 1}" for place in range(matrix.shape[1]))
    k = int(y.max()) + 1
    texts = tuple(labels) if labels is not None else tuple(str(code) for code in range(k))
    _check(y, k, cluster, variance)
    if not terms:
        raise DesignError("The model has no predictor: there is no effect to test.")
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    known = np.zeros(len(y)) if offset is None else np.asarray(offset, dtype=np.float64)
    centre = w @ matrix / w.sum()
    scale = np.sqrt(w @ (matrix - centre) ** 2 / w.sum())
    Z = np.empty((len(y), matrix.shape[1] + 1), order="F")
    Z[:, 0] = 1.0
    np.divide(matrix - centre, scale, out=Z[:, 1:])
    coefs, chances = [], []
    for cut in range(k - 1):
        where = f"the logit of Y > '{texts[cut]}'"
        coef = _fit_logit(Z, y > cut, w, known, control or DEFAULT_CONTROL, ("(intercept)", *terms), where)
        coefs.append(coef)
        chances.append(expit(Z @ coef + known))
    vcov = _joint_covariance(Z, y, w, chances, cluster, variance)
    back = np.diag(1.0 / np.concatenate([[1.0], scale]))
    back[0, 1:] = -centre / scale
    whole = np.kron(np.eye(k - 1), back)
    return BrantTest(
        terms=terms,
        groups=dict(groups) if groups is not None else {n: slice(i, i + 1) for i, n in enumerate(terms)},
        labels=texts,
        binary_coef=np.array(coefs) @ back.T,
        binary_vcov=whole @ vcov @ whole.T,
        variance=variance,
        n=len(y),
    )


def tests_table(tests: Mapping[str, WaldTest]) -> pd.DataFrame:
    """Return `term, df, statistic, p_value`, one row a test."""
    return pd.DataFrame(
        {
            "term": list(tests),
            "df": np.array([test.df for test in tests.values()], dtype=np.int64),
            "statistic": np.array([test.statistic for test in tests.values()], dtype=np.float64),
            "p_value": np.array([test.p_value for test in tests.values()], dtype=np.float64),
        }
    )


def _check(y: Codes, k: int, cluster: Codes | None, variance: str) -> None:
    check_choice(variance, ("model", "robust", "cluster"), argument="variance")
    if (variance == "cluster") != (cluster is not None):
        raise ArgumentError("`cluster` must be given with variance='cluster', and only with it.")
    if k < 3:
        raise DesignError(
            f"Proportional odds can be tested with at least 3 categories; the outcome has {k}, which is a binary "
            "logit with nothing to be proportional to."
        )
    empty = np.flatnonzero(np.bincount(y, minlength=k) == 0)
    if empty.size:
        raise DesignError(f"Category {int(empty[0])} of the outcome is empty: leave it out of the codes.")


def _fit_logit(
    Z: Floats, z: npt.NDArray[np.bool_], w: Floats, offset: Floats, control: Control, terms: Sequence[str], where: str
) -> Floats:
    """Return the coefficients of a weighted binary logit, or raise when it is separated."""
    sign = np.where(z, 1.0, -1.0)

    def evaluate(coef: Floats) -> tuple[float, Floats, Floats]:
        eta = Z @ coef + offset
        loglik = -float(w @ np.logaddexp(0.0, -sign * eta))
        rest = sign * expit(-sign * eta)
        return loglik, Z.T @ (w * rest), Z.T @ (Z * (w * expit(eta) * expit(-eta))[:, None])

    def reach(coef: Floats) -> float:
        return float(np.ptp(Z @ coef))

    start = np.zeros(Z.shape[1])
    share = float(w @ z / w.sum())
    start[0] = np.log(share / (1.0 - share))
    try:
        result = maximise(evaluate, start, control, reach=reach, accurate_tails=True)
    except SingularInformationError as error:
        raise ConvergenceError(
            f"The effect of '{terms[error.position]}' cannot be estimated in {where}. {_WAY_OUT}"
        ) from error
    except ConvergenceError as error:
        raise ConvergenceError(f"There is no finite estimate in {where}. {error} {_WAY_OUT}") from error
    if not np.isfinite(result.limit).all():
        lost = (np.flatnonzero(~np.isfinite(result.limit[1:])) + 1).tolist()
        listed = ", ".join(f"'{terms[place]}'" for place in lost) or "the intercept"
        raise ConvergenceError(f"The data are separated by {listed} in {where}. {_WAY_OUT}")
    return result.coef


def _joint_covariance(
    Z: Floats, y: Codes, w: Floats, chances: list[Floats], cluster: Codes | None, variance: str
) -> Floats:
    """Return the covariance of the stacked logits on the scale of `Z`."""
    cuts, width = len(chances), Z.shape[1]
    bread = [np.linalg.inv(Z.T @ (Z * (w * p * (1.0 - p))[:, None])) for p in chances]
    vcov = np.empty((cuts, width, cuts, width))
    meat = None if variance == "model" else _meat(Z, y, w, chances, cluster)
    for low in range(cuts):
        for high in range(low, cuts):
            if meat is None:
                inner = Z.T @ (Z * (w * chances[high] * (1.0 - chances[low]))[:, None])
            else:
                inner = meat[low, :, high, :]
            block = bread[low] @ inner @ bread[high]
            vcov[low, :, high, :] = block
            vcov[high, :, low, :] = block.T
    return vcov.reshape(cuts * width, cuts * width)


def _meat(Z: Floats, y: Codes, w: Floats, chances: list[Floats], cluster: Codes | None) -> Floats:
    """Return the sum over rows or clusters of the outer products of the stacked scores."""
    cuts, width = len(chances), Z.shape[1]
    rests = [w * ((y > cut) - chance) for cut, chance in enumerate(chances)]
    if cluster is None:
        meat = np.empty((cuts, width, cuts, width))
        for low in range(cuts):
            for high in range(cuts):
                meat[low, :, high, :] = Z.T @ (Z * (rests[low] * rests[high])[:, None])
        return meat
    n_clusters = int(cluster.max()) + 1
    sums = np.empty((n_clusters, cuts * width))
    for cut, rest in enumerate(rests):
        for column in range(width):
            sums[:, cut * width + column] = np.bincount(cluster, rest * Z[:, column], n_clusters)
    return (sums.T @ sums).reshape(cuts, width, cuts, width)
