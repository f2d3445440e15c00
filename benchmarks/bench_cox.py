"""Cox rows of the model benchmarks: lifelines, statsmodels PHReg and R's survival."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import lifelines
import lifelines.statistics
import lifelines.utils
import numpy as np
import pandas as pd
from bench_core import Job, Result, RSession, Seconds, Tool, timed
from bench_data import framed, names, varying, whole_days, with_entry
from statsmodels.duration.hazard_regression import PHReg

from rtwcohort.core.control import DEFAULT_CONTROL
from rtwcohort.models import concordance, fit_cox, fit_cox_arrays, proportional_hazards_test
from rtwcohort.models.cox_kernel import CoxLikelihood, order_risk_sets
from rtwcohort.models.newton import maximise

CLUSTER = 5  # rows a cluster


def right(p: int) -> str:
    return " + ".join(names(p))


def coef_and_error(fit: Any) -> np.ndarray:
    return np.concatenate([fit.coef, fit.std_error])


def lifelines_numbers(fit: Any) -> np.ndarray:
    return np.concatenate([fit.params_.to_numpy(), fit.standard_errors_.to_numpy()])


def phreg_numbers(fit: Any) -> np.ndarray:
    return np.concatenate([fit.params, fit.bse])


R_NUMBERS = "c(coef(result), sqrt(diag(vcov(result))))"


def lifelines_fit(frame: pd.DataFrame, loops: int = 1, **how: Any) -> Callable[[], Result]:
    return timed(lambda: lifelines.CoxPHFitter().fit(frame, "time", "event", **how), lifelines_numbers, loops)


def r_session(r: bool, frame: pd.DataFrame) -> RSession | None:
    if not r:
        return None
    session = RSession()
    session.give({name: frame[name].to_numpy() for name in frame})
    session.tell("library(survival)")
    return session


def close(session: RSession | None) -> Callable[[], None]:
    return (lambda: None) if session is None else session.close


def plain(n: int, repeats: int, r: bool) -> Job:
    """Cox, Efron, whole days."""
    X, day, event = whole_days(n, 10)
    frame = framed(X, time=day, event=event)
    sets = order_risk_sets(day, event)

    def kernel() -> Any:
        likelihood = CoxLikelihood(X, sets, efron=True)
        try:
            return maximise(likelihood, np.zeros(10), DEFAULT_CONTROL, reach=likelihood.reach)
        finally:
            likelihood.close()

    session = r_session(r, frame)
    peers = [Tool("lifelines", lifelines_fit(frame), 10.0)]
    if n <= 100_000:
        peers.append(Tool("PHReg", timed(lambda: PHReg(day, X, event, ties="efron").fit(), phreg_numbers)))
    if session is not None:
        call = f"coxph(Surv(time, event) ~ {right(10)}, data = d)"
        peers.append(Tool("R coxph", session.timed(call, R_NUMBERS), 20.0))

    return Job(
        f"Cox, Efron, {n:,} x 10",
        {
            "arrays": timed(lambda: fit_cox_arrays(X, day, event), coef_and_error),
            "frame": timed(lambda: fit_cox(frame, f"Surv(time, event) ~ {right(10)}"), coef_and_error),
            "rtwcohort, kernel only (risk sets ready, no tests)": timed(kernel, lambda result: result.coef),
        },
        peers,
        repeats,
        close(session),
    )


def sandwich(n: int, repeats: int, r: bool, *, clustered: bool) -> Job:
    """Robust or cluster variance; R by its fast route."""
    X, day, event = whole_days(n, 10)
    cluster = (np.arange(n) // CLUSTER).astype(np.float64)
    frame = framed(X, zero=np.zeros(n), time=day, event=event, cluster=cluster)
    formula = f"Surv(time, event) ~ {right(10)}"
    how: dict[str, Any] = {"cluster": cluster} if clustered else {"variance": "robust"}
    how_frame: dict[str, Any] = {"cluster": "cluster"} if clustered else {"variance": "robust"}
    session = r_session(r, frame)
    peers: list[Tool] = []
    if n <= 100_000 and clustered:  # both take one route: over a minute at 100,000
        use = frame.drop(columns="zero")
        groups = cluster.astype(int)
        peers = [
            Tool("lifelines", lifelines_fit(use, cluster_col="cluster"), 200.0, note="without the terms of ties"),
            Tool(
                "PHReg",
                timed(lambda: PHReg(day, X, event, ties="efron").fit(groups=groups), phreg_numbers),
                note="with the score residuals of Breslow",
            ),
        ]
    if session is not None:
        option = "cluster = cluster" if clustered else "cluster = seq_along(time)"
        call = f"coxph(Surv(zero, time, event) ~ {right(10)}, data = d, {option})"
        peers.append(Tool("R coxph, Surv(0, time, event)", session.timed(call, R_NUMBERS), 10.0))
    return Job(
        f"Cox, Efron, {'cluster' if clustered else 'robust'} variance, {n:,} x 10",
        {
            "arrays": timed(lambda: fit_cox_arrays(X, day, event, **how), coef_and_error),
            "frame": timed(lambda: fit_cox(frame, formula, **how_frame), coef_and_error),
        },
        peers,
        repeats,
        close(session),
    )


def delayed(n: int, repeats: int, r: bool) -> Job:
    """Delayed entry."""
    X, entry, time, event = with_entry(n, 10)
    frame = framed(X, entry=entry, time=time, event=event)
    session = r_session(r, frame)
    peers = [
        Tool(
            "PHReg",
            timed(lambda: PHReg(time, X, event, entry=entry, ties="efron").fit(), phreg_numbers),
            10.0,
            note="wrong where an entry equals an event time",
        ),
        Tool(
            "lifelines",
            lifelines_fit(frame, entry_col="entry"),
        ),
    ]
    if session is not None:
        call = f"coxph(Surv(entry, time, event) ~ {right(10)}, data = d)"
        peers.append(Tool("R coxph", session.timed(call, R_NUMBERS), 10.0))
    return Job(
        f"Cox, delayed entry, {n:,} x 10",
        {
            "arrays": timed(lambda: fit_cox_arrays(X, time, event, entry=entry), coef_and_error),
            "frame": timed(lambda: fit_cox(frame, f"Surv(entry, time, event) ~ {right(10)}"), coef_and_error),
        },
        peers,
        repeats,
        close(session),
    )


def time_varying(people: int, repeats: int, r: bool) -> Job:
    """Rows that split a person's time, with the variance by person."""
    X, start, stop, event, person = varying(people, 10)
    frame = framed(X, start=start, stop=stop, event=event, person=person)
    session = r_session(r, frame)
    use = frame.rename(columns={"person": "id"}).assign(event=event.astype(bool))
    peers = [
        Tool(
            "PHReg",
            timed(
                lambda: PHReg(stop, X, event, entry=start, ties="efron").fit(groups=person.astype(int)), phreg_numbers
            ),
            10.0,
            note="wrong where an entry equals an event time",
        ),
        Tool(
            "lifelines",
            timed(
                lambda: lifelines.CoxTimeVaryingFitter().fit(use, "event", start_col="start", stop_col="stop"),
                lifelines_numbers,
            ),
            note="model variance: it has no other",
        ),
    ]
    if session is not None:
        call = f"coxph(Surv(start, stop, event) ~ {right(10)}, data = d, cluster = person)"
        peers.append(Tool("R coxph", session.timed(call, R_NUMBERS), 10.0))
    return Job(
        f"Cox, time-varying rows by person, {people:,} people, {len(X):,} rows x 10",
        {
            "arrays": timed(lambda: fit_cox_arrays(X, stop, event, entry=start, cluster=person), coef_and_error),
            "frame": timed(
                lambda: fit_cox(frame, f"Surv(start, stop, event) ~ {right(10)}", cluster="person"), coef_and_error
            ),
        },
        peers,
        repeats,
        close(session),
    )


