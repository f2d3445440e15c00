"""The result of a Cox regression: estimates, tests, and what was chosen in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, did_you_mean
from rtwcohort.core.control import Control
from rtwcohort.core.wald import WaldTest, chi_square_p, term_wald_tests, tidy_table, wald_test
from rtwcohort.design import DesignInfo
from rtwcohort.errors import ArgumentError
from rtwcohort.models.cox_choices import CoxChoices, describe
from rtwcohort.models.cox_data import CoxData

Floats = npt.NDArray[np.float64]
_WALD_COLUMNS = ["std_error", "statistic", "p_value", "conf_low", "conf_high"]


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """A fitted Cox model.

    Attributes
    ----------
    terms
        Names of the coefficients, length p.
    coef
        Log hazard ratios per unit of each column, shape (p,).
    vcov
        Variance of `coef`, shape (p, p), of the kind that `choices.variance` names.
    loglik_null, loglik
        Log partial likelihood with all coefficients 0 and at the estimates; penalised with Firth's penalty.
    score_statistic
        Model-based score test of all coefficients being 0.
    n, n_events
        Rows and events used; people and their events when each row stands for `weight` copies.
    ties
        How tied event times were treated.
    iterations
        Newton-Raphson steps.
    limit
        Shape (p,): as `coef`, but plus or minus infinity where the likelihood keeps rising as the coefficient goes
        there, and NaN where another's running away leaves nothing to estimate it by; `coef` and `vcov` then only say
        where the iterations stopped.
    control
        Tolerances used.
    model_vcov
        Inverse of the observed information, shape (p, p); `vcov` itself unless that is a sandwich.
    choices
        Ties, variance, penalty, weights and the program whose defaults were asked for.
    data
        The arrays that were fitted, not copied.
    design
        Formula, term groups, reference levels and missing counts; None for a fit to arrays.
    """

    terms: tuple[str, ...]
    coef: Floats
    vcov: Floats
    loglik_null: float
    loglik: float
    score_statistic: float
    n: int
    n_events: int
    ties: str
    iterations: int
    limit: Floats
    control: Control
    model_vcov: Floats
    choices: CoxChoices
    data: CoxData = field(repr=False)
    design: DesignInfo | None = None

    @property
    def monotone(self) -> npt.NDArray[np.bool_]:
        """Where there is no finite estimate, shape (p,)."""
        return ~np.isfinite(self.limit)

    @property
    def converged(self) -> bool:
        """True when every estimate is finite; a fit that did not reach its maximum raises instead."""
        return not bool(self.monotone.any())

    @property
    def n_missing(self) -> dict[str, int]:
        """Column -> rows where it was missing, for the columns that had any."""
        return {} if self.design is None else dict(self.design.n_missing)

    @property
    def n_dropped(self) -> int:
        """Rows left out because a column was missing or a weight 0."""
        return 0 if self.design is None else self.design.n_rows - self.design.n

    @property
    def n_clusters(self) -> int:
        """Clusters of the sandwich, 0 without."""
        return self.data.n_clusters

    @property
    def std_error(self) -> Floats:
        """Standard errors of `coef`, shape (p,)."""
        return np.asarray(np.sqrt(self.vcov.diagonal()))

    @property
    def groups(self) -> Mapping[str, slice]:
        """Term -> slice of its coefficients."""
        if self.design is not None:
            return self.design.groups
        return {name: slice(j, j + 1) for j, name in enumerate(self.terms)}

    def tidy(self, level: float = 0.95, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a coefficient: estimate, standard error, Wald test and interval.

        Parameters
        ----------
        level
            Confidence level.
        exponentiate
            Give `estimate`, `conf_low` and `conf_high` as hazard ratios; `std_error` stays on the log scale.

        Returns
        -------
        pandas.DataFrame
            `term, estimate, std_error, statistic, p_value, conf_low, conf_high, monotone`. Where `monotone` is True the
            estimate is plus or minus infinity (a hazard ratio of infinity or 0) or NaN, and the Wald figures are NaN:
            they mean nothing there.
        """
        table = tidy_table(self.terms, self.coef, self.std_error, level=level)
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

    def hazard_ratios(self, level: float = 0.95) -> pd.DataFrame:
        """Return `tidy` with hazard ratios."""
        return self.tidy(level, exponentiate=True)

    def wald(self, terms: str | Sequence[str] | None = None) -> WaldTest:
        """Test that all coefficients of some terms are 0, with `vcov`.

        Parameters
        ----------
        terms
            Names of terms or of coefficients; all when None.

        Raises
        ------
        ArgumentError
            For a name that is neither.
        """
        if terms is None:
            return wald_test(self.limit, self.vcov)
        place = [j for name in ([terms] if isinstance(terms, str) else terms) for j in self.places(name)]
        return wald_test(self.limit[place], self.vcov[np.ix_(place, place)])

    def places(self, name: str) -> list[int]:
        """Return the positions of a term's or a coefficient's columns."""
        if name in self.groups:
            return list(range(len(self.terms)))[self.groups[name]]
        if name in self.terms:
            return [self.terms.index(name)]
        known = [*self.groups, *self.terms]
        raise ArgumentError(
            f"The fit has no term '{name}'.{did_you_mean(name, known)} Its terms are: {', '.join(self.groups)}."
        )

    def term_tests(self, test: Literal["wald", "lr"] = "wald") -> pd.DataFrame:
        """Test each term, however many coefficients it has.

        Parameters
        ----------
        test
            "wald" with `vcov`, or "lr": the likelihood ratio against the fit without the term.

        Returns
        -------
        pandas.DataFrame
            `term, df, statistic, p_value`.

        Raises
        ------
        ArgumentError
            For "lr" where the likelihood is not one: with probability weights or a cluster variance.
        """
        check_choice(test, ("wald", "lr"), argument="test")
        if test == "wald":
            return term_wald_tests(self.limit, self.vcov, self.groups)
        from rtwcohort.models.cox_profile import term_ratio_tests

        return term_ratio_tests(self)

    def score_test(self, variance: Literal["model", "robust"] | None = None) -> WaldTest:
        """Test that all coefficients are 0 by the score there.

        Parameters
        ----------
        variance
            "model": by the information at 0. "robust": by the squared scores of rows or clusters at 0, as R's robust
            score test. None takes what `vcov` is.
        """
        chosen = variance or ("model" if self.choices.variance == "model" else "robust")
        check_choice(chosen, ("model", "robust"), argument="variance")
        statistic = self.score_statistic
        if chosen == "robust":
            from rtwcohort.models.cox_variance import robust_score_statistic

            statistic = robust_score_statistic(self.data, self.ties)
        return WaldTest(statistic, self.coef.size, chi_square_p(statistic, self.coef.size))

    def describe_choices(self) -> str:
        """Say in words how the model was fitted."""
        return describe(self.choices, self.data)

    def glance(self) -> pd.DataFrame:
        """Return one row of figures on the whole fit.

        BIC counts events, as R's does, or rows as `compat` says. The Wald test uses `vcov` and is NaN where an estimate
        is infinite; the likelihood-ratio and score tests are model-based (`score_test("robust")` is the other).
        """
        p = self.coef.size
        ratio = 2.0 * (self.loglik - self.loglik_null)
        wald = self.wald()
        counted = self.n_events if self.choices.bic_counts == "events" else self.n
        return pd.DataFrame(
            {
                "n": [self.n],
                "n_events": [self.n_events],
                "n_dropped": [self.n_dropped],
                "n_clusters": [self.n_clusters],
                "loglik_null": [self.loglik_null],
                "loglik": [self.loglik],
                "aic": [2.0 * p - 2.0 * self.loglik],
                "bic": [p * np.log(counted) - 2.0 * self.loglik],
                "df": [p],
                "lr_statistic": [ratio],
                "lr_p_value": [chi_square_p(ratio, p)],
                "wald_statistic": [wald.statistic],
                "wald_p_value": [wald.p_value],
                "score_statistic": [self.score_statistic],
                "score_p_value": [chi_square_p(self.score_statistic, p)],
                "ties": [self.ties],
                "variance": [self.choices.variance],
                "iterations": [self.iterations],
                "converged": [self.converged],
            }
        )
