"""The result of an ordinal GEE: tables, tests and criteria."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import fdtrc

from rtwcohort.core.control import Control
from rtwcohort.core.wald import WaldTest, tidy_table, wald_test
from rtwcohort.design import DesignInfo
from rtwcohort.errors import ArgumentError
from rtwcohort.models.links import LINKS

Floats = npt.NDArray[np.float64]
_WALD_COLUMNS = ["std_error", "statistic", "p_value", "conf_low", "conf_high"]


@dataclass(frozen=True, slots=True)
class OrdinalGeeChoices:
    """How an ordinal GEE was fitted.

    Attributes
    ----------
    link
        "logit", "probit" or "cloglog".
    association
        Working association between the waves of a person.
    odds_ratios, odds_ratio_method
        "common" or "by_wave_pair", and "pooled" or "score"; None without global odds ratios.
    within_wave
        "multinomial", or "diagonal" where the cut-points of a wave count as independent too.
    information
        "expected" or "observed": the bread of the sandwich.
    correction
        Correction for few clusters, or None.
    df
        Degrees of freedom of Student's t, None for the normal distribution.
    weight_type
        "probability", "frequency", or None without weights.
    factor
        What the sandwich is multiplied by, such as G / (G - 1); 1 for nothing.
    sign
        +1 where tables print effects b of threshold_j - x'b, -1 where they print those of threshold_j + x'b.
    compat
        The program whose defaults were taken, or None.
    notes
        Sentences on what was set aside or followed from something else.
    """

    link: str
    association: str
    odds_ratios: str | None
    odds_ratio_method: str | None
    within_wave: str
    information: str
    correction: str | None
    df: float | None
    weight_type: str | None
    factor: float
    sign: int
    compat: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GeeCounts:
    """Who is in the fit.

    Attributes
    ----------
    rows, persons, clusters
        Used; a frequency weight of w counts as w clusters.
    smallest, largest
        Rows a cluster.
    categories
        The categories of the outcome that occur, lowest first.
    category_weights
        Sum of weights in each.
    empty
        Categories declared that nobody has.
    waves
        In order; one empty name when no wave was given.
    wave_rows
        Rows at each.
    has_offset
        Whether the fit had one.
    """

    rows: int
    persons: int
    clusters: float
    smallest: int
    largest: int
    categories: tuple[str, ...]
    category_weights: Floats
    empty: tuple[str, ...]
    waves: tuple[str, ...]
    wave_rows: npt.NDArray[np.int64]
    has_offset: bool


@dataclass(frozen=True, slots=True)
class Criteria:
    """Criteria for the choice of model and association.

    Attributes
    ----------
    quasi_loglik
        Log-likelihood of the multinomial model under independence, at the estimates.
    qic
        -2 x quasi_loglik + 2 x cic (Pan 2001): smaller is better.
    qicu
        -2 x quasi_loglik + 2 x parameters: compares sets of predictors under one association.
    cic
        Trace of the information under independence times the robust covariance (Hin and Wang 2009): compares
        associations for one set of predictors.
    """

    quasi_loglik: float
    qic: float
    qicu: float
    cic: float


@dataclass(frozen=True, slots=True)
class OrdinalGeeFit:
    """A fitted ordinal GEE, link(P(Y <= j)) = threshold_j - x'b: a positive effect means a higher category.

    Attributes
    ----------
    parameters
        Names: the k - 1 thresholds, then the effects.
    estimates
        Shape (parameters,), always in the signs of the model above.
    vcov, model_vcov
        Robust covariance as chosen, and the inverse of the expected information, shape (parameters, parameters).
    limit
        As `estimates`, but plus or minus infinity, or NaN, where there is no finite estimate.
    association
        Estimated parameters of the working association; no rows under independence.
    criteria
        QIC and its relatives.
    counts
        Rows, persons, clusters, categories, waves.
    choices
        Association, information, correction, signs.
    iterations
        Steps of the final iterations.
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
    association: pd.DataFrame
    criteria: Criteria
    counts: GeeCounts
    choices: OrdinalGeeChoices
    iterations: int
    control: Control
    design: DesignInfo | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories, lowest first."""
        return self.counts.categories

    @property
    def link(self) -> str:
        """Name of the link."""
        return self.choices.link

    @property
    def n_thresholds(self) -> int:
        """Number of categories less one."""
        return len(self.counts.categories) - 1

    @property
    def thresholds(self) -> Floats:
        """Thresholds at x = 0, shape (k - 1,)."""
        return self.estimates[: self.n_thresholds]

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the effects."""
        return self.parameters[self.n_thresholds :]

    @property
    def coef(self) -> Floats:
        """Effects in the order of `terms`."""
        return self.estimates[self.n_thresholds :]

    @property
    def coef_vcov(self) -> Floats:
        """Robust covariance of `coef`."""
        return self.vcov[self.n_thresholds :, self.n_thresholds :]

    @property
    def std_error(self) -> Floats:
        """Robust standard errors of all parameters."""
        return np.asarray(np.sqrt(self.vcov.diagonal()))

    @property
    def model_std_error(self) -> Floats:
        """Model-based standard errors of all parameters: right only if the working association is."""
        return np.asarray(np.sqrt(self.model_vcov.diagonal()))

    @property
    def monotone(self) -> npt.NDArray[np.bool_]:
        """Where there is no finite estimate, shape (parameters,)."""
        return ~np.isfinite(self.limit)

    @property
    def converged(self) -> bool:
        """True when every estimate is finite; a fit that did not reach its solution raises instead."""
        return not bool(self.monotone.any())

    @property
    def n(self) -> int:
        """Rows used."""
        return self.counts.rows

    @property
    def n_missing(self) -> dict[str, int]:
        """Column -> rows where it was missing (the outcome's too), for the columns that had any."""
        return {} if self.design is None else dict(self.design.n_missing)

    @property
    def n_dropped(self) -> int:
        """Rows left out because a column was missing, or the weight 0."""
        return 0 if self.design is None else self.design.n_rows - self.design.n

    @property
    def groups(self) -> Mapping[str, slice]:
        """Term -> slice of its effects in `coef`."""
        if self.design is not None:
            return self.design.groups
        return {name: slice(place, place + 1) for place, name in enumerate(self.terms)}

    def tidy(self, level: float = 0.95, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row an effect: estimate, robust standard error, Wald test and interval.

        Parameters
        ----------
        level
            Confidence level. Intervals and p-values are Student's t with `choices.df` degrees of freedom when a
            correction for few clusters was asked for, else normal.
        exponentiate
            Give `estimate`, `conf_low` and `conf_high` as exp(b), an odds ratio for the logit link.

        Returns
        -------
        pandas.DataFrame
            `term, estimate, std_error, statistic, p_value, conf_low, conf_high, monotone`. Where `monotone` is True the
            Wald figures are NaN. With compat="r" or "sas" the signs are those of threshold_j + x'b.
        """
        k, sign = self.n_thresholds, float(self.choices.sign)
        table = tidy_table(self.terms, sign * self.coef, self.std_error[k:], level=level, df=self.choices.df)
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
        """Return one row a threshold, named by the categories below and above it; columns as `tidy`."""
        k = self.n_thresholds
        table = tidy_table(self.parameters[:k], self.thresholds, self.std_error[:k], level=level, df=self.choices.df)
        monotone = self.monotone[:k]
        table.loc[monotone, "estimate"] = self.limit[:k][monotone]
        table.loc[monotone, _WALD_COLUMNS] = np.nan
        table["monotone"] = monotone
        return table

    def term_tests(self) -> pd.DataFrame:
        """Return a robust Wald test of each term, however many effects it has.

        Returns
        -------
        pandas.DataFrame
            `term, df, statistic, p_value`; with a correction for few clusters also `df_residual`, and the p-value is
            that of statistic / df against F(df, df_residual). NaN where an estimate is infinite.
        """
        tests = [self.wald(term) for term in self.groups]
        table = pd.DataFrame(
            {
                "term": list(self.groups),
                "df": np.array([test.df for test in tests], dtype=np.int64),
                "statistic": np.array([test.statistic for test in tests], dtype=np.float64),
                "p_value": np.array([test.p_value for test in tests], dtype=np.float64),
            }
        )
        if self.choices.df is not None:
            table["df_residual"] = self.choices.df
        return table

    def wald(self, terms: str | list[str] | None = None) -> WaldTest:
        """Test that all effects of the terms named are zero; every effect when None.

        With a correction for few clusters the p-value is that of statistic / df against F(df, `choices.df`).

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
        test = wald_test(finite[places], self.coef_vcov[np.ix_(places, places)])
        df = self.choices.df
        if df is None:
            return test
        return WaldTest(test.statistic, test.df, float(fdtrc(test.df, df, test.statistic / test.df)))

    def categories(self) -> pd.DataFrame:
        """Return one row a category, empty ones included: `category, n`; n is the sum of the weights."""
        return pd.DataFrame(
            {
                "category": [*self.labels, *self.counts.empty],
                "n": [*self.counts.category_weights.tolist(), *(0.0 for _ in self.counts.empty)],
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return one row of figures on the whole fit."""
        counts, criteria, choices = self.counts, self.criteria, self.choices
        wald = self.wald() if self.terms else WaldTest(np.nan, 0, np.nan)
        figures: dict[str, object] = {
            "n": counts.rows,
            "n_persons": counts.persons,
            "n_clusters": counts.clusters,
            "smallest_cluster": counts.smallest,
            "largest_cluster": counts.largest,
            "n_dropped": self.n_dropped,
            "n_categories": len(counts.categories),
            "quasi_loglik": criteria.quasi_loglik,
            "qic": criteria.qic,
            "qicu": criteria.qicu,
            "cic": criteria.cic,
            "df": len(self.terms),
            "wald_statistic": wald.statistic,
            "wald_p_value": wald.p_value,
            "df_residual": np.nan if choices.df is None else choices.df,
            "link": choices.link,
            "association": choices.association,
            "information": choices.information,
            "correction": "none" if choices.correction is None else choices.correction,
            "iterations": self.iterations,
            "converged": self.converged,
        }
        return pd.DataFrame({name: [value] for name, value in figures.items()})

    def describe_choices(self) -> str:
        """Return in words what was chosen."""
        from rtwcohort.models.ordinal_gee_words import describe

        return describe(self)