def small_fit(repeats: int, r: bool) -> Job:
    """200 x 5, for simulation and bootstrap."""
    X, day, event = whole_days(200, 5)
    frame = framed(X, time=day, event=event)
    session = r_session(r, frame)
    peers = [
        Tool(
            "lifelines",
            lifelines_fit(frame, 10),
            50.0,
        ),
        Tool("PHReg", timed(lambda: PHReg(day, X, event, ties="efron").fit(), phreg_numbers, 10)),
    ]
    if session is not None:
        call = f"for (k in 1:100) fit <- coxph(Surv(time, event) ~ {right(5)}, data = d)"
        run = session.timed(call, "c(coef(fit), sqrt(diag(vcov(fit))))")

        def each() -> Result:
            seconds, numbers = run()
            return Seconds(seconds.clock / 100.0, seconds.worked / 100.0), numbers

        peers.append(Tool("R coxph", each))
    return Job(
        "Cox, 200 x 5",
        {
            "arrays": timed(lambda: fit_cox_arrays(X, day, event), coef_and_error, 200),
            "frame": timed(lambda: fit_cox(frame, f"Surv(time, event) ~ {right(5)}"), coef_and_error, 20),
        },
        peers,
        max(repeats, 7),
        close(session),
    )


def hazards_test(n: int, repeats: int, r: bool) -> Job:
    """The test of proportional hazards of a fit that is there."""
    X, day, event = whole_days(n, 10)
    frame = framed(X, time=day, event=event)
    fit = fit_cox_arrays(X, day, event)
    other = lifelines.CoxPHFitter().fit(frame, "time", "event")
    session = r_session(r, frame)
    peers = [
        Tool(
            "lifelines",
            timed(
                lambda: lifelines.statistics.proportional_hazard_test(other, frame, time_transform="km"),
                lambda test: test.test_statistic,
            ),
            note="the older approximation",
        )
    ]
    if session is not None:
        session.tell(f"fit <- coxph(Surv(time, event) ~ {right(10)}, data = d)")
        peers.append(Tool("R cox.zph", session.timed("cox.zph(fit)", "result$table[, 1]"), 5.0))
    return Job(
        f"Test of proportional hazards, {n:,} x 10",
        {"arrays": timed(lambda: proportional_hazards_test(fit), lambda test: test.terms["statistic"])},
        peers,
        repeats,
        close(session),
    )


