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


def median_seconds(run: Callable[[], object], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def kernel_seconds(X: np.ndarray, day: np.ndarray, event: np.ndarray, repeats: int) -> float:
    likelihood = CoxLikelihood(X, order_risk_sets(day, event), efron=True)
    result = median_seconds(lambda: maximise(likelihood, np.zeros(X.shape[1]), DEFAULT_CONTROL), repeats)
    likelihood.close()
    return result


def compare(n: int, p: int, *, repeats: int, peer_repeats: int) -> None:
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

    seconds = {
        "kernel": kernel_seconds(X, day, event, repeats),
        "arrays": median_seconds(lambda: fit_cox_arrays(X, day, event), repeats),
        "frame": median_seconds(lambda: fit_cox(frame, formula), max(repeats // 5, 3)),
        "lifelines": median_seconds(peer, peer_repeats),
    }
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
    compare(200, 5, repeats=200, peer_repeats=10)
    compare(options.rows, 10, repeats=options.repeats, peer_repeats=3)


if __name__ == "__main__":
    main()
