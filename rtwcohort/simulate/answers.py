"""The questionnaires table: items drawn from a trait, so that scores follow from the items."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import DATE_DTYPE, from_days
from rtwcohort.instruments import Instrument, get_instrument
from rtwcohort.simulate.people import People, person_ids
from rtwcohort.simulate.portable import Floats, Ints, bell, stream, uniform, whole
from rtwcohort.simulate.scenario import Scenario, Wave

# Mean of an item on its own scale, its spread between people and within a person; and how the trait leans on the
# common distress that makes the questionnaires go together. Instruments without a line get the middle of their scale.
_SHAPE: Final = {
    "FABQ-PA": (2.8, 1.1, 1.5, 0.5),
    "FABQ-W": (3.1, 1.2, 1.5, 0.5),
    "BELIEF": (2.2, 0.4, 0.5, -0.4),
    "DCSQ-DEMANDS": (2.5, 0.5, 0.7, 0.2),
    "DCSQ-CONTROL": (2.4, 0.4, 0.7, -0.2),
    "DCSQ-SUPPORT": (1.9, 0.5, 0.6, -0.2),
    "JOB-SATISFACTION": (6.4, 2.0, 0.8, -0.3),
}
_DTYPES: Final = {
    "person_id": "int64",
    "wave": "object",
    "answered_on": DATE_DTYPE,
    "instrument": "object",
    "item": "object",
    "value": "float64",
}
_STAYS: Final = 0.8
"""Correlation of a person's trait between waves."""


def baseline_items(scenario: Scenario, name: str, *, seed: int) -> Ints:
    """Return the complete answers at M0, shape (n, items), before anything is left out."""
    return _items(scenario, get_instrument(name), None, seed)


def baseline_sum(scenario: Scenario, name: str, *, seed: int) -> Floats:
    """Return the sum of the scored items at M0, shape (n,)."""
    instrument = get_instrument(name)
    answers = baseline_items(scenario, name, seed=seed)
    total = np.zeros(scenario.n)
    for position, item in enumerate(instrument.statements):
        if item in instrument.items:
            total = total + answers[:, position]
    return total


def questionnaires_table(scenario: Scenario, people: People, gone: Ints, known_to: int, *, seed: int) -> pd.DataFrame:
    """Build the long table; nobody answers from `gone` (death or emigration) or `known_to` on."""
    parts = [
        _wave_rows(scenario, people, wave, np.minimum(gone, known_to), first=position == 0, seed=seed)
        for position, wave in enumerate(scenario.waves)
    ]
    if not parts:
        return pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in _DTYPES.items()})
    frame = pd.concat(parts, ignore_index=True)
    order = np.argsort(frame["person_id"].to_numpy(), kind="stable")
    return frame.iloc[order].reset_index(drop=True)[list(_DTYPES)]


def _wave_rows(scenario: Scenario, people: People, wave: Wave, stop: Ints, *, first: bool, seed: int) -> pd.DataFrame:
    n = scenario.n
    rng = stream(seed, f"wave_{wave.name}")
    answers = uniform(rng, n) < wave.response
    late = 0 if wave.day == 0 else wave.spread
    day = people.index + wave.day + whole(rng, n, -wave.spread, late)
    answers &= day < stop
    parts = []
    for name in wave.instruments:
        instrument = get_instrument(name)
        items = _items(scenario, instrument, None if first else wave.name, seed)
        for position, item in enumerate(instrument.statements):
            answered = answers & (uniform(rng, n) >= scenario.item_missing)
            if item in instrument.items or scenario.all_statements:
                parts.append(_item_rows(scenario, wave, instrument, item, items[:, position], day, answered))
    return pd.concat(parts, ignore_index=True)


def _item_rows(
    scenario: Scenario, wave: Wave, instrument: Instrument, item: str, values: Ints, day: Ints, answered: Any
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person_id": person_ids(scenario)[answered],
            "wave": wave.name,
            "answered_on": from_days(day[answered]),
            "instrument": instrument.name,
            "item": item,
            "value": values[answered].astype(np.float64),
        }
    )


def _items(scenario: Scenario, instrument: Instrument, later: str | None, seed: int) -> Ints:
    """Draw whole answers within range: mean + between-person trait + within-person noise, rounded and clipped."""
    n = scenario.n
    middle, width = (instrument.least + instrument.most) / 2.0, instrument.most - instrument.least
    mean, between, within, lean = _SHAPE.get(instrument.name, (middle, width / 5.0, width / 4.0, 0.3))
    distress = bell(stream(seed, "distress"), n)
    own = bell(stream(seed, f"trait_{instrument.name}"), n)
    trait = lean * distress + _rest(lean) * own
    if later is not None:
        change = bell(stream(seed, f"trait_{instrument.name}_{later}"), n)
        trait = _STAYS * trait + _rest(_STAYS) * change
    rng = stream(seed, f"items_{instrument.name}_{later or 'baseline'}")
    columns = []
    for _ in instrument.statements:
        answer = np.floor(mean + between * trait + within * bell(rng, n) + 0.5)
        columns.append(np.minimum(np.maximum(answer, instrument.least), instrument.most).astype(np.int64))
    return np.stack(columns, axis=1)


def _rest(part: float) -> float:
    """Weight of the independent share, so that the variance stays 1 (square root is exact on every machine)."""
    return float(np.sqrt(1.0 - part * part))
