"""Made-up data for the model benchmarks: whole days, half of the predictors 0/1, effects from -0.3 to 0.3."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


def predictors(rng: np.random.Generator, n: int, p: int) -> Floats:
    X = rng.normal(size=(n, p))
    X[:, p // 2 :] = X[:, p // 2 :] > 0
    return X


def names(p: int) -> list[str]:
    return [f"x{j + 1}" for j in range(p)]


def framed(X: Floats, **columns: npt.ArrayLike) -> pd.DataFrame:
    return pd.DataFrame(X, columns=names(X.shape[1])).assign(**columns)


def whole_days(n: int, p: int, seed: int = 1) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return predictors, exponential times in whole days censored at 365, and event."""
    rng = np.random.default_rng(seed)
    X = predictors(rng, n, p)
    day = np.ceil(rng.exponential(200.0 * np.exp(-X @ np.linspace(-0.3, 0.3, p))))
    return X, np.minimum(day, 365.0), day <= 365.0


def with_entry(n: int, p: int, seed: int = 2) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
    """Return predictors, day of entry (0 for half, else up to 59), time and event of those at risk after entry."""
    X, time, event = whole_days(2 * n, p, seed)
    rng = np.random.default_rng([seed, 1])
    entry = np.where(rng.random(2 * n) < 0.5, 0.0, np.floor(rng.random(2 * n) * 60.0))
    kept = np.flatnonzero(entry < time)[:n]
    return X[kept], entry[kept], time[kept], event[kept]


def varying(people: int, p: int, seed: int = 3) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_], Floats]:
    """Return rows (from, to] of 90 days at most, the first predictor drawn anew in each; and the person."""
    X, time, event = whole_days(people, p, seed)
    rng = np.random.default_rng([seed, 1])
    pieces = np.ceil(time / 90.0).astype(np.int64)
    person = np.repeat(np.arange(people), pieces)
    piece = np.arange(person.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    start = 90.0 * piece
    stop = np.minimum(start + 90.0, time[person])
    rows = X[person]
    rows[:, 0] = rng.normal(size=person.size)
    return rows, start, stop, event[person] & (stop == time[person]), person.astype(np.float64)


def three_levels(n: int, p: int, seed: int = 4) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return predictors and a status 0, 1, 2."""
    rng = np.random.default_rng(seed)
    X = predictors(rng, n, p)
    return X, np.searchsorted([-0.5, 0.9], rng.logistic(size=n) + X @ np.linspace(-0.3, 0.3, p))


def three_waves(people: int, p: int, seed: int = 5) -> tuple[Floats, npt.NDArray[np.int64], Floats, Floats]:
    """Return predictors (the last is the wave), a status 0, 1, 2 that is alike within people, person and wave."""
    rng = np.random.default_rng(seed)
    person, wave = np.repeat(np.arange(people), 3), np.tile(np.arange(3.0), people)
    X = np.column_stack([predictors(rng, people, p - 1)[person], wave])
    latent = rng.normal(size=people)[person] + rng.logistic(size=3 * people)
    y = np.searchsorted([-0.5, 0.9], latent + X @ np.append(np.linspace(-0.3, 0.3, p - 1), 0.3))
    return X, y, person.astype(np.float64), wave
