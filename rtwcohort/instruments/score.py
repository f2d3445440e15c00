"""Scores from answered items."""

from __future__ import annotations

import re
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_choice, check_columns, check_number, did_you_mean
from rtwcohort.core.frames import to_pandas
from rtwcohort.errors import ArgumentError
from rtwcohort.instruments.declarations import INSTRUMENTS, get_instrument, plain_instrument
from rtwcohort.instruments.instrument import Instrument, MissingRule, Operator

Duplicates = Literal["error", "last"]

_COLUMNS: Final = ("person_id", "instrument", "item", "value")


def score(
    questionnaires: Any,
    instrument: str | Instrument,
    *,
    wave: str | None = None,
    missing: MissingRule | None = None,
    min_answered: int | None = None,
    duplicates: Duplicates = "error",
) -> pd.DataFrame:
    """Score an instrument for each person and wave.

    Parameters
    ----------
    questionnaires
        Long answers: person_id, instrument, item, value, and wave and answered_on where there are several. Rows
        count when `instrument` names the scale or its questionnaire ("FABQ-W" or "FABQ"), whatever the case.
    instrument
        Name of a declared instrument, or an `Instrument`.
    wave
        Score this wave only; None scores every wave.
    missing
        "complete" gives a score only where every item is answered; "prorate" lets the mean of the answered items
        stand for the others once `min_answered` are answered. None takes the instrument's own rule.
    min_answered
        For "prorate"; None takes the instrument's own number, or half of the items where it has none.
    duplicates
        What to do with several answers by one person to one item at one wave: "error", or "last", which takes
        the one answered last (by answered_on, then by row).

    Returns
    -------
    pandas.DataFrame
        One row a person and wave with a row of this instrument: person_id, wave (None where the answers have
        none), score (NaN where too little is answered), n_answered (scored items). Sorted by person, then by
        wave with the numbers in its name in order ("M3" before "M12").

    Raises
    ------
    ArgumentError
        For an unknown instrument, wave or item, an instrument that is not computable, answers outside their
        range, and duplicates. The message has counts, never a person.
    """
    declared = instrument if isinstance(instrument, Instrument) else get_instrument(instrument)
    if declared.not_computable:
        raise ArgumentError(f"`instrument` {declared.name} is not computable: {declared.not_computable}.")
    check_choice(duplicates, get_args(Duplicates), argument="duplicates")
    rule, least = _missing_rule(declared, missing, min_answered)
    rows = _rows_of(to_pandas(questionnaires, argument="questionnaires"), declared, wave)
    answered = rows[rows["value"].notna()]
    _check_range(answered, declared)
    answered = _without_duplicates(answered, declared, duplicates)
    return _scored(rows, answered[answered["item"].isin(declared.items)], declared, rule, least)


def item_counts(
    questionnaires: pd.DataFrame, declared: Instrument, wave: str | None, duplicates: Duplicates
) -> pd.DataFrame:
    """Count answers to each scored item among people who answered at least one of them.

    Returns
    -------
    pandas.DataFrame
        scale, wave, item, n_answered, n_missing.
    """
    rows = _rows_of(questionnaires, declared, wave)
    answered = _without_duplicates(rows[rows["value"].notna()], declared, duplicates)
    answered = answered[answered["item"].isin(declared.items)]
    parts = []
    for name in sorted(answered["wave"].dropna().unique(), key=wave_key) or [None]:
        here = answered if name is None else answered[answered["wave"] == name]
        n_people = here["person_id"].nunique()
        counts = here["item"].value_counts().reindex(list(declared.items), fill_value=0)
        parts.append(
            pd.DataFrame(
                {
                    "scale": declared.name,
                    "wave": name,
                    "item": list(declared.items),
                    "n_answered": counts.to_numpy(dtype=np.int64),
                    "n_missing": n_people - counts.to_numpy(dtype=np.int64),
                }
            ).astype({"wave": object})
        )
    return pd.concat(parts, ignore_index=True)


