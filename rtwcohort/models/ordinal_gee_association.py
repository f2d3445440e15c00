"""Working association: which parameter belongs to which pair of waves, and how each is estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import LinAlgError
from scipy.optimize import minimize_scalar

from rtwcohort.errors import ConvergenceError, DesignError
from rtwcohort.models.ordinal_gee_association_kernel import Association
from rtwcohort.models.ordinal_gee_panel import PanelData, Waves

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Structure = Literal["exchangeable", "ar1", "unstructured"]

ASSOCIATIONS: Final = ("independence", "exchangeable", "ar1", "unstructured", "global_odds_ratio")
_NEED_WAVE: Final = ("ar1", "unstructured")
_MOST_WAVES: Final = 62


class Estimator(Protocol):
    """Parameters of the association on their way to the solution."""

    name: str

    def association(self) -> Association:
        """Return the current parameters with fresh zeros to add to."""

    def gather(self, parts: Sequence[Any]) -> None:
        """Keep the sums of a pass."""

    def update(self) -> float:
        """Move to the next parameters; return by how much the largest changed."""

    def table(self) -> pd.DataFrame:
        """Return the parameters by pair of waves."""


def pair_parameters(data: PanelData, *, common: bool) -> tuple[Ints, list[tuple[int, int]]]:
    """Give each pair of wave positions the number of its parameter: all 0, or one number a pair that somebody has.

    Returns
    -------
    numpy.ndarray, list
        Shape (waves, waves), -1 where nobody has both; and the pair of each number (empty for a common one).
    """
    T = len(data.waves.labels)
    if common:
        return np.zeros((T, T), dtype=np.int64), []
    seen = _pairs_seen(data)
    pairs = [(s, t) for s in range(T) for t in range(s + 1, T) if seen[s, t]]
    parameter = np.full((T, T), -1, dtype=np.int64)
    for number, (s, t) in enumerate(pairs):
        parameter[s, t] = number
    return parameter, pairs


def _pairs_seen(data: PanelData) -> npt.NDArray[np.bool_]:
    T, panel = len(data.waves.labels), data.panel
    seen = np.zeros((T, T), dtype=np.bool_)
    for lag in range(1, int(data.sizes.max())):
        has = np.flatnonzero(data.sizes > lag)
        for place in range(int(data.sizes.max()) - lag):
            rows = panel.person[has[data.sizes[has] > place + lag]] + place
            seen[panel.position[rows], panel.position[rows + lag]] = True
    return seen


def check_waves(waves: Waves, association: str) -> None:
    """Raise `DesignError` where the structure needs waves that are not there, or has too many of them."""
    if association in _NEED_WAVE and not waves.known:
        raise DesignError(f"association='{association}' needs `wave`: the column that orders the rows of a person.")
    if association == "unstructured" and len(waves.labels) > _MOST_WAVES:
        raise DesignError(
            f"association='unstructured' has a correlation for each pair of {len(waves.labels)} waves; at most "
            f"{_MOST_WAVES} waves are possible. Use 'ar1' or 'exchangeable'."
        )


@dataclass(slots=True)
class CorrelationEstimator:
    """Correlations of the whitened residuals, by moments.

    Attributes
    ----------
    name
        "exchangeable", "ar1" or "unstructured".
    data
        The panel.
    pattern, members
        Which pattern of waves each person has, shape (persons,), and the positions in each pattern.
    parameter, pairs
        As `pair_parameters` gives them; for AR(1) one a distance.
    distances
        AR(1): the distance of each parameter.
    values
        Exchangeable and AR(1): one correlation; unstructured: one a pair.
    products
        Of the last pass.
    """

    name: str
    data: PanelData
    pattern: Ints
    members: list[Ints]
    parameter: Ints
    pairs: list[tuple[int, int]]
    distances: Floats
    values: Floats
    products: Floats

    def matrix(self, positions: Ints) -> Floats:
        """Return R for rows at these wave positions."""
        n = positions.size
        if self.name == "exchangeable":
            return np.where(np.eye(n, dtype=np.bool_), 1.0, self.values[0])
        if self.name == "ar1":
            gap = np.abs(np.subtract.outer(self.data.waves.times[positions], self.data.waves.times[positions]))
            return np.asarray(np.sign(self.values[0]) ** np.where(self.values[0] < 0.0, gap, 0.0)) * np.where(
                gap == 0.0, 1.0, np.abs(self.values[0]) ** gap
            )
        R = np.eye(n)
        for a in range(n):
            for b in range(a + 1, n):
                R[a, b] = R[b, a] = self.values[self.parameter[positions[a], positions[b]]]
        return R

    def association(self) -> Association:
        """Return the inverses of R for each pattern of waves.

        Raises
        ------
        ConvergenceError
            When one is not positive definite.
        """
        widest = int(self.data.sizes.max())
        inverse = np.zeros((len(self.members), widest, widest))
        broken = []
        for number, positions in enumerate(self.members):
            n = positions.size
            R = self.matrix(positions)
            try:
                root = np.linalg.cholesky(R)
                if root.diagonal().min() ** 2 < 1e-8:
                    broken.append(number)
                inverse[number, :n, :n] = np.linalg.inv(R)
            except (np.linalg.LinAlgError, LinAlgError):
                broken.append(number)
        if broken:
            persons = int(np.isin(self.pattern, broken).sum())
            raise ConvergenceError(
                f"The estimated correlations under association='{self.name}' make no positive definite matrix for the "
                f"waves of {persons} persons (largest correlation {np.abs(self.values).max():.3g}). Use a simpler "
                "structure ('exchangeable', 'independence')."
            )
        shape = (self.distances.size if self.name == "ar1" else self.values.size, 2)
        return Association(
            self.pattern,
            inverse,
            np.zeros(0),
            self.parameter,
            self.name == "ar1",
            np.zeros(shape),
            np.zeros((0, 0, 0, 4)),
        )

    def gather(self, parts: Sequence[Any]) -> None:
        """Add up the products of all blocks."""
        self.products = np.asarray(sum(part.products for part in parts))

    def update(self) -> float:
        """Take the mean products as correlations."""
        known = self.products[:, 1] > 0.0
        mean = np.where(known, self.products[:, 0] / np.where(known, self.products[:, 1], 1.0), 0.0)
        new = np.array([fit_decay(mean, self.products[:, 1], self.distances)]) if self.name == "ar1" else mean
        change = float(np.abs(new - self.values).max(initial=0.0))
        self.values = new
        return change

    def table(self) -> pd.DataFrame:
        """Return the correlation of each pair of waves; for exchangeable and AR(1) the one parameter."""
        if self.name != "unstructured":
            return pd.DataFrame({"parameter": ["correlation"], "estimate": self.values})
        labels = self.data.waves.labels
        return pd.DataFrame(
            {
                "wave_1": [labels[s] for s, _ in self.pairs],
                "wave_2": [labels[t] for _, t in self.pairs],
                "parameter": "correlation",
                "estimate": self.values,
            }
        )


def fit_decay(mean: Floats, weight: Floats, distances: Floats) -> float:
    """Return rho of R_st = rho^|t - s| from the mean products at each distance, by weighted least squares.

    With one distance of 1 that is the mean product of neighbouring waves, as in SAS and geepack. A negative rho is
    possible only where all distances are whole.
    """
    if not weight.sum() > 0.0:
        return 0.0
    if distances.size == 1 and distances[0] == 1.0:
        return float(mean[0])
    unit = float(distances.min())
    scaled = distances / unit
    least = -1.0 if bool((scaled % 1.0 == 0.0).all()) and unit % 1.0 == 0.0 and unit % 2.0 == 1.0 else 0.0

    def loss(rho: float) -> float:
        power = np.sign(rho) ** (scaled % 2.0 if least < 0.0 else 0.0) * np.abs(rho) ** scaled
        return float(weight @ np.square(mean - power) / weight.sum())

    if distances.size == 1:
        best = float(max(mean[0], least * abs(mean[0])))
    else:
        grid = np.linspace(least, 1.0, 81)
        place = grid[int(np.argmin([loss(rho) for rho in grid]))]
        low, high = max(least, place - 0.03), min(1.0, place + 0.03)
        best = float(minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x)
    return float(np.sign(best) * np.abs(best) ** (1.0 / unit))


def correlation_estimator(data: PanelData, structure: str) -> CorrelationEstimator:
    """Start from no correlation."""
    check_waves(data.waves, structure)
    pattern, members = wave_patterns(data, structure)
    distances = np.zeros(0)
    parameter, pairs = pair_parameters(data, common=structure != "unstructured")
    if structure == "ar1":
        gaps = np.abs(np.subtract.outer(data.waves.times, data.waves.times))
        neighbours = _neighbour_gaps(data)
        distances = np.unique(neighbours) if neighbours.size else np.ones(1)
        parameter = np.searchsorted(distances, gaps).clip(0, distances.size - 1)
        parameter[distances[parameter] != gaps] = -1
    values = np.zeros(len(pairs) if structure == "unstructured" else 1)
    return CorrelationEstimator(
        structure, data, pattern, members, parameter.astype(np.int64), pairs, distances, values, np.zeros((0, 2))
    )


def _neighbour_gaps(data: PanelData) -> Floats:
    """Return the distances in time between neighbouring rows of a person."""
    times = data.waves.times[data.panel.position]
    inside = np.ones(times.size, dtype=np.bool_)
    inside[data.panel.person[:-1]] = False
    return np.asarray((times[1:] - times[:-1])[inside[1:]])


def wave_patterns(data: PanelData, structure: str) -> tuple[Ints, list[Ints]]:
    """Group persons by the waves that they have (for exchangeable: by how many)."""
    panel = data.panel
    if structure == "exchangeable":
        codes, sizes = pd.factorize(data.sizes)
        return codes.astype(np.int64), [np.zeros(int(size), dtype=np.int64) for size in sizes]
    if len(data.waves.labels) <= _MOST_WAVES:
        masks = np.bitwise_or.reduceat(np.int64(1) << panel.position, panel.person[:-1])
        codes, first = pd.factorize(masks)[0], np.unique(pd.factorize(masks)[0], return_index=True)[1]
    else:
        keys = [panel.position[a:b].tobytes() for a, b in zip(panel.person[:-1], panel.person[1:], strict=True)]
        codes = pd.factorize(np.array(keys, dtype=object))[0]
        first = np.unique(codes, return_index=True)[1]
    members = [panel.position[panel.person[i] : panel.person[i + 1]] for i in first]
    return np.asarray(codes, dtype=np.int64), members
