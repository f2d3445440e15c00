"""Ordinal GEE for repeated ordered outcomes: a frame or arrays in, a named fit out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import did_you_mean
from rtwcohort.core.control import DEFAULT_CONTROL, Control
from rtwcohort.core.frames import to_pandas
from rtwcohort.design import build_design
from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models.compat import Compat
from rtwcohort.models.ordinal import EmptyCategoryWarning
from rtwcohort.models.ordinal_gee_choices import WorkingAssociation, settle_options
from rtwcohort.models.ordinal_gee_fit import fit_panel
from rtwcohort.models.ordinal_gee_panel import Waves, build_panel, find_waves
from rtwcohort.models.ordinal_gee_result import OrdinalGeeFit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Link = Literal["logit", "probit", "cloglog"]
_FEW = 100
Correction = Literal["none", "mancl_derouen", "kauermann_carroll", "fay_graubard"]


def fit_ordinal_gee(
    frame: Any,
    formula: str,
    *,
    id: str,
    wave: str | None = None,
    cluster: str | None = None,
    link: Link = "logit",
    association: WorkingAssociation = "independence",
    odds_ratios: Literal["common", "by_wave_pair"] = "common",
    odds_ratio_method: Literal["pooled", "score"] = "pooled",
    within_wave: Literal["multinomial", "diagonal"] = "multinomial",
    information: Literal["expected", "observed"] | None = None,
    correction: Correction | None = None,
    weights: Any = None,
    weight_type: Literal["probability", "frequency"] = "probability",
    offset: Any = None,
    missing: Literal["raise", "drop"] = "raise",
    levels: Sequence[Any] | None = None,
    reference: Mapping[str, Any] | None = None,
    compat: Compat | None = None,
    control: Control | None = None,
) -> OrdinalGeeFit:
    """Fit a cumulative link model to repeated ordered outcomes by generalised estimating equations.

    Parameters
    ----------
    frame
        One row a person and wave: pandas, Polars, PyArrow or DuckDB. Persons need not have every wave.
    formula
        "status ~ arm * wave + age". The outcome is an ordered categorical, whole numbers, or anything with `levels`.
    id
        Column of the person.
    wave
        Column of the wave: numbers and dates in their order, an ordered categorical as declared. None when the rows of
        an `id` have no order (then 'independence', 'exchangeable' and one common odds ratio are possible).
    cluster
        Column of a coarser cluster (workplace, clinic) that persons are nested in: the variance is then robust to
        association within it; the working association stays within persons.
    link
        "logit", "probit" or "cloglog", of P(Y <= j).
    association
        Working association between the waves of a person: "independence", "exchangeable", "ar1", "unstructured" or
        "global_odds_ratio". Estimates are consistent whichever is taken; the right one makes them more precise.
    odds_ratios, odds_ratio_method
        One global odds ratio, or one a pair of waves; estimated from pooled tables (as statsmodels does) or by the
        score, which needs no table without empty cells and does not depend on the direction of the scale.
    within_wave
        "multinomial", or "diagonal": under independence, the cut-points of a wave too are taken as independent (what
        statsmodels' `Independence` does; less precise).
    information
        Bread of the sandwich: "expected" (default; as SAS and multgee) or "observed" (as a sandwich after polr, clm or
        Stata's ologit).
    correction
        For few clusters: "kauermann_carroll" (recommended below 50), "mancl_derouen", "fay_graubard"; with t intervals,
        clusters less parameters degrees of freedom. None warns below 50 clusters, "none" does not.
    weights
        Column or one number a row (inverse probabilities of treatment or of being seen at the wave), or a mapping from
        `id` to the person's weight.
    weight_type
        "probability", or "frequency": the rows stand for that many like persons.
    offset
        Column or one number a row, added to x'b.
    missing
        "raise", or "drop" rows with a missing outcome, predictor, id, wave or weight and count them.
    levels
        The categories from the lowest to the highest.
    reference
        Categorical column -> reference level.
    compat
        "r" (multgee), "stata" (ologit with clusters), "sas" (GENMOD) or "spss" (GENLIN): its defaults where an argument
        is not given.
    control
        Tolerances.

    Raises
    ------
    DesignError, ArgumentError
        For a formula, column or option that cannot be used.
    ConvergenceError
        When the equations are not solved or the working covariance is not positive definite.

    Warns
    -----
    FewClustersWarning
        Below 50 clusters without a correction.
    WaveWeightsWarning
        For weights that differ between the waves of a person under another association than independence.
    MonotoneLikelihoodWarning
        When an estimate is infinite; the message names the term.
    EmptyCategoryWarning
        When a declared category does not occur.

    Notes
    -----
    link(P(Y <= j)) = threshold_j - x'b, so that exp(b) above 1 means a better status. R's multgee and SAS print the
    opposite sign of b; see docs/explanation/ordinal_gee.md.

    References
    ----------
    Lipsitz, Kim and Zhao (1994), Statistics in Medicine 13, 1149-1163. Heagerty and Zeger (1996), JASA 91, 1024-1036.
    """
    options = settle_options(
        link=link,
        association=association,
        odds_ratios=odds_ratios,
        odds_ratio_method=odds_ratio_method,
        within_wave=within_wave,
        information=information,
        correction=correction,
        weight_type=weight_type,
        compat=compat,
    )
    data = to_pandas(frame, argument="frame")
    keys = list(dict.fromkeys(column for column in (id, wave, cluster) if column is not None))
    n_rows, by_row = (
        len(data),
        {"weights": _row_values(_person_weights(weights, data, id)), "offset": _row_values(offset)},
    )
    data, by_row, absent = _with_keys(data, keys, by_row, missing)
    design = build_design(
        data,
        formula,
        response="ordinal",
        levels=levels,
        missing=missing,
        reference=reference,
        default_reference=options.defaults.reference,
        weights=by_row["weights"],
        offset=by_row["offset"],
    )
    response = design.response
    if response.empty:
        _warn_empty(response.name, response.empty)
    columns = {column: _kept(data[column], design.kept) for column in keys}
    panel = build_panel(
        design.matrix,
        response.codes,
        person=columns[id],
        waves=find_waves(None if wave is None else columns[wave], len(design.matrix), name=wave or "wave"),
        cluster=None if cluster is None else columns[cluster],
        weight=design.extras.weights,
        frequency=weight_type == "frequency",
        offset=design.extras.offset,
    )
    fit = fit_panel(
        panel,
        options,
        names=design.names,
        labels=response.labels,
        empty=response.empty,
        weighted=design.extras.weights is not None,
        has_offset=design.extras.offset is not None,
        control=control or DEFAULT_CONTROL,
    )
    info = replace(design.info, n_rows=n_rows, n_missing={**absent, **design.info.n_missing})
    return replace(fit, design=info)


def fit_ordinal_gee_arrays(
    X: Floats,
    y: npt.ArrayLike,
    *,
    id: npt.ArrayLike,
    wave: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    link: Link = "logit",
    association: WorkingAssociation = "independence",
    odds_ratios: Literal["common", "by_wave_pair"] = "common",
    odds_ratio_method: Literal["pooled", "score"] = "pooled",
    within_wave: Literal["multinomial", "diagonal"] = "multinomial",
    information: Literal["expected", "observed"] | None = None,
    correction: Correction | None = None,
    weights: npt.ArrayLike | None = None,
    weight_type: Literal["probability", "frequency"] = "probability",
    offset: npt.ArrayLike | None = None,
    compat: Compat | None = None,
    control: Control | None = None,
    names: Sequence[str] | None = None,
) -> OrdinalGeeFit:
    """Fit an ordinal GEE to arrays, for simulation and bootstrap.

    Parameters
    ----------
    X
        Shape (n, p), finite numbers, no intercept.
    y
        Shape (n,): whole numbers; the values that occur are the categories, in ascending order.
    id, wave, cluster
        Labels, shape (n,).
    weights, offset
        Shape (n,); weights above 0.
    names
        Of the columns; "x1" to "xp" when None.
    link, association, odds_ratios, odds_ratio_method, within_wave, information, correction, weight_type
        As in `fit_ordinal_gee`.
    compat, control
        As in `fit_ordinal_gee`.

    Raises
    ------
    DesignError, ArgumentError, ConvergenceError
        As `fit_ordinal_gee`.
    """
    options = settle_options(
        link=link,
        association=association,
        odds_ratios=odds_ratios,
        odds_ratio_method=odds_ratio_method,
        within_wave=within_wave,
        information=information,
        correction=correction,
        weight_type=weight_type,
        compat=compat,
    )
    matrix = np.asarray(X, dtype=np.float64)
    if matrix.ndim != 2 or len(matrix) == 0:
        raise DesignError(f"`X` must have shape (n, p) with at least one row; got {matrix.shape}.")
    n, p = matrix.shape
    terms = tuple(names) if names is not None else tuple(f"x{j + 1}" for j in range(p))
    if len(terms) != p:
        raise DesignError(f"`names` must have one name a column ({p}); got {len(terms)}.")
    if not np.isfinite(matrix).all():
        bad = terms[int(np.flatnonzero(~np.isfinite(matrix).all(axis=0))[0])]
        raise DesignError(f"`X` holds a missing or infinite value in '{bad}': drop or impute those rows.")
    codes, labels = _categories(y, n)
    panel = build_panel(
        matrix,
        codes,
        person=np.asarray(id),
        waves=_array_waves(wave, n),
        cluster=None if cluster is None else np.asarray(cluster),
        weight=None if weights is None else _finite(weights, n, "weights", positive=True),
        frequency=weight_type == "frequency",
        offset=None if offset is None else _finite(offset, n, "offset"),
    )
    for name, column in zip(terms, matrix.T, strict=True):
        if (column[:_FEW] == column[0]).all() and (column == column[0]).all():
            raise DesignError(
                f"The column '{name}' has one value in the {n} rows: leave it out (the thresholds are the intercepts)."
            )
    return fit_panel(
        panel,
        options,
        names=terms,
        labels=labels,
        empty=(),
        weighted=weights is not None,
        has_offset=offset is not None,
        control=control or DEFAULT_CONTROL,
    )


def _with_keys(
    data: pd.DataFrame, keys: list[str], by_row: dict[str, Any], missing: str
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, int]]:
    """Return the rows that have person, wave and cluster, what comes by row, and how often each column is missing."""
    names = [str(column) for column in data.columns]
    for column in keys:
        if column not in names:
            raise DesignError(
                f"'{column}' (`id`, `wave` or `cluster`) is not a column.{did_you_mean(column, names)} The "
                f"columns are: {', '.join(names[:20])}."
            )
    absent = {column: int(data[column].isna().sum()) for column in keys}
    absent = {column: count for column, count in absent.items() if count}
    if not absent:
        return data, by_row, absent
    has = data[keys].notna().all(axis=1).to_numpy()
    if missing != "drop":
        listed = ", ".join(f"`{column}` in {count}" for column, count in absent.items())
        raise DesignError(
            f"Values are missing in {int((~has).sum())} of {len(data)} rows: {listed}. Pass missing='drop' to leave "
            "these rows out (they are counted in the result)."
        )
    taken = {name: value[has] if isinstance(value, np.ndarray) else value for name, value in by_row.items()}
    return data[has].reset_index(drop=True), taken, absent


def _kept(column: Any, kept: npt.NDArray[np.bool_]) -> Any:
    series = column.reset_index(drop=True)
    return series if kept.all() else series[kept].reset_index(drop=True)


def _row_values(values: Any) -> Any:
    """Return an array unless a column is named."""
    return values if values is None or isinstance(values, str) else np.asarray(values)


def _person_weights(weights: Any, data: pd.DataFrame, id: str) -> Any:
    """Give every row its person's weight where weights come by person."""
    if not isinstance(weights, Mapping):
        return weights
    if id not in data.columns:
        return None
    found = data[id].map(dict(weights))
    unknown = data[id].notna() & found.isna()
    if unknown.any():
        raise ArgumentError(
            f"`weights` has no weight for {data.loc[unknown, id].nunique()} persons of `{id}`: give every person one, "
            "0 to leave somebody out."
        )
    return found.to_numpy(dtype=np.float64)


def _warn_empty(name: str, empty: tuple[str, ...]) -> None:
    warnings.warn(
        f"Nobody has the categories {', '.join(empty)} of `{name}`: they are left out of the model, which has no "
        "threshold for them.",
        EmptyCategoryWarning,
        stacklevel=3,
    )


def _array_waves(wave: npt.ArrayLike | None, n: int) -> Waves:
    return find_waves(None if wave is None else np.asarray(wave), n)


def _categories(y: npt.ArrayLike, n: int) -> tuple[Ints, tuple[str, ...]]:
    values = np.asarray(y)
    if values.shape != (n,) or values.dtype.kind not in "iufb":
        raise DesignError(f"`y` must hold whole numbers, shape ({n},); got {values.dtype} of shape {values.shape}.")
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise DesignError(f"`y` is missing in {int((~np.isfinite(values)).sum())} rows: drop them.")
        if (values % 1.0 != 0.0).any():
            raise DesignError("`y` must hold whole numbers, one a category.")
    whole = values.astype(np.int64)
    low, high = int(whole.min()), int(whole.max())
    found = np.flatnonzero(np.bincount(whole - low)) + low if high - low < 10_000 else np.unique(whole)
    if found.size < 2:
        raise DesignError(f"`y` is {found[0]} in all {n} rows: nothing to model.")
    codes = whole - low if found.size == high - low + 1 else np.searchsorted(found, whole)
    return codes.astype(np.int64, copy=False), tuple(str(value) for value in found)


def _finite(values: npt.ArrayLike, n: int, name: str, *, positive: bool = False) -> Floats:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (n,) or not np.isfinite(numbers).all() or (positive and not (numbers > 0.0).all()):
        above = " above 0" if positive else ""
        raise DesignError(f"`{name}` must hold one finite number{above} a row ({n}); leave other rows out.")
    return numbers