def classify(
    scored: pd.DataFrame, instrument: str | Instrument, label: str, *, operator: Operator | None = None
) -> pd.Series[Any]:
    """Tell which scores have a published label, such as "possible case".

    Parameters
    ----------
    scored
        What `score` gives, or the frame of `score_instrument`.
    instrument, label
        The scale, and the label of one of its cut-offs.
    operator
        Another comparison than the declared one, where users differ (">" or ">=").

    Returns
    -------
    pandas.Series of dtype "boolean"
        Aligned with `scored`; missing where the score is missing.

    Raises
    ------
    ArgumentError
        When the instrument has no cut-off with this label, or the frame no score of it.
    """
    declared = instrument if isinstance(instrument, Instrument) else get_instrument(instrument)
    labels = [cut_off.label for cut_off in declared.cut_offs]
    if label not in labels:
        listed = ", ".join(repr(known) for known in labels) or "none"
        raise ArgumentError(
            f"`label` must be a cut-off of {declared.name} ({listed}); got {label!r}.{did_you_mean(label, labels)}"
        )
    cut_off = declared.cut_offs[labels.index(label)]
    name = declared.name.lower().replace("-", "_")
    column = name if name in scored.columns else "score"
    check_columns(scored.columns, [column], argument="scored")
    check_choice(operator or cut_off.operator, get_args(Operator), argument="operator")
    values = scored[column]
    compare = {">": values.gt, ">=": values.ge, "<": values.lt, "<=": values.le, "==": values.eq}
    return compare[operator or cut_off.operator](cut_off.value).astype("boolean").mask(values.isna())


