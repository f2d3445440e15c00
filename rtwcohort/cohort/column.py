"""A covariate before it enters the cohort: its values and how to read them; category order and cut points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.cohort.declaration import number_words
from rtwcohort.core.checks import check_number
from rtwcohort.errors import ArgumentError, CohortError

QUANTILES: Final[Mapping[str, int]] = {"median": 2, "tertiles": 3, "quartiles": 4, "quintiles": 5}
"""Cut points taken from the cohort itself: name -> number of parts."""

CATEGORY_ORDERS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "sex": (("female",), ("male",)),
    "education": (
        ("none", "no_education"),
        ("primary", "primary_school", "compulsory", "elementary", "basic", "grunnskole"),
        ("lower_secondary", "secondary_lower", "ungdomsskole"),
        ("secondary",),
        (
            "upper_secondary",
            "upper_secondary_vocational",
            "secondary_upper",
            "high_school",
            "videregaende",
            "videregående",
        ),
        ("vocational", "fagskole"),
        ("higher", "tertiary", "college_university", "college", "university", "hoyere", "høyere"),
        ("university_short", "short_tertiary", "bachelor", "university_1_4_years"),
        ("university_long", "long_tertiary", "master", "university_over_4_years"),
        ("phd", "doctorate"),
        ("other", "annet"),
        ("unknown", "unspecified", "ukjent"),
    ),
    "marital_status": (
        ("single", "unmarried", "never_married", "ugift"),
        ("married_cohabiting", "married", "gift"),
        ("cohabiting", "samboer"),
        ("divorced_separated", "separated", "divorced", "separert", "skilt"),
        ("widowed", "enke"),
        ("other", "annet"),
        ("unknown", "ukjent"),
    ),
    "sector": (("private",), ("public",), ("municipal",), ("state",), ("self_employed",), ("other",), ("unknown",)),
}
"""Rungs in order, each with the names it goes by; used when every observed category is one of them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A covariate of all candidates.

    Attributes
    ----------
    values
        Shape (n,), index 0..n-1: float64 where numeric, object (text or None) where categorical.
    kind
        "numeric" or "categorical".
    label, unit, source
        As in `Variable`.
    order
        Known order of the categories; categories outside it come after, by name.
    """

    values: pd.Series[Any]
    kind: str
    label: str
    unit: str = ""
    source: str = ""
    order: tuple[str, ...] = ()


def numeric(values: Any, label: str, unit: str, source: str) -> Column:
    """Make a numeric column."""
    return Column(pd.Series(np.asarray(values, dtype=np.float64)), "numeric", label, unit, source)


def categorical(values: Any, label: str, source: str, *, order: Sequence[str] = ()) -> Column:
    """Make a categorical column of texts; whole numbers lose their ".0"."""
    series = pd.Series(values).reset_index(drop=True).astype(object)
    texts = series.map(_category_text, na_action="ignore").where(series.notna(), None)
    return Column(texts.astype(object), "categorical", label, "", source, tuple(order))


def _category_text(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def to_kind(column: Column, kind: str | None, *, owner: str) -> Column:
    """Read numbers as categories or texts as numbers, when the study asks for it."""
    if kind is None or kind == column.kind:
        return column
    if kind == "categorical":
        made = categorical(column.values, column.label, column.source)
        return replace(made, order=_by_name(list(made.values.dropna().unique())))
    numbers = pd.to_numeric(column.values, errors="coerce")
    if (bad := numbers.isna() & column.values.notna()).any():
        raise CohortError(
            f"`{owner}` has kind = 'numeric' but {int(bad.sum())} people have a value that is not a number. "
            "Leave `kind` out to use its categories."
        )
    return numeric(numbers, column.label, column.unit, column.source)


def as_categorical(column: Column, name: str) -> pd.Series[Any]:
    """Return the column as an ordered-by-category pandas Categorical with the observed categories only."""
    observed = [str(value) for value in column.values.dropna().unique()]
    order = [value for value in (column.order or declared_order(name, observed)) if value in observed]
    rest = _by_name([value for value in observed if value not in order])
    return pd.Series(pd.Categorical(column.values, categories=[*order, *rest]))


def declared_order(name: str, observed: Sequence[str]) -> tuple[str, ...]:
    """Return the observed categories by their known order, empty when one of them is unknown."""
    rung = {alias: number for number, aliases in enumerate(CATEGORY_ORDERS.get(name, ())) for alias in aliases}
    places = [rung.get(value.strip().lower().replace(" ", "_").replace("-", "_")) for value in observed]
    if any(place is None for place in places):
        return ()
    return tuple(value for _, value in sorted(zip(places, observed, strict=True)))


def _by_name(values: Sequence[str]) -> tuple[str, ...]:
    """Sort by name; numbers by size where all are numbers."""
    texts = [str(value) for value in values]
    try:
        return tuple(sorted(texts, key=float))
    except ValueError:
        return tuple(sorted(texts))


def cut_column(column: Column, cut: Any, names: Sequence[str] | None, *, owner: str) -> Column:
    """Put a numeric column into classes.

    Parameters
    ----------
    column
        A numeric column of the final cohort.
    cut
        Ascending cut points, each the lowest value of its class, or a name of `QUANTILES`.
    names
        Names of the classes, one more than cut points; None makes them from the cut points.
    owner
        For messages.

    Returns
    -------
    Column
        Categorical, classes in ascending order. Quantile classes include their upper limit, as "at most the median"
        says.
    """
    if column.kind != "numeric":
        raise ArgumentError(f"`{owner}.cut` needs a numeric covariate; '{column.label}' has categories.")
    values = column.values.to_numpy(dtype=np.float64)
    by_quantile = isinstance(cut, str)
    points = _quantile_points(values, cut, owner) if isinstance(cut, str) else _checked_points(cut, owner)
    if names is not None and len(names) != len(points) + 1:
        raise ArgumentError(
            f"`{owner}.cut_labels` must have one name more than there are cut points ({len(points) + 1}); "
            f"got {len(names)}."
        )
    classes = tuple(names or _class_names(points, values, upper=by_quantile))
    where = np.searchsorted(points, values, side="left" if by_quantile else "right")
    texts = np.array(classes, dtype=object)[np.minimum(where, len(classes) - 1)]
    texts[np.isnan(values)] = None
    unit = f", {column.unit}" if column.unit else ""
    return Column(
        pd.Series(texts, dtype=object),
        "categorical",
        f"{column.label}{unit}",
        "",
        f"{column.source}, in classes",
        classes,
    )


def _checked_points(cut: Any, owner: str) -> list[float]:
    points = [cut] if isinstance(cut, int | float) and not isinstance(cut, bool) else list(cut)
    for point in points:
        check_number(point, argument=f"{owner}.cut")
    if not points or any(b <= a for a, b in pairwise(points)):
        raise ArgumentError(f"`{owner}.cut` must be ascending cut points such as [30, 40, 50]; got {cut!r}.")
    return [float(point) for point in points]


def _quantile_points(values: np.ndarray[Any, np.dtype[np.float64]], cut: str, owner: str) -> list[float]:
    if cut not in QUANTILES:
        raise ArgumentError(
            f"`{owner}.cut` must be cut points such as [30, 40, 50] or one of {', '.join(QUANTILES)}; got {cut!r}."
        )
    known = values[~np.isnan(values)]
    parts = QUANTILES[cut]
    points = np.quantile(known, np.arange(1, parts) / parts) if len(known) else np.array([])
    if len(points) == 0 or len(set(points)) < len(points) or points[-1] >= known.max():
        raise CohortError(
            f"`{owner}.cut` = '{cut}' cannot be made: too many people share the same value. Give cut points instead."
        )
    return [float(point) for point in points]


def _class_names(points: Sequence[float], values: np.ndarray[Any, np.dtype[np.float64]], *, upper: bool) -> list[str]:
    text = [number_words(point) for point in points]
    if upper:
        between = [f"over {a} to {b}" for a, b in pairwise(text)]
        return [f"at most {text[0]}", *between, f"over {text[-1]}"]
    known = values[~np.isnan(values)]
    if bool(np.all(known == np.floor(known))) and all(point.is_integer() for point in points):
        last = [number_words(point - 1) for point in points[1:]]
        between = [a if a == b else f"{a}-{b}" for a, b in zip(text, last, strict=False)]
    else:
        between = [f"{a} to under {b}" for a, b in pairwise(text)]
    return [f"under {text[0]}", *between, f"{text[-1]} or more"]
