"""Draw the people of a scenario: any slice of them, whatever the partition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rtwcohort.simulate import draws
from rtwcohort.simulate.population.copula import cholesky, correlate
from rtwcohort.simulate.population.declaration import Margin, Population
from rtwcohort.simulate.population.ranks import largest_remainder, rank, stratified
from rtwcohort.simulate.population.shapes import Shape, quantile
from rtwcohort.simulate.portable import Floats, Ints, exp

YEAR: Final = 365.25


@dataclass(frozen=True, slots=True)
class Places:
    """Where each person stands, arrays of shape (m,).

    Attributes
    ----------
    person
        Number over the whole register.
    arm, cluster
        Whole numbers from 0.
    place, of
        The person's number among the people of the arm, and how many these are. Only where sizes of arms are exact;
        elsewhere the number in the register.
    """

    person: Ints
    arm: Ints
    cluster: Ints
    place: Ints
    of: Ints


@dataclass(frozen=True, slots=True)
class People:
    """Some of the people of a register, arrays of shape (m,).

    Attributes
    ----------
    person
        Number over the whole register, from 0.
    index, birth
        Days since 1970-01-01.
    arm, cluster
        Whole numbers from 0: positions in `arm_names`, and the cluster's number.
    start_state
        Position in the population's `start.categories`.
    absence_start
        First day of the present benefit; the index day for people on none.
    numbers
        Every declared number.
    categories
        Every declared margin: position in its `categories`.
    """

    person: Ints
    index: Ints
    birth: Ints
    arm: Ints
    cluster: Ints
    start_state: Ints
    absence_start: Ints
    numbers: dict[str, Floats]
    categories: dict[str, Ints]

    def __len__(self) -> int:
        return len(self.person)


def draw_people(
    population: Population, persons: Ints, *, n: int, scale: float, days: tuple[int, int], seed: int
) -> People:
    """Draw people.

    Parameters
    ----------
    population
        Their declaration.
    persons
        Numbers over the whole register, a slice of 0..n-1.
    n
        Size of the whole register.
    scale
        n over the scenario's own n: clusters come in proportion.
    days
        First and last index day, inclusive.
    seed
        Of the register.

    Returns
    -------
    People
        Rows depend on the person's number, not on the slice.
    """
    persons = np.asarray(persons, dtype=np.int64)
    places = _places(population, persons, n, scale, seed)
    scores = _correlated(population, persons, seed)
    free: dict[str, Shape | Margin] = {**population.numbers, **population.margins}
    drawn: dict[str, Any] = {name: _draw(item, name, places, scores, population, seed) for name, item in free.items()}
    if population.assign == "propensity":
        numbers = {name: drawn[name] for name in population.numbers}
        categories = {name: drawn[name] for name in population.margins}
        arm = _by_propensity(population, indicators(population, numbers, categories), persons, seed)
        places = Places(persons, arm, places.cluster, persons, np.full(len(persons), n))
    index = draws.whole(draws.key(seed, "index"), persons, days[0], days[1])
    age_days = np.floor(drawn["age"] * YEAR).astype(np.int64)
    state, absence = _start(population, places, scores, seed)
    return People(
        person=persons,
        index=index,
        birth=index - age_days,
        arm=places.arm,
        cluster=places.cluster,
        start_state=state,
        absence_start=index - absence,
        numbers={name: drawn[name] for name in population.numbers},
        categories={name: drawn[name] for name in population.margins},
    )


def indicators(population: Population, numbers: dict[str, Floats], categories: dict[str, Ints]) -> dict[str, Floats]:
    """Return the covariates that effects may name: each number, and `margin=category` as 0 or 1."""
    out = dict(numbers)
    for name, margin in population.margins.items():
        for position, category in enumerate(margin.categories):
            out[f"{name}={category}"] = (categories[name] == position).astype(np.float64)
    return out


def covariate_names(population: Population) -> tuple[str, ...]:
    """Return the names that `indicators` gives."""
    pairs = [f"{name}={category}" for name, margin in population.margins.items() for category in margin.categories]
    return (*population.numbers, *pairs)


def _places(population: Population, persons: Ints, n: int, scale: float, seed: int) -> Places:
    weights = [arm.weight for arm in population.arms]
    units = population.clusters
    n_units = max(len(weights) if population.assign == "cluster" else 1, round(units.number * scale)) if units else 1
    cluster = _clusters(population, persons, n_units, seed)
    if population.assign == "cluster":
        arm = _split(rank(draws.key(seed, "arm of cluster"), cluster, n_units), largest_remainder(weights, n_units))[0]
        return Places(persons, arm, cluster, persons, np.full(len(persons), n))
    if population.assign == "counts":
        arm, place, of = _split(rank(draws.key(seed, "arm"), persons, n), largest_remainder(weights, n))
        return Places(persons, arm, cluster, place, of)
    if population.assign == "randomised":
        arm = draws.choose(draws.key(seed, "arm"), persons, weights)
    else:
        arm = np.zeros(len(persons), dtype=np.int64)
    return Places(persons, arm, cluster, persons, np.full(len(persons), n))


def _split(order: Ints, counts: list[int]) -> tuple[Ints, Ints, Ints]:
    """Cut an order into groups of given sizes: each one's group, its number inside it and the group's size."""
    edges = np.cumsum(counts)
    group = np.searchsorted(edges, order, side="right").astype(np.int64)
    first = np.concatenate([[0], edges[:-1]])
    return group, order - first[group], np.asarray(counts, dtype=np.int64)[group]


def _clusters(population: Population, persons: Ints, number: int, seed: int) -> Ints:
    spread = population.clusters.size_log_sd if population.clusters else 0.0
    units = np.arange(number, dtype=np.int64)
    sizes = exp(spread * draws.normal(draws.key(seed, "size of cluster"), units))
    return draws.choose(draws.key(seed, "cluster"), persons, sizes.tolist())


def _correlated(population: Population, persons: Ints, seed: int) -> dict[str, Floats]:
    if population.correlation is None:
        return {}
    names = population.correlation.variables
    scores = [draws.normal(draws.key(seed, f"value of {name}"), persons) for name in names]
    lower = cholesky(population.correlation.matrix, names)
    return {name: draws.normal_cdf(score) for name, score in zip(names, correlate(scores, lower), strict=True)}


def _draw(
    item: Shape | Margin, name: str, places: Places, scores: dict[str, Floats], population: Population, seed: int
) -> Any:
    share = _uniforms(name, places, scores, population, seed)
    default = item.shares if isinstance(item, Margin) else item
    out: Any = None
    for arm, arm_name in enumerate(population.arm_names):
        chosen = item.by_arm.get(arm_name, default)
        mine = places.arm == arm if item.by_arm else np.ones(len(share), dtype=np.bool_)
        values = _pick(item, chosen, share[mine]) if isinstance(item, Margin) else quantile(chosen, share[mine])  # type: ignore[arg-type]
        if out is None:
            out = np.empty(len(share), dtype=values.dtype)
        out[mine] = values
        if not item.by_arm:
            break
    return out


def _pick(margin: Margin, shares: Any, share: Floats) -> Ints:
    """Return positions in `margin.categories`."""
    edges, total = [], 0.0
    for category in margin.categories:
        total += float(shares.get(category, 0.0))
        edges.append(total)
    position = np.searchsorted(np.asarray(edges), share * total, side="right")
    last = max(k for k, category in enumerate(margin.categories) if shares.get(category, 0.0) > 0)
    return np.minimum(position, last).astype(np.int64)


def _uniforms(name: str, places: Places, scores: dict[str, Floats], population: Population, seed: int) -> Floats:
    if name in scores:
        return np.clip(scores[name], 1e-15, 1.0 - 1e-15)
    stream = draws.key(seed, f"value of {name}")
    if not population.exact:
        return draws.uniform(stream, places.person)
    out = np.empty(len(places.person))
    for size in np.unique(places.of):
        # Arms of equal sizes must not share one order.
        for arm in np.unique(places.arm[places.of == size]) if population.assign == "counts" else (-1,):
            mine = (places.of == size) & ((places.arm == arm) | (arm < 0))
            own = draws.key(seed, f"value of {name} in arm {arm}")
            out[mine] = stratified(own, places.place[mine], places.person[mine], int(size))
    return out


def _start(population: Population, places: Places, scores: dict[str, Floats], seed: int) -> tuple[Ints, Ints]:
    state = _draw(population.start, "start", places, scores, population, seed)
    days = np.rint(_draw(population.absence_before, "absence_before", places, scores, population, seed))
    absence = np.maximum(days, 0.0).astype(np.int64)
    well = draws.uniform(draws.key(seed, "without benefit"), places.person) < population.enrolled_without_benefit
    no_benefit = [k for k, name in enumerate(population.start.categories) if name in ("work", "outside")]
    return np.where(well, -1, state), np.where(well | np.isin(state, no_benefit), 0, absence)


def _by_propensity(population: Population, covariates: dict[str, Floats], persons: Ints, seed: int) -> Ints:
    """Draw arms by a multinomial logit against the first arm."""
    odds = [np.ones(len(persons))]
    for arm in population.arms[1:]:
        score = np.full(len(persons), arm.intercept)
        for name, per_unit in arm.log_odds.items():
            score = score + per_unit * covariates[name]
        odds.append(exp(np.clip(score, -40.0, 40.0)))
    total = odds[0]
    for each in odds[1:]:
        total = total + each
    point = draws.uniform(draws.key(seed, "arm"), persons) * total
    out = np.zeros(len(persons), dtype=np.int64)
    below = odds[0]
    for each in odds[1:]:
        out = out + (point >= below)
        below = below + each
    return out