def item_names(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return items as text: whole numbers lose their decimals, text its outer blanks."""
    if values.dtype.kind in "iuf":
        return values.map(lambda item: item if item != item else f"{item:g}").astype(object)
    return values.astype(object).where(values.isna(), values.astype(str).str.strip())


def _missing_rule(declared: Instrument, missing: str | None, min_answered: int | None) -> tuple[MissingRule, int]:
    check_choice(missing or declared.missing, get_args(MissingRule), argument="missing")
    rule: MissingRule = "complete" if (missing or declared.missing) == "complete" else "prorate"
    n_items = len(declared.items)
    if rule == "complete":
        if min_answered is not None:
            raise ArgumentError(
                "`min_answered` has a meaning only with `missing` 'prorate'; the rule here is 'complete'. "
                "Give missing='prorate' or leave it out."
            )
        return rule, n_items
    if min_answered is None:
        own = declared.min_answered if declared.missing == "prorate" else (n_items + 1) // 2
        return rule, own
    check_number(min_answered, argument="min_answered", least=1, most=n_items, whole=True)
    return rule, int(min_answered)


def _rows_of(frame: pd.DataFrame, declared: Instrument, wave: str | None) -> pd.DataFrame:
    """Return the rows of the instrument (and wave) with columns person_id, wave, item, value, answered_on."""
    check_columns(frame.columns, _COLUMNS, argument="questionnaires")
    if wave is not None:
        check_columns(frame.columns, ["wave"], argument="questionnaires")
    of_instrument = rows_named(frame, declared)
    if len(frame) and not of_instrument.any():
        present = sorted({str(name) for name in frame["instrument"].dropna()})
        raise ArgumentError(
            f"`questionnaires` has no rows of {declared.name}. Its instruments are: {', '.join(present) or 'none'}."
        )
    rows = frame.loc[of_instrument, [name for name in (*_COLUMNS, "wave", "answered_on") if name in frame.columns]]
    rows = rows.assign(
        item=item_names(rows["item"]),
        value=_numbers(rows["value"]),
        wave=rows["wave"] if "wave" in rows.columns else None,
    )
    if wave is not None and len(rows):
        waves = list(dict.fromkeys(str(name) for name in rows["wave"].dropna()))
        if str(wave) not in waves:
            raise ArgumentError(
                f"`wave` {wave!r} has no answers to {declared.name}.{did_you_mean(str(wave), waves)} "
                f"Its waves are: {', '.join(waves) or 'none'}."
            )
        rows = rows[rows["wave"].astype(str) == str(wave)]
    _check_items(rows, declared)
    return rows[rows["item"].isin(declared.statements)]


def rows_named(frame: pd.DataFrame, declared: Instrument) -> pd.Series[Any]:
    """Tell which rows name the scale or its questionnaire, however it is written."""
    plain = frame["instrument"].map({name: plain_instrument(name) for name in frame["instrument"].dropna().unique()})
    return plain.isin({declared.name.upper(), declared.family.upper()})


def _numbers(values: pd.Series[Any]) -> pd.Series[Any]:
    try:
        return pd.to_numeric(values).astype(np.float64)
    except (ValueError, TypeError) as error:
        raise ArgumentError("`questionnaires.value` must hold numbers; it holds text. Recode the answers.") from error


def _check_items(rows: pd.DataFrame, declared: Instrument) -> None:
    known = set(declared.statements)
    for other in INSTRUMENTS.values():
        if other.family == declared.family:
            known |= set(other.statements)
    strange = rows.loc[~rows["item"].isin(known), "item"]
    if len(strange):
        names = sorted({str(item) for item in strange})
        raise ArgumentError(
            f"`questionnaires.item` has {len(strange)} rows with items that {declared.family} does not have "
            f"({', '.join(repr(name) for name in names[:5])}{', ...' if len(names) > 5 else ''}). "
            f"The items of {declared.name} are: {', '.join(declared.statements)}."
        )


def _check_range(answered: pd.DataFrame, declared: Instrument) -> None:
    value = answered["value"]
    wrong = (value < declared.least) | (value > declared.most) | np.isinf(value)
    if declared.whole:
        wrong |= value != value.round()
    if wrong.any():
        counts = answered.loc[wrong, "item"].value_counts(sort=False)
        listed = ", ".join(f"item {item}: {count}" for item, count in counts.items())
        kind = "whole numbers" if declared.whole else "numbers"
        raise ArgumentError(
            f"`questionnaires.value` must hold {kind} from {declared.least:g} to {declared.most:g} for "
            f"{declared.name}; {int(wrong.sum())} answers are not ({listed}). "
            "Set codes for missing answers to missing and correct the others."
        )


def _without_duplicates(answered: pd.DataFrame, declared: Instrument, duplicates: Duplicates) -> pd.DataFrame:
    keys = ["person_id", "wave", "item"]
    again = answered.duplicated(keys, keep=False)
    if not again.any():
        return answered
    if duplicates == "error":
        groups = answered[again].drop_duplicates(keys)
        raise ArgumentError(
            f"`questionnaires` has {len(groups)} items of {declared.name} that one person answered more than once at "
            f"one wave ({int(again.sum())} rows). Remove the extra answers, or give duplicates='last'."
        )
    if "answered_on" in answered.columns:
        answered = answered.sort_values("answered_on", kind="stable", na_position="first")
    return answered.drop_duplicates(keys, keep="last")


def _scored(
    rows: pd.DataFrame, answered: pd.DataFrame, declared: Instrument, rule: MissingRule, least: int
) -> pd.DataFrame:
    waves = sorted(rows["wave"].dropna().unique(), key=wave_key)
    order = {wave: position for position, wave in enumerate(waves)}
    people = rows[["person_id", "wave"]].drop_duplicates()
    people = people.assign(position=people["wave"].map(order).fillna(-1).astype(np.int64))
    people = people.sort_values(["person_id", "position"], kind="stable")
    keys = pd.MultiIndex.from_arrays([people["person_id"], people["position"]])
    turned = answered["item"].isin(declared.reversed_items)
    value = answered["value"].where(~turned, declared.least + declared.most - answered["value"])
    position = answered["wave"].map(order).fillna(-1).astype(np.int64)
    grouped = value.groupby([answered["person_id"], position])
    total = grouped.sum().reindex(keys).to_numpy(dtype=np.float64, na_value=np.nan)
    count = grouped.count().reindex(keys, fill_value=0).to_numpy(dtype=np.int64)
    enough = count >= (least if rule == "prorate" else len(declared.items))
    return pd.DataFrame(
        {
            "person_id": people["person_id"].to_numpy(),
            "wave": people["wave"].to_numpy(dtype=object),
            "score": np.where(enough, _value(declared, total, count), np.nan),
            "n_answered": count,
        }
    )


def wave_key(wave: object) -> list[tuple[int, int, str]]:
    """Return what sorts names of waves with the numbers in them in order: "M3" before "M12"."""
    parts = re.split(r"(\d+)", str(wave))
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part]


def _value(declared: Instrument, total: Any, count: Any) -> Any:
    """Turn the sum of the answered items into the score; missing items take the mean of the answered ones."""
    n_items = len(declared.items)
    mean = total / np.where(count > 0, count, 1)
    if declared.scoring == "sum":
        return np.where(count == n_items, total, mean * n_items)
    if declared.scoring == "sum_percent":
        return 100.0 * (mean - declared.least) / (declared.most - declared.least)
    return mean
