"""Score a whole questionnaire, with an account of what was missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_columns, did_you_mean
from rtwcohort.core.frames import to_pandas
from rtwcohort.errors import ArgumentError
from rtwcohort.instruments.declarations import INSTRUMENTS, get_instrument, plain_instrument
from rtwcohort.instruments.instrument import Instrument, MissingRule
from rtwcohort.instruments.named import NAMED
from rtwcohort.instruments.options import ItemChoice, Reversals, check_listed, choose
from rtwcohort.instruments.score import Duplicates, item_counts, rows_named, score, wave_key
from rtwcohort.instruments.wide import long_from_wide, matching_columns

_LONG = ("instrument", "item", "value")


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of a questionnaire.

    Attributes
    ----------
    frame
        One row a person and wave with any answer row of it: person_id, wave, and for each scale its score ("fabq_w",
        NaN where too little is answered) and the number of scored items answered ("fabq_w_n_answered").
    report
        One row a scale and wave: scale, wave, n_items, n_people, n_scored, n_complete (scored with every item),
        n_prorated (scored with items missing), n_nothing_answered and n_too_few_answered (not scored), n_items_missing
        (over people who answered something).
    items
        One row a scale, wave and item: scale, wave, item, n_answered, n_missing (of people who answered something).
    rule
        Scale -> the missing rule, in words.
    absent
        Scales of the questionnaire that the answers do not have at all.
    """

    frame: pd.DataFrame
    report: pd.DataFrame
    items: pd.DataFrame
    rule: dict[str, str]
    absent: tuple[str, ...]

    def describe(self) -> str:
        """Return a line a scale and wave."""
        lines = [f"{name}: not among these answers." for name in self.absent]
        for row in self.report.to_dict("records"):
            when = f" at {row['wave']}" if isinstance(row["wave"], str) else ""
            prorated = f" ({row['n_prorated']} of them with items missing)" if row["n_prorated"] else ""
            lines.append(
                f"{row['scale']}{when}: {row['n_people']} people, {row['n_scored']} scored{prorated}; "
                f"{row['n_nothing_answered']} answered nothing, {row['n_too_few_answered']} too little "
                f"({self.rule[row['scale']]}); {row['n_items_missing']} items missing."
            )
        return "\n".join(lines)


def score_instrument(
    frame: Any,
    instrument: str | Instrument,
    *,
    wave: str | None = None,
    missing: MissingRule | None = None,
    min_answered: int | None = None,
    duplicates: Duplicates = "error",
    items: ItemChoice = "published",
    reversals: Reversals | Sequence[str] = "declared",
    columns: Mapping[str, str] | None = None,
    person_id: str = "person_id",
) -> Scores:
    """Score every scale of a questionnaire.

    Parameters
    ----------
    frame
        Long answers (person_id, instrument, item, value, and wave where there are several), or a wide table with one
        row a person (and wave) and a column an item ("fabq6", "FABQ_W_6").
    instrument
        A questionnaire ("fabq": both scales), one scale ("fabq_w"), or an `Instrument` of your own.
    wave
        This wave only; for a wide table without a column `wave`, the name of its wave. None scores every wave.
    missing, min_answered, duplicates
        As in `score`; None takes each scale's own rule.
    items
        "published": the items that the published score adds; "all": every statement of that part (FABQ).
    reversals
        "declared": the items turned round by declaration; "all", "none", or a list of items. OMPSQ-SF needs a list.
    columns
        For wide tables: item -> column; None finds them by name.
    person_id
        For wide tables: the column of the person.

    Returns
    -------
    Scores
        Scores, and how many answers were missing.

    Raises
    ------
    ArgumentError
        For an unknown instrument or one that the sources do not let score (naming what is not stated), unknown items,
        answers outside their range (with the instrument's item numbers and counts, never a person), and duplicates.

    Examples
    --------
    >>> import pandas as pd
    >>> wide = pd.DataFrame({"person_id": [1, 2], **{f"fabq{i}": [3, 5] for i in range(1, 17)}})
    >>> score_instrument(wide, "fabq").frame[["person_id", "fabq_pa", "fabq_w"]]
       person_id  fabq_pa  fabq_w
    0          1     12.0    21.0
    1          2     20.0    35.0
    """
    scales = _scales(instrument)
    check_listed(scales, reversals)
    chosen = tuple(choose(scale, items, reversals) for scale in scales)
    table = to_pandas(frame, argument="frame")
    absent = _absent(table, chosen, columns)
    chosen = tuple(scale for scale in chosen if scale.name not in absent)
    if not set(_LONG) <= set(table.columns):
        table = _long(table, chosen, wave, columns, person_id)
        wave = None
    options: dict[str, Any] = {"missing": missing, "min_answered": min_answered, "duplicates": duplicates}
    parts = [_part(table, scale, wave, options) for scale in chosen]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge(part, on=["person_id", "wave"], how="outer", sort=False)
    merged = _in_order(merged)
    for scale in chosen:
        counts = merged[_column(scale) + "_n_answered"]
        merged[_column(scale) + "_n_answered"] = counts.fillna(0).astype(np.int64)
    return Scores(
        frame=merged,
        report=_report(merged, chosen),
        items=pd.concat([item_counts(table, scale, wave, duplicates) for scale in chosen], ignore_index=True),
        rule={scale.name: _rule(scale, missing, min_answered) for scale in chosen},
        absent=absent,
    )


