"""All instruments as one table."""

from __future__ import annotations

import pandas as pd

from rtwcohort.instruments.declarations import INSTRUMENTS
from rtwcohort.instruments.instrument import Instrument
from rtwcohort.instruments.named import NAMED, NamedScale


def instrument_catalogue() -> pd.DataFrame:
    """List every declared scale.

    Returns
    -------
    pandas.DataFrame
        One row a scale: name, label, questionnaire, scored ("yes", or why not), n_items, items, answers, score_range,
        scoring, reversed_items, missing_rule, cut_offs, alpha, direction, used_by, source, note. Texts; empty
        where nothing is stated.
    """
    rows = [_scale(scale) for scale in INSTRUMENTS.values()] + [_named(scale) for scale in NAMED.values()]
    return pd.DataFrame(rows)


def _scale(scale: Instrument) -> dict[str, object]:
    kind = "" if scale.whole else ", any number"
    return {
        "name": scale.name,
        "label": scale.label,
        "questionnaire": scale.family,
        "scored": f"only with `reversals`: {scale.not_computable}" if scale.not_computable else "yes",
        "n_items": str(len(scale.items)),
        "items": ", ".join(scale.items),
        "answers": f"{scale.least:g} to {scale.most:g}{kind}",
        "score_range": "{:g} to {:g}".format(*scale.score_range) if scale.ordered else "codes",
        "scoring": {"sum": "sum", "mean": "mean", "single": "the answer", "sum_percent": "percent of the range"}[
            scale.scoring
        ],
        "reversed_items": ", ".join(scale.reversed_items),
        "missing_rule": _missing(scale),
        "cut_offs": "; ".join(f"{item.label}: {item.operator} {item.value:g}" for item in scale.cut_offs),
        "alpha": "; ".join(f"{item.alpha:.2f} (n = {item.n:,}; {item.source})" for item in scale.reliability),
        "direction": scale.direction,
        "used_by": ", ".join(scale.used_by),
        "source": scale.source,
        "note": scale.note,
    }


def _missing(scale: Instrument) -> str:
    if len(scale.items) == 1:
        return ""
    if scale.missing == "complete":
        return "every item is needed"
    return f"mean of the others once {scale.min_answered} are answered"


def _named(scale: NamedScale) -> dict[str, object]:
    return {
        "name": scale.name,
        "label": scale.label,
        "questionnaire": scale.name,
        "scored": f"no; not stated: {', '.join(scale.not_stated)}",
        "n_items": str(scale.n_items or ""),
        "items": "",
        "answers": "",
        "score_range": "" if scale.score_range is None else "{:g} to {:g}".format(*scale.score_range),
        "scoring": "",
        "reversed_items": "",
        "missing_rule": "",
        "cut_offs": "",
        "alpha": "",
        "direction": scale.direction,
        "used_by": ", ".join(scale.used_by),
        "source": "",
        "note": " ".join(
            filter(None, (f"Subscales: {', '.join(scale.subscales)}." if scale.subscales else "", scale.note))
        ),
    }
