"""Cox regression (Efron, whole days) against lifelines: medians and ratios, in one run.

    python benchmarks/cox.py [--rows 1000000] [--repeats 5]

"Kernel" is the Newton iterations on sorted people; "arrays" is all of `fit_cox_arrays` (check, sort, copy, iterate);
"frame" is all of `fit_cox` (formula, rank check and the rest).
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
import warnings
from collections.abc import Callable

import lifelines
import numpy as np
import pandas as pd

from rtwcohort.core.control import DEFAULT_CONTROL
from rtwcohort.models import fit_cox, fit_cox_arrays
from rtwcohort.models.cox_kernel import CoxLikelihood, order_risk_sets
from rtwcohort.models.newton import maximise


def whole_days(n: int, p: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exponential times in whole days, censored at 365; half of the predictors are 0/1."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[:, p // 2 :] = X[:, p // 2 :] > 0
    day = np.ceil(rng.exponential(200.0 * np.exp(-X @ np.linspace(-0.3, 0.3, p))))
    return X, np.minimum(day, 365.0), day <= 365.0


def median_seconds(runs: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Time the jobs in turn, so that other load on the machine falls on all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in seconds.items()}


def compare(n: int, p: int, *, repeats: int) -> None:
    X, day, event = whole_days(n, p, seed=1)
    names = [f"x{j + 1}" for j in range(p)]
    frame = pd.DataFrame(X, columns=names).assign(time=day, event=event)
    formula = "Surv(time, event) ~ " + " + ".join(names)
    fit = fit_cox_arrays(X, day, event)
    fit_cox(frame.head(2000), formula)
    peers = []

    def peer() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peers.append(lifelines.CoxPHFitter().fit(frame, "time", "event"))

    likelihood = CoxLikelihood(X, order_risk_sets(day, event), efron=True)
    seconds = median_seconds(
        {
            "kernel": lambda: maximise(likelihood, np.zeros(p), DEFAULT_CONTROL, reach=likelihood.reach),
            "arrays": lambda: fit_cox_arrays(X, day, event),
            "frame": lambda: fit_cox(frame, formula),
            "lifelines": peer,
        },
        repeats,
    )
    likelihood.close()
    apart = np.abs(fit.coef - peers[0].params_.to_numpy()).max()
    print(f"\n{n:,} x {p}: {fit.n_events:,} events, {fit.iterations} iterations; largest difference {apart:.1e}")
    for name, value in seconds.items():
        print(f"  {name:<10}{value * 1e3:>12.3f} ms   lifelines takes {seconds['lifelines'] / value:8.1f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}, lifelines {lifelines.__version__}")
    compare(200, 5, repeats=50)
    compare(options.rows, 10, repeats=options.repeats)


if __name__ == "__main__":
    main()