def _scales(instrument: str | Instrument) -> tuple[Instrument, ...]:
    if isinstance(instrument, Instrument):
        return (instrument,)
    plain = plain_instrument(instrument)
    if plain == "JOB-STRAIN":
        raise ArgumentError("`instrument` job strain follows from two scales of the DCSQ: use `job_strain`.")
    if plain == "WORK-STATUS":
        raise ArgumentError("`instrument` work status is two questions with codes: use `answered_work_status`.")
    family = tuple(scale for scale in INSTRUMENTS.values() if scale.family.upper() == plain)
    if plain in INSTRUMENTS or plain in NAMED:
        return (get_instrument(instrument),)
    if not family:
        known = [*dict.fromkeys(scale.family for scale in INSTRUMENTS.values()), *INSTRUMENTS, *NAMED]
        raise ArgumentError(
            "`instrument` must be a declared questionnaire or scale (`instrument_catalogue()` lists them); "
            f"got {instrument!r}.{did_you_mean(plain, known)}"
        )
    return family


def _absent(table: pd.DataFrame, scales: Sequence[Instrument], columns: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return the scales of a questionnaire without any row or column; none when that would be all of them."""
    if set(_LONG) <= set(table.columns):
        there = [bool(rows_named(table, scale).any()) for scale in scales]
    elif columns is None:
        there = [bool(matching_columns(table, scale)) for scale in scales]
    else:
        there = [any(str(item) in scale.statements for item in columns) for scale in scales]
    return tuple(scale.name for scale, here in zip(scales, there, strict=True) if not here) if any(there) else ()


def _long(
    table: pd.DataFrame,
    scales: Sequence[Instrument],
    wave: str | None,
    columns: Mapping[str, str] | None,
    person_id: str,
) -> pd.DataFrame:
    check_columns(table.columns, [person_id], argument="frame")
    if "wave" not in table.columns:
        parts = [_long_wave(table, scales, wave, columns, person_id)]
    else:
        waves = [name for name in table["wave"].dropna().unique() if wave is None or str(name) == wave]
        if not waves:
            listed = ", ".join(sorted({str(name) for name in table["wave"].dropna()})) or "none"
            raise ArgumentError(f"`wave` {wave!r} has no rows. The waves are: {listed}.")
        unknown = int(table["wave"].isna().sum())
        if unknown:
            raise ArgumentError(f"`frame.wave` must be known in every row; {unknown} rows have none.")
        parts = [_long_wave(table[table["wave"] == name], scales, str(name), columns, person_id) for name in waves]
    return pd.concat(parts, ignore_index=True)


def _long_wave(
    table: pd.DataFrame,
    scales: Sequence[Instrument],
    wave: str | None,
    columns: Mapping[str, str] | None,
    person_id: str,
) -> pd.DataFrame:
    parts = []
    for scale in scales:
        own = None if columns is None else {k: v for k, v in columns.items() if str(k) in scale.statements}
        long = long_from_wide(table, scale, wave or "", columns=own, person_id=person_id)
        parts.append(long if wave else long.assign(wave=None))
    if columns is not None:
        known = {item for scale in scales for item in scale.statements}
        stray = [str(item) for item in columns if str(item) not in known]
        if stray:
            names = " and ".join(scale.name for scale in scales)
            raise ArgumentError(f"`columns` names the item {stray[0]!r}, which {names} do not have.")
    return pd.concat(parts, ignore_index=True)


def _column(scale: Instrument) -> str:
    return scale.name.lower().replace("-", "_")


def _part(table: pd.DataFrame, scale: Instrument, wave: str | None, options: dict[str, Any]) -> pd.DataFrame:
    name = _column(scale)
    scored = score(table, scale, wave=wave, **options)
    return scored.rename(columns={"score": name, "n_answered": f"{name}_n_answered"})


def _in_order(merged: pd.DataFrame) -> pd.DataFrame:
    waves = sorted(merged["wave"].dropna().unique(), key=wave_key)
    position = merged["wave"].map({name: number for number, name in enumerate(waves)}).fillna(-1)
    order = np.lexsort((position.to_numpy(), pd.Index(merged["person_id"]).factorize(sort=True)[0]))
    return merged.iloc[order].reset_index(drop=True)


def _report(merged: pd.DataFrame, scales: Sequence[Instrument]) -> pd.DataFrame:
    rows = []
    waves: list[Any] = sorted(merged["wave"].dropna().unique(), key=wave_key)
    if merged["wave"].isna().any():
        waves.append(None)
    for scale in scales:
        name, n_items = _column(scale), len(scale.items)
        for wave in waves:
            group = merged[merged["wave"].isna()] if wave is None else merged[merged["wave"] == wave]
            answered = group[f"{name}_n_answered"]
            scored = group[name].notna()
            rows.append(
                {
                    "scale": scale.name,
                    "wave": wave,
                    "n_items": n_items,
                    "n_people": len(group),
                    "n_scored": int(scored.sum()),
                    "n_complete": int((scored & answered.eq(n_items)).sum()),
                    "n_prorated": int((scored & answered.lt(n_items)).sum()),
                    "n_nothing_answered": int(answered.eq(0).sum()),
                    "n_too_few_answered": int((~scored & answered.gt(0)).sum()),
                    "n_items_missing": int((n_items - answered[answered.gt(0)]).sum()),
                }
            )
    names = ["scale", "wave", "n_items", "n_people", "n_scored", "n_complete", "n_prorated", "n_nothing_answered"]
    return pd.DataFrame(rows, columns=[*names, "n_too_few_answered", "n_items_missing"]).astype({"wave": object})


def _rule(scale: Instrument, missing: MissingRule | None, min_answered: int | None) -> str:
    n_items = len(scale.items)
    if (missing or scale.missing) == "complete":
        return f"all {n_items} items are needed" if n_items > 1 else "one item"
    own = scale.min_answered if scale.missing == "prorate" else (n_items + 1) // 2
    return f"at least {min_answered or own} of {n_items} items are needed, their mean standing for the others"
