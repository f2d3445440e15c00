"""Does a synthetic register give anybody away: distances, exact matches, rare combinations, membership."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.register import load_register
from rtwcohort.register.register import Register
from rtwcohort.simulate import draws
from rtwcohort.simulate.synthesise.features import People, describe_people, encode
from rtwcohort.simulate.synthesise.limits import LEAST_CELL, bounded
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.matches import (
    identifiers_carried,
    rare_share,
    same_histories,
    same_people,
    same_rows,
)
from rtwcohort.simulate.synthesise.sequences import Bools

Tables = Mapping[str, pd.DataFrame]
Resynthesise = Callable[[Register], Tables]
"""From half of a register to tables of as many people, made as the synthetic ones under test were."""

COLUMNS: Final = ("attack", "what", "value", "low", "high", "reference", "limit", "flagged")
CLOSE: Final = 0.5
"""Synthetic people may be at least half as far from real ones as these are from each other."""
CHANCE: Final = 0.55
"""An attack that is right in 55 % at the lower end of its interval is flagged; guessing gives 50 %."""
_MOST_PEOPLE: Final = 3000
_Z: Final = 1.96
_MANY: Final = 0.005


@dataclass(frozen=True, slots=True)
class Privacy:
    """The outcome of attacks.

    Attributes
    ----------
    frame
        One row a test: attack, what, value, low and high (95 % interval, where there is one), reference (what real
        people would give, or chance), limit (beyond it the test is flagged), flagged.
    least
        Counts from 1 to below this are shown as bounds only, as NaN in `value`.
    """

    frame: pd.DataFrame
    least: int

    @property
    def flagged(self) -> tuple[str, ...]:
        """Names of the tests that found something."""
        rows = self.frame.to_dict("records")
        return tuple(f"{row['attack']}: {row['what']}" for row in rows if row["flagged"])

    @property
    def ok(self) -> bool:
        """Whether no test found anything."""
        return not self.flagged

    def describe(self) -> str:
        """Return the report as plain text."""
        lines = ["Privacy: " + ("nothing found" if self.ok else f"{len(self.flagged)} tests found something")]
        for row in self.frame.to_dict("records"):
            value = f"fewer than {self.least}" if row["value"] != row["value"] else _number(row["value"])
            interval = "" if row["low"] != row["low"] else f" ({row['low']:.3g} to {row['high']:.3g})"
            beside = "" if row["reference"] != row["reference"] else f", for comparison {_number(row['reference'])}"
            mark = "FLAGGED" if row["flagged"] else "ok"
            lines.append(f"  {row['attack']}: {row['what']}: {value}{interval}{beside} [{mark}]")
        return "\n".join(lines)


def privacy_report(
    register: Register,
    tables: Tables,
    *,
    resynthesise: Resynthesise | None = None,
    seed: int = 1,
    least: int = LEAST_CELL,
) -> Privacy:
    """Attack a synthetic register with the real one in hand.

    Parameters
    ----------
    register
        The real register, cleaned.
    tables
        The synthetic tables.
    resynthesise
        Makes synthetic tables from half of the people. With it: the membership test (are people whose data were used
        nearer to the synthetic ones than people whose data were not?), and rare combinations against chance.
    seed
        Of the halves and of the sample of people compared.
    least
        Combinations that fewer real people hold are rare.

    Returns
    -------
    Privacy
        Tests: nearest-neighbour distance from synthetic to real people, as a ratio to that between real people; exact
        matches of rows, of whole people, of histories; identifiers carried over; rare combinations; membership.
    """
    real = describe_people(register, least=least)
    made = describe_people(_load(tables, register), least=least)
    rows = _distances(real, made, seed)
    rows += _exact(register, tables, real, made, least)
    if resynthesise is None:
        share, _ = rare_share(made, real, least)
        rows.append(("rare combinations", "share of synthetic people", share, np.nan, np.nan, np.nan, np.nan, False))
    else:
        rows += _halves(register, real, resynthesise, seed, least)
    return Privacy(pd.DataFrame(rows, columns=list(COLUMNS)).astype({"flagged": bool}), least)


def _number(value: float) -> str:
    return str(int(value)) if value >= 1.0 and value == int(value) else f"{value:.3g}"


def half_of(register: Register, keep: Any) -> Register:
    """Return the register of some people only."""
    frames: dict[str, Any] = {name: frame[frame["person_id"].isin(keep)] for name, frame in register.tables().items()}
    return replace(register, **frames)


def _load(tables: Tables, register: Register) -> Register:
    return load_register(dict(tables), data_end=register.data_end)


def _distances(real: People, made: People, seed: int) -> list[tuple[Any, ...]]:
    reference = real.take(_sample(len(real.sequences), seed))
    base = encode(reference, reference)
    between = _nearest(base, base, itself=True)
    near = _nearest(encode(made.take(_sample(len(made.sequences), seed)), reference), base)
    out: list[tuple[Any, ...]] = []
    for name, share in (("median", 0.5), ("5 % nearest", 0.05)):
        usual = float(np.quantile(between, share))
        ratio = float(np.quantile(near, share)) / max(usual, 1e-9)
        out.append(("distance", f"{name}, synthetic to real over real to real", ratio, np.nan, np.nan, 1.0, CLOSE))
    twins = float((between <= 1e-9).mean())
    same = float((near <= 1e-9).mean())
    out.append(("distance", "share of synthetic people at distance 0", same, np.nan, np.nan, twins, twins + _MANY))
    flags = [out[0][2] < CLOSE, out[1][2] < CLOSE and np.quantile(between, 0.05) > 1e-9, same > twins + _MANY]
    return [(*row, bool(flag)) for row, flag in zip(out, flags, strict=True)]


def _exact(register: Register, tables: Tables, real: People, made: People, least: int) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for name, (same, twins) in same_rows(register, tables).items():
        limit = max(2.0 * twins, 0.05) if name != "persons" else twins + _MANY
        rows.append(("exact rows", name, same, np.nan, np.nan, twins, limit, same > limit))
    people, twins = same_people(register, tables)
    limit = 2.0 * twins
    shown = (_shown(people, least), *_NONE, _shown(twins, least))
    rows.append(("exact people", "all rows of a person", *shown, np.nan, people > limit))
    count, total = same_histories(real.sequences, made.sequences)
    limit = _MANY * total
    rows.append(
        ("exact people", "history of four spells or more", _shown(count, least), *_NONE, np.nan, limit, count > limit)
    )
    for what, carried in identifiers_carried(register, tables).items():
        rows.append(("identifiers", f"{what} carried over", _shown(carried, least), *_NONE, 0.0, 0.0, carried > 0))
    return rows


_NONE: Final = (np.nan, np.nan)


def _shown(count: int, least: int) -> float:
    """Return a count, or NaN when it is small."""
    return float(count) if bounded(count, least) == str(count) else np.nan


def _halves(
    register: Register, real: People, resynthesise: Resynthesise, seed: int, least: int
) -> list[tuple[Any, ...]]:
    """Return the tests that need people whose data were not used."""
    n = len(real.sequences)
    order = np.argsort(draws.uniform(draws.key(seed, "synthesis: halves"), np.arange(n, dtype=np.int64)))
    used = np.zeros(n, dtype=np.bool_)
    used[order[: n // 2]] = True
    half = half_of(register, set(real.sequences.person_id[used].tolist()))
    made = describe_people(_load(resynthesise(half), register), least=least)
    everybody = real.take(np.ones(n, dtype=np.bool_))
    points = encode(made.take(np.ones(len(made.sequences), dtype=np.bool_)), everybody)
    some = _sample(n, seed)
    near = _nearest(encode(real.take(some), everybody), points)
    auc, low, high = _auc(near[used[some]], near[~used[some]])
    rows: list[tuple[Any, ...]] = [
        ("membership", "area under the curve", auc, low, high, 0.5, CHANCE, low > CHANCE),
    ]
    to_used = _nearest(points, encode(real.take(used), everybody))
    to_other = _nearest(points, encode(real.take(~used), everybody))
    closer, low, high = _share_closer(to_used, to_other)
    rows.append(("membership", "share nearer to people used", closer, low, high, 0.5, CHANCE, low > CHANCE))
    share, _ = rare_share(made, People(real.sequences, real.variables), least, among=used)
    other, size = rare_share(real, real, least, among=used, of=~used)
    error = float(np.sqrt(max(other * (1.0 - other), 1e-4) * 2.0 / max(size, 1)))
    limit = 1.25 * other + 2.0 * error
    rows.append(("rare combinations", "share of synthetic people", share, *_NONE, other, limit, share > limit))
    return rows


def _share_closer(to_used: Floats, to_other: Floats) -> tuple[float, float, float]:
    share = float(((to_used < to_other) + 0.5 * (to_used == to_other)).mean())
    error = float(np.sqrt(max(share * (1.0 - share), 1e-6) / len(to_used)))
    return share, share - _Z * error, share + _Z * error


def _auc(used: Floats, other: Floats) -> tuple[float, float, float]:
    """Return the share of pairs in which the person used is nearer, and its interval.

    Standard error of Hanley and McNeil, Radiology 143 (1982) 29-36.
    """
    from scipy.stats import rankdata

    n, m = len(used), len(other)
    ranks = rankdata(np.concatenate([-used, -other]))
    area = float((ranks[:n].sum() - n * (n + 1) / 2.0) / (n * m))
    q1, q2 = area / (2.0 - area), 2.0 * area**2 / (1.0 + area)
    variance = (area * (1.0 - area) + (n - 1) * (q1 - area**2) + (m - 1) * (q2 - area**2)) / (n * m)
    error = float(np.sqrt(max(variance, 0.0)))
    return area, area - _Z * error, area + _Z * error


def _sample(n: int, seed: int) -> Bools:
    keep = np.ones(n, dtype=np.bool_)
    if n > _MOST_PEOPLE:
        order = np.argsort(draws.uniform(draws.key(seed, "synthesis: sample"), np.arange(n, dtype=np.int64)))
        keep[order[_MOST_PEOPLE:]] = False
    return keep


def _nearest(points: Floats, base: Floats, *, itself: bool = False) -> Floats:
    """Return the distance from each point to the nearest of the base, other than itself, over root p."""
    from scipy.spatial import cKDTree

    distance, _ = cKDTree(base).query(points, k=2 if itself else 1, workers=1)
    nearest = distance[:, 1] if itself else distance
    return np.asarray(nearest / np.sqrt(base.shape[1]), dtype=np.float64)