def concordances(n: int, repeats: int, r: bool) -> Job:
    """Concordance with its standard error."""
    X, day, event = whole_days(n, 10)
    frame = framed(X, time=day, event=event)
    fit = fit_cox_arrays(X, day, event)
    marker = X @ fit.coef
    session = r_session(r, frame)
    peers = [
        Tool(
            "lifelines",
            timed(lambda: lifelines.utils.concordance_index(day, -marker, event), lambda value: [value]),
            note="no standard error",
        )
    ]
    if session is not None:
        session.tell(f"fit <- coxph(Surv(time, event) ~ {right(10)}, data = d)")
        numbers = "c(result$concordance, sqrt(result$var))"
        peers.append(Tool("R concordance", session.timed("concordance(fit)", numbers), 5.0))
    return Job(
        f"Concordance, {n:,}",
        {"arrays": timed(lambda: concordance(fit), lambda found: [found.estimate, found.std_error])},
        peers,
        repeats,
        close(session),
    )


def jobs(row: str, sizes: tuple[int, int], repeats: int, r: bool) -> Iterator[Job]:
    middle, large = sizes
    if row == "cox":
        yield plain(middle, repeats, r)
        yield plain(large, repeats, r)
    elif row == "robust":
        for clustered in (True, False):
            yield sandwich(middle, repeats, r, clustered=clustered)
            yield sandwich(large, max(3, repeats // 2), r, clustered=clustered)
    elif row == "entry":
        yield delayed(middle, repeats, r)
        yield time_varying(middle, repeats, r)
    elif row == "small":
        yield small_fit(repeats, r)
    elif row == "zph":
        yield hazards_test(middle, repeats, r)
        yield concordances(middle, repeats, r)
