"""Global odds ratios between waves, estimated from pooled tables or by the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.errors import ConvergenceError, DesignError
from rtwcohort.models.ordinal_gee_association import pair_parameters
from rtwcohort.models.ordinal_gee_association_kernel import Association
from rtwcohort.models.ordinal_gee_odds_kernel import count_tables
from rtwcohort.models.ordinal_gee_panel import PanelData

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_RUNAWAY: Final = 15.0


@dataclass(slots=True)
class OddsRatioEstimator:
    """Global odds ratios between waves: pooled from tables, or by the score.

    Attributes
    ----------
    name
        "global_odds_ratio".
    data
        The panel.
    parameter, pairs
        As `pair_parameters` gives them.
    log_values
        Log odds ratios, one a parameter.
    used
        Pooled: tables that carry weight, shape (parameters, m, m); of length 0 for the score.
    crude
        Pooled: log odds ratios of the observed tables.
    sums
        Of the last pass.
    earlier
        Pooled: the log odds ratios before the last step and the gap that they left.
    """

    name: str
    data: PanelData
    parameter: Ints
    pairs: list[tuple[int, int]]
    log_values: Floats
    used: npt.NDArray[np.bool_]
    crude: Floats
    sums: list[Association] = field(default_factory=list)
    earlier: tuple[Floats, Floats] | None = None

    def association(self) -> Association:
        """Return the current odds ratios."""
        count = self.log_values.size
        m = self.data.n_categories - 1
        return Association(
            np.zeros(0, dtype=np.int64),
            np.zeros((0, 0, 0)),
            np.exp(self.log_values),
            self.parameter,
            False,
            np.zeros((count, 2)),
            np.zeros((count if self.used.size else 0, m, m, 4)),
        )

    def gather(self, parts: Sequence[Any]) -> None:
        """Keep the sums of all blocks."""
        self.sums = list(parts)

    def update(self) -> float:
        """Move so that the expected tables pool to the observed odds ratio, or one scoring step.

        Raises
        ------
        ConvergenceError
            When an odds ratio runs to 0 or infinity.
        """
        if self.used.size:
            step = self._pooled_step(np.asarray(sum(part.tables for part in self.sums)))
        else:
            total = np.asarray(sum(part.products for part in self.sums))
            step = np.clip(total[:, 0] / np.maximum(total[:, 1], 1e-300), -2.0, 2.0)
        self.log_values = self.log_values + step
        if not (np.abs(self.log_values) < _RUNAWAY).all():
            raise ConvergenceError(
                "A global odds ratio between waves runs to 0 or infinity: the outcome hardly changes between them. Use "
                "association='exchangeable' or 'independence', or odds_ratios='common'."
            )
        return float(np.abs(step).max())

    def _pooled_step(self, tables: Floats) -> Floats:
        """Close the gap between the observed and the expected tables, by a secant from the second time on."""
        gap = self.crude - pooled_log_odds(tables, self.used)
        slope = np.ones_like(gap)
        if self.earlier is not None:
            moved = self.log_values - self.earlier[0]
            wide = np.abs(moved) > 1e-10
            slope = np.where(wide, (self.earlier[1] - gap) / np.where(wide, moved, 1.0), 1.0)
            slope = np.where((slope > 0.4) & (slope < 2.5), slope, 1.0)
        self.earlier = (self.log_values, gap)
        return np.asarray(gap / slope)

    def table(self) -> pd.DataFrame:
        """Return the log odds ratios, by pair of waves unless common."""
        rows = {"parameter": "log odds ratio", "estimate": self.log_values, "odds_ratio": np.exp(self.log_values)}
        if not self.pairs:
            return pd.DataFrame(rows)
        labels = self.data.waves.labels
        return pd.DataFrame(
            {"wave_1": [labels[s] for s, _ in self.pairs], "wave_2": [labels[t] for _, t in self.pairs], **rows}
        )


def odds_ratio_estimator(data: PanelData, *, common: bool, pooled: bool) -> OddsRatioEstimator:
    """Count the tables of pairs of waves and start from their crude odds ratios.

    Raises
    ------
    DesignError
        When the pooled estimate finds no table without an empty cell.
    """
    m = data.n_categories - 1
    parameter, pairs = pair_parameters(data, common=common or not data.waves.known)
    count = len(pairs) if pairs else 1
    tables = np.zeros((count, m, m, 4))
    count_tables(data.panel, m, parameter, tables)
    later_not_lower = np.tril(np.ones((m, m), dtype=np.bool_))
    used = later_not_lower & (table_cells(tables) > 0.0).all(axis=-1)
    has_pairs = bool(tables[..., 3].any())
    if pooled and has_pairs and not used.any(axis=(1, 2)).all():
        raise DesignError(
            "The pooled global odds ratio needs, for each parameter, one pair of cut-points whose fourfold table of "
            "two waves has no empty cell; there is none. Use odds_ratio_method='score', odds_ratios='common' or "
            "association='exchangeable'."
        )
    crude = pooled_log_odds(tables, used) if has_pairs and used.any(axis=(1, 2)).all() else np.zeros(count)
    keep = used if pooled and has_pairs else np.zeros((0, m, m), dtype=np.bool_)
    return OddsRatioEstimator("global_odds_ratio", data, parameter, pairs, crude.copy(), keep, crude)


def table_cells(tables: Floats) -> Floats:
    """Return the four cells of tables given as both, first, second and all; shape (..., 4)."""
    both, first, second, everyone = (tables[..., k] for k in range(4))
    return np.stack([both, first - both, second - both, everyone - first - second + both], axis=-1)


def pooled_log_odds(tables: Floats, used: npt.NDArray[np.bool_]) -> Floats:
    """Return the mean log odds ratio of the tables used, weighted by inverse variance, one a parameter.

    Tables with an empty cell have infinite variance and so no weight.
    """
    cells = np.where(used[..., None], table_cells(tables), 1.0)
    log_odds = np.log(cells[..., 0] * cells[..., 3] / (cells[..., 1] * cells[..., 2]))
    weight = np.where(used, 1.0 / (1.0 / cells).sum(axis=-1), 0.0)
    return np.asarray((weight * log_odds).sum(axis=(1, 2)) / weight.sum(axis=(1, 2)))
