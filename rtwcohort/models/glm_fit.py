"""The result of the models that statsmodels fits: logistic, count and quantile regression, and binary or count GEE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.wald import WaldTest, chi_square_p, term_wald_tests, tidy_table, wald_test
from rtwcohort.design import DesignInfo
from rtwcohort.errors import ArgumentError

Floats = npt.NDArray[np.float64]
INTERCEPT = "(Intercept)"
_WALD_COLUMNS = ["std_error", "statistic", "p_value", "conf_low", "conf_high"]


@dataclass(frozen=True, slots=True)
class GlmFit:
    """A fitted generalised linear model, GEE or quantile regression.

    Attributes
    ----------
    model
        In words, such as "logistic regression".
    terms
        Names of the coefficients, "(Intercept)" first; length p.
    coef
        On the scale of the linear predictor, shape (p,).
    vcov
        Covariance of `coef`, shape (p, p), of the kind that `variance` names.
    model_vcov
        Covariance under the model, shape (p, p); equal to `vcov` when that is the one chosen.
    variance
        "model", "robust", "cluster", "mancl_derouen" or "bootstrap".
    limit
        Shape (p,): as `coef`, but plus or minus infinity where the estimate is infinite because the outcome is
        separated, and NaN where nothing is then left to estimate it by.
    loglik, loglik_null
        Log-likelihoods of the model and of the intercept alone; NaN where there is no likelihood (GEE).
    n
        Rows used; with frequency weights their sum.
    n_clusters
        0 without clusters.
    dispersion
        Scale of a GEE, dispersion alpha of a negative binomial (variance mu + alpha mu^2), else 1.
    association
        Working correlation of a GEE by pairs of waves, shape (T, T), or one common value, shape (1,); else None.
    df_t
        Degrees of freedom of the t distribution behind p-values and intervals; None for the normal distribution.
    iterations
        Of the fit.
    choices
        Sentences on what was chosen.
    outcome
        Labels that 0 and 1 stand for, of a binary model.
    design
        Formula, term groups, reference levels and missing counts.
    """

    model: str
    terms: tuple[str, ...]
    coef: Floats
    vcov: Floats
    model_vcov: Floats
    variance: str
    limit: Floats
    loglik: float
    loglik_null: float
    n: float
    n_clusters: int
    dispersion: float
    association: Floats | None
    df_t: float | None
    iterations: int
    choices: tuple[str, ...]
    outcome: tuple[str, ...]
    design: DesignInfo

    @property
    def std_error(self) -> Floats:
        """Standard errors of `coef`, shape (p,)."""
        return np.asarray(np.sqrt(self.vcov.diagonal()))

    @property
    def monotone(self) -> npt.NDArray[np.bool_]:
        """Where there is no finite estimate, shape (p,)."""
        return ~np.isfinite(self.limit)

    @property
    def converged(self) -> bool:
        """True when every estimate is finite; a fit that did not reach its solution raises instead."""
        return not bool(self.monotone.any())

    @property
    def groups(self) -> Mapping[str, slice]:
        """Term -> slice of its coefficients after the intercept."""
        return self.design.groups

    @property
    def n_dropped(self) -> int:
        """Rows left out because a column was missing or the weight was 0."""
        return self.design.n_rows - self.design.n

    @property
    def n_missing(self) -> dict[str, int]:
        """Column -> rows where it was missing."""
        return dict(self.design.n_missing)

    def tidy(self, level: float = 0.95, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a coefficient: estimate, standard error, Wald test and interval.

        Parameters
        ----------
        level
            Confidence level.
        exponentiate
            Give `estimate`, `conf_low` and `conf_high` as odds ratios or rate ratios; `std_error` stays on the log
            scale. Refused for quantile regression, whose coefficients are days.

        Returns
        -------
        pandas.DataFrame
            `term, estimate, std_error, statistic, p_value, conf_low, conf_high, monotone`.
        """
        if exponentiate and self.model.startswith("quantile"):
            raise ArgumentError("`exponentiate` has no meaning for quantile regression: its coefficients are not logs.")
        table = tidy_table(self.terms, self.coef, self.std_error, level=level, df=self.df_t)
        if exponentiate:
            for column in ("estimate", "conf_low", "conf_high"):
                with np.errstate(over="ignore"):
                    table[column] = np.exp(table[column])
        if self.monotone.any():
            limit = np.exp(self.limit) if exponentiate else self.limit
            table.loc[self.monotone, "estimate"] = limit[self.monotone]
            table.loc[self.monotone, _WALD_COLUMNS] = np.nan
        table["monotone"] = self.monotone
        return table

    def term_tests(self) -> pd.DataFrame:
        """Return a Wald test of each term: `term, df, statistic, p_value` (chi-square)."""
        return term_wald_tests(self.limit[1:], self.vcov[1:, 1:], self.groups)

    def wald(self, terms: str | Sequence[str] | None = None) -> WaldTest:
        """Test that all coefficients of some terms are 0; of every term but the intercept when None.

        Parameters
        ----------
        terms
            Names of terms or of coefficients.

        Raises
        ------
        ArgumentError
            For a name that is neither.
        """
        names = list(self.groups) if terms is None else [terms] if isinstance(terms, str) else list(terms)
        places = [place for name in names for place in self.places(name)]
        return wald_test(self.limit[places], self.vcov[np.ix_(places, places)])

    def places(self, name: str) -> list[int]:
        """Return the positions of the coefficients of a term, or of one coefficient.

        Raises
        ------
        ArgumentError
            For a name that is neither.
        """
        if name in self.groups:
            part = self.groups[name]
            return list(range(part.start + 1, part.stop + 1))
        if name in self.terms:
            return [self.terms.index(name)]
        raise ArgumentError(
            f"`terms` names '{name}', which is not in the model. Its terms are: {', '.join(self.groups)}."
        )

    def glance(self) -> pd.DataFrame:
        """Return one row of figures on the whole fit.

        The likelihood-ratio test is NaN where there is no likelihood, and the Wald test where an estimate is infinite.
        """
        p = len(self.terms) - 1
        parameters = p + 1 + (self.model.startswith("negative"))
        ratio = 2.0 * (self.loglik - self.loglik_null)
        test = self.wald()
        row: dict[str, Any] = {
            "n": self.n,
            "n_clusters": self.n_clusters,
            "n_dropped": self.n_dropped,
            "loglik_null": self.loglik_null,
            "loglik": self.loglik,
            "aic": 2.0 * parameters - 2.0 * self.loglik,
            "bic": parameters * np.log(self.n) - 2.0 * self.loglik,
            "df": p,
            "lr_statistic": ratio,
            "lr_p_value": chi_square_p(ratio, p) if np.isfinite(ratio) else np.nan,
            "wald_statistic": test.statistic,
            "wald_p_value": test.p_value,
            "dispersion": self.dispersion,
            "variance": self.variance,
            "iterations": self.iterations,
            "converged": self.converged,
        }
        return pd.DataFrame({name: [value] for name, value in row.items()})

    def describe_choices(self) -> str:
        """Say in words what was chosen."""
        return " ".join(self.choices)
