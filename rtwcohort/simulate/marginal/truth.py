"""The true values that go with a simulated outcome."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pandas as pd

COLUMNS: Final = ("outcome", "term", "scale", "value", "holds")


def truth_frame(rows: Iterable[tuple[str, str, str, float, str]]) -> pd.DataFrame:
    """Return true values as a frame.

    Returns
    -------
    pandas.DataFrame
        outcome; term; scale ("log_or", "log_hr", "rr", "icc", ...: what `value` is measured on); value; holds
        ("marginal", "conditional", "parameter": given covariates alone, given covariates and what the text of the
        declaration names besides, or a number that is neither).
    """
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    kinds: Any = {"outcome": object, "term": object, "scale": object, "value": "float64", "holds": object}
    return frame.astype(kinds)
