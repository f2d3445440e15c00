"""The result of a cumulative link regression: tables, tests and what was chosen, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.control import Control
from rtwcohort.core.wald import WaldTest, chi_square_p, term_wald_tests, tidy_table, wald_test
from rtwcohort.design import DesignInfo
from rtwcohort.errors import ArgumentError
from rtwcohort.models.links import LINKS
from rtwcohort.models.ordinal_likelihood import OrdinalData, predicted_probabilities

Floats = npt.NDArray[np.float64]
Variance = Literal["model", "robust", "cluster"]
_WALD_COLUMNS = ["std_error", "statistic", "p_value", "conf_low", "conf_high"]


@dataclass(frozen=True, slots=True)
class OrdinalChoices:
    """How an ordinal model was fitted.

    Attributes
    ----------
    link
        "logit", "probit", "cloglog", "loglog" or "cauchit".
    information
        "observed" or "expected": whose inverse the covariance, or the bread of the sandwich, is.
    variance
        "model", "robust" (a sandwich over rows) or "cluster".
    weight_type
        "frequency", "probability", or None without weights.
    correction
        Factor on the sandwich, such as G / (G - 1); 1 for none.
    sign
        +1 where tables print effects b of threshold_j - x'b, -1 where they print those of threshold_j + x'b (SAS).
    compat
        The program whose defaults were taken, or None.
    notes
        Sentences on what was set aside or left as it is.
    """

    link: str
    information: str
    variance: Variance
    weight_type: str | None
    correction: float
    sign: int
    compat: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrdinalFit:
    """A fitted cumulative link model, link(P(Y <= j)) = threshold_j - x'b.

    Parameters are in this order: k - 1 thresholds at x = 0, the nominal effects (column by column, each at every
    threshold; also with a minus sign in the model), the common effects. A positive effect means a higher category.

    Attributes
    ----------
    parameters
        Names of all parameters.
    estimates
        Shape (parameters,).
    vcov, model_vcov
        Their covariance as chosen, and the inverse of the information, shape (parameters, parameters).
    limit
        As `estimates`, but plus or minus infinity where the likelihood keeps rising as the parameter goes there, and
        NaN where nothing is left to estimate it by; `estimates` then only says where the iterations stopped.
    loglik, loglik_null
        Log-likelihood at the estimates, and of the model with thresholds only (and the offset).
    iterations
        Newton steps on all rows.
    choices
        Link, information, variance, weights, signs.
    data
        What it was fitted to.
    control
        Tolerances.
    design
        Formula, term groups, reference levels and missing counts; None for a fit to arrays.
    """

    parameters: tuple[str, ...]
    estimates: Floats
    vcov: Floats
    model_vcov: Floats
    limit: Floats
    loglik: float
    loglik_null: float
    iterations: int
    choices: OrdinalChoices
    data: OrdinalData
    control: Control
    design: DesignInfo | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories, lowest first."""
        return self.data.labels

    @property
    def link(self) -> str:
        """Name of the link."""
        return self.choices.link

    @property
    def n_thresholds(self) -> int:
        """Number of categories less one."""
        return len(self.data.labels) - 1

    @property
    def thresholds(self) -> Floats:
        """Thresholds at x = 0, shape (k - 1,)."""
        return self.estimates[: self.n_thresholds]

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the effects, nominal ones first."""
        return self.parameters[self.n_thresholds :]

    @property
    def coef(self) -> Floats:
        """Effects in the order of `terms`."""
        return self.estimates[self.n_thresholds :]

    @property
    def coef_vcov(self) -> Floats:
        """Covariance of `coef`."""
        return self.vcov[self.n_thresholds :, self.n_thresholds :]

    @property
    def std_error(self) -> Floats:
        """Standard errors of all parameters."""
        return np.asarray(np.sqrt(self.vcov.diagonal()))

    @property
    def monotone(self) -> npt.NDArray[np.bool_]:
        """Where there is no finite estimate, shape (parameters,)."""
        return ~np.isfinite(self.limit)

    @property
    def converged(self) -> bool:
        """True when every estimate is finite; a fit that did not reach its maximum raises instead."""
        return not bool(self.monotone.any())

    @property
    def n(self) -> float:
        """Observations: the sum of frequency weights, else rows."""
        frequency = self.choices.weight_type == "frequency" and self.data.weights is not None
        return float(self.data.weights.sum()) if frequency and self.data.weights is not None else len(self.data.codes)

    @property
    def n_missing(self) -> dict[str, int]:
        """Column -> rows where it was missing, for the columns that had any."""
        return {} if self.design is None else dict(self.design.n_missing)

    @property
    def n_dropped(self) -> int:
        """Rows left out because a column was missing, or the weight 0."""
        return 0 if self.design is None else self.design.n_rows - self.design.n

    def tidy(self, level: float = 0.95, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row an effect: estimate, standard error, Wald test and interval.

        Parameters
        ----------
        level
            Confidence level.
        exponentiate
            Give `estimate`, `conf_low` and `conf_high` as exp(b), an odds ratio for the logit link.

        Returns
        -------
        pandas.DataFrame
            `term, estimate, std_error, statistic, p_value, conf_low, conf_high, monotone`. Where `monotone` is True the
            estimate is infinite or NaN, and the Wald figures are NaN: they mean nothing there. With compat="sas" the
            signs are those of threshold_j + x'b.
        """
        k = self.n_thresholds
        sign = float(self.choices.sign)
        table = tidy_table(self.terms, sign * self.coef, self.std_error[k:], level=level)
        monotone = self.monotone[k:]
        table.loc[monotone, "estimate"] = sign * self.limit[k:][monotone]
        table.loc[monotone, _WALD_COLUMNS] = np.nan
        if exponentiate:
            for column in ("estimate", "conf_low", "conf_high"):
                with np.errstate(over="ignore"):
                    table[column] = np.exp(table[column])
        table["monotone"] = monotone
        return table

    def odds_ratios(self, level: float = 0.95) -> pd.DataFrame:
        """Return `tidy` with exp(b); the logit link only.

        Raises
        ------
        ArgumentError
            For another link, of which exp(b) is no odds ratio.
        """
        if self.link != "logit":
            raise ArgumentError(
                f"exp(b) of the {self.link} link is no odds ratio ({LINKS[self.link].effect}): use "
                "tidy(exponentiate=True), or fit with link='logit'."
            )
        return self.tidy(level, exponentiate=True)

    def threshold_table(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a threshold, on its own scale, named by the categories below and above it.

        Returns
        -------
        pandas.DataFrame
            Columns as `tidy`. The statistic tests that the threshold is 0 where every predictor is 0.
        """
        k = self.n_thresholds
        table = tidy_table(self.parameters[:k], self.thresholds, self.std_error[:k], level=level)
        monotone = self.monotone[:k]
        table.loc[monotone, "estimate"] = self.limit[:k][monotone]
        table.loc[monotone, _WALD_COLUMNS] = np.nan
        table["monotone"] = monotone
        return table

    def categories(self) -> pd.DataFrame:
        """Return one row a category, empty ones included: `category, n, n_rows`; n is the sum of the weights."""
        rows = np.bincount(self.data.codes, minlength=len(self.labels))
        return pd.DataFrame(
            {
                "category": [*self.labels, *self.data.empty],
                "n": [*self.data.counts().tolist(), *(0.0 for _ in self.data.empty)],
                "n_rows": [*rows.tolist(), *(0 for _ in self.data.empty)],
            }
        )

    @property
    def groups(self) -> Mapping[str, slice]:
        """Term -> slice of its effects in `coef`."""
        places = _effect_places(self.data)
        parts = {term: self.columns_of(term) for term in self._terms()}
        return {term: slice(places[part[0]].start, places[part[-1]].stop) for term, part in parts.items()}

    def _terms(self) -> tuple[str, ...]:
        return self.data.names if self.design is None else tuple(self.design.groups)

    def columns_of(self, term: str) -> range:
        """Return the columns of the matrix that a term has."""
        if self.design is None:
            place = self.data.names.index(term)
            return range(place, place + 1)
        part = self.design.groups[term]
        return range(part.start, part.stop)

    def term_tests(self) -> pd.DataFrame:
        """Return a Wald test of each term, however many effects it has: `term, df, statistic, p_value`.

        The effects of a nominal term at all thresholds are tested together to be zero. NaN where one is infinite.
        """
        finite = np.where(self.monotone, np.nan, self.estimates)[self.n_thresholds :]
        return term_wald_tests(finite, self.coef_vcov, self.groups)

    def wald(self, terms: str | list[str] | None = None) -> WaldTest:
        """Test that all effects of the terms named are zero; every effect when None.

        Raises
        ------
        ArgumentError
            For a term that the model does not have.
        """
        groups = self.groups
        chosen = list(groups) if terms is None else [terms] if isinstance(terms, str) else list(terms)
        unknown = [term for term in chosen if term not in groups]
        if unknown or not chosen:
            raise ArgumentError(f"`terms` must be among {', '.join(groups)}; got {unknown or chosen!r}.")
        places = np.concatenate([np.arange(groups[term].start, groups[term].stop) for term in chosen])
        finite = np.where(self.monotone, np.nan, self.estimates)[self.n_thresholds :]
        return wald_test(finite[places], self.coef_vcov[np.ix_(places, places)])

    def nominal_tests(self) -> pd.DataFrame:
        """Return, for each nominal term, a Wald test that its effects are the same at every threshold."""
        rows = []
        finite = np.where(self.monotone, np.nan, self.estimates)[self.n_thresholds :]
        k = self.n_thresholds
        nominal = len(self.data.nominal) * k
        for term, part in self.groups.items():
            if part.start >= nominal or k < 2:
                continue
            columns = (part.stop - part.start) // k
            contrast = np.kron(np.eye(columns), np.eye(k)[1:] - np.eye(k)[:1])
            test = wald_test(finite[part], self.coef_vcov[part, part], contrast)
            rows.append((term, test.df, test.statistic, test.p_value))
        return pd.DataFrame(rows, columns=["term", "df", "statistic", "p_value"])

    def fitted(self) -> Floats:
        """Return P(Y = j) of every row used, shape (n, k)."""
        return predicted_probabilities(self.data, self.link, self.estimates)

    def glance(self) -> pd.DataFrame:
        """Return one row of figures on the whole fit.

        Notes
        -----
        The likelihood-ratio test is against thresholds only; with a sandwich variance its p-value is NaN, since the
        rows are then not taken as independent draws. Pseudo R2: McFadden 1 - l/l0; Cox and Snell 1 - exp(-LR/n);
        Nagelkerke, that over its maximum 1 - exp(2 l0/n). The parameters of AIC and BIC include the thresholds, as in
        R's polr and clm; BIC counts observations.
        """
        n, df, p = self.n, self.estimates.size, self.coef.size
        ratio = 2.0 * (self.loglik - self.loglik_null)
        wald = self.wald() if p else WaldTest(np.nan, 0, np.nan)
        cox_snell = -np.expm1(-ratio / n)
        most = -np.expm1(2.0 * self.loglik_null / n)
        model = self.choices.variance == "model"
        figures: dict[str, object] = {
            "n": n,
            "n_rows": len(self.data.codes),
            "n_dropped": self.n_dropped,
            "n_categories": len(self.labels),
            "loglik_null": self.loglik_null,
            "loglik": self.loglik,
            "aic": 2.0 * df - 2.0 * self.loglik,
            "bic": df * np.log(n) - 2.0 * self.loglik,
            "df": p,
            "n_parameters": df,
            "lr_statistic": ratio,
            "lr_p_value": chi_square_p(ratio, p) if model and p else np.nan,
            "wald_statistic": wald.statistic,
            "wald_p_value": wald.p_value,
            "r2_mcfadden": 1.0 - self.loglik / self.loglik_null,
            "r2_cox_snell": cox_snell,
            "r2_nagelkerke": cox_snell / most,
            "link": self.link,
            "information": self.choices.information,
            "variance": self.choices.variance,
            "iterations": self.iterations,
            "converged": self.converged,
        }
        for label, count in zip(self.labels, self.data.counts(), strict=True):
            figures[f"n: {label}"] = count
        return pd.DataFrame({name: [value] for name, value in figures.items()})

    def describe_choices(self) -> str:
        """Return in words what was chosen."""
        from rtwcohort.models.ordinal_words import describe

        return describe(self)


def _effect_places(data: OrdinalData) -> list[slice]:
    """Return for each column of the matrix the slice of its effects."""
    k, q = len(data.labels) - 1, len(data.nominal)
    places: list[slice] = [slice(0, 0)] * len(data.names)
    for a, j in enumerate(data.nominal):
        places[j] = slice(a * k, (a + 1) * k)
    for b, j in enumerate(data.location):
        places[j] = slice(q * k + b, q * k + b + 1)
    return places
