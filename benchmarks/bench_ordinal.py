"""Ordinal rows of the model benchmarks: statsmodels and R's rms, MASS, ordinal and sandwich."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from bench_core import Job, RSession, Tool, timed
from bench_cox import close, right
from bench_data import framed, three_levels, three_waves
from statsmodels.genmod.cov_struct import GlobalOddsRatio, Independence
from statsmodels.genmod.generalized_estimating_equations import OrdinalGEE
from statsmodels.miscmodels.ordinal_model import OrderedModel

from rtwcohort.models.ordinal import fit_ordinal, fit_ordinal_arrays
from rtwcohort.models.ordinal_gee import fit_ordinal_gee, fit_ordinal_gee_arrays

LARGEST_OF_STATSMODELS = 100_000  # people; at 1,000,000 it asks for about 20 GB


def ours(fit: Any) -> np.ndarray:
    """Return the effects and their standard errors."""
    return np.concatenate([fit.coef, fit.std_error[fit.n_thresholds :]])


def r_session(r: bool, frame: pd.DataFrame) -> RSession | None:
    if not r:
        return None
    session = RSession()
    session.give({name: frame[name].to_numpy() for name in frame})
    for line in (
        "library(MASS)",
        "library(ordinal)",
        "library(sandwich)",
        "library(rms)",
        "d$s <- factor(d$y, ordered = TRUE)",
    ):
        session.tell(line)
    return session


def lrm_numbers(p: int) -> str:
    return f"c(coef(result)[3:{p + 2}], sqrt(diag(result$var))[3:{p + 2}])"


def single(n: int, repeats: int, r: bool) -> Job:
    """Ordinal regression, 3 levels."""
    X, y = three_levels(n, 10)
    frame = framed(X, y=y)
    status = pd.Series(pd.Categorical(y, ordered=True))
    session = r_session(r, frame)

    def ordered_model() -> Any:
        return OrderedModel(status, X, distr="logit").fit(method="bfgs", maxiter=500, disp=False)

    peers = [
        Tool(
            "OrderedModel, bfgs",
            timed(ordered_model, lambda fit: np.concatenate([fit.params[:10], fit.bse[:10]])),
            20.0,
        )
    ]
    if session is not None:
        formula = f"s ~ {right(10)}, data = d"
        peers += [
            Tool("R rms::lrm", session.timed(f"lrm({formula}, tol = 1e-12)", lrm_numbers(10)), 5.0),
            Tool(
                "R MASS::polr",
                session.timed(f"polr({formula}, Hess = TRUE)", "c(coef(result), sqrt(diag(vcov(result)))[1:10])"),
                20.0,
            ),
            Tool(
                "R ordinal::clm",
                session.timed(f"clm({formula})", "c(result$beta, sqrt(diag(vcov(result)))[3:12])"),
            ),
        ]
    return Job(
        f"Ordinal, 3 levels, {n:,} x 10",
        {
            "arrays": timed(lambda: fit_ordinal_arrays(X, y), ours),
            "frame": timed(lambda: fit_ordinal(frame, f"y ~ {right(10)}"), ours),
        },
        peers,
        repeats,
        close(session),
    )


def repeated(people: int, repeats: int, r: bool, association: str) -> Job:
    """Ordinal GEE, 3 levels, 3 waves, 6 predictors."""
    p = 6
    X, y, person, wave = three_waves(people, p)
    frame = framed(X, y=y, person=person, wave=wave)
    independent = association == "independence"
    session = r_session(r, frame) if independent else None
    how: dict[str, Any] = {"association": association}
    peers = []
    if people <= LARGEST_OF_STATSMODELS:

        def gee() -> Any:
            structure = Independence() if independent else GlobalOddsRatio("ordinal")
            return OrdinalGEE(y, X, groups=person, cov_struct=structure).fit()

        peers.append(
            Tool(
                "statsmodels OrdinalGEE",
                timed(gee, lambda fit: np.concatenate([fit.params[2:], fit.bse[2:]])),
                200.0,
                note="cut-points of a wave independent too" if independent else "",
            )
        )
    if session is not None:
        formula = f"s ~ {right(p)}, data = d"
        peers += [
            Tool(
                "R lrm + robcov",
                session.timed(f"robcov(lrm({formula}, x = TRUE, y = TRUE, tol = 1e-12), d$person)", lrm_numbers(p)),
                5.0,
            ),
            Tool(
                "R clm + sandwich::vcovCL",
                session.timed(
                    f"{{ fit <- clm({formula}); v <- vcovCL(fit, cluster = d$person, cadjust = FALSE); "
                    "list(fit$beta, v) }",
                    f"c(result[[1]], sqrt(diag(result[[2]]))[3:{p + 2}])",
                ),
            ),
        ]
    words = "independence" if independent else "global odds ratio"
    return Job(
        f"Ordinal GEE, {words}, {people:,} people x 3 waves x {p}",
        {
            "arrays": timed(lambda: fit_ordinal_gee_arrays(X, y, id=person, wave=wave, **how), ours),
            "frame": timed(lambda: fit_ordinal_gee(frame, f"y ~ {right(p)}", id="person", wave="wave", **how), ours),
        },
        peers,
        repeats,
        close(session),
    )


def jobs(row: str, sizes: tuple[int, int], repeats: int, r: bool) -> Iterator[Job]:
    middle, large = sizes
    if row == "ordinal":
        yield single(middle, repeats, r)
        yield single(large, max(3, repeats // 2), r)
    elif row == "gee":
        yield repeated(middle // 10, repeats, r, "independence")
        yield repeated(middle, max(3, repeats // 2), r, "independence")
        yield repeated(large, max(3, repeats // 2), r, "independence")
    elif row == "odds":
        yield repeated(middle // 10, max(3, repeats // 2), r, "global_odds_ratio")
        yield repeated(middle, max(3, repeats // 2), r, "global_odds_ratio")
        yield repeated(large, max(3, repeats // 2), r, "global_odds_ratio")
