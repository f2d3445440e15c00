"""The people of a scenario, declared as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import ScenarioError
from rtwcohort.simulate.population.copula import cholesky
from rtwcohort.simulate.population.shapes import Shape
from rtwcohort.simulate.process.benefits import JOBS
from rtwcohort.simulate.process.states import FINAL, STATES

Assign = Literal["counts", "randomised", "propensity", "cluster"]

START_STATES: Final = tuple(state for state in STATES if state not in FINAL)
NUMBERS: Final = ("age", "income", "position", "tenure_days")
"""Numbers with a place of their own in the tables; others are covariates only."""
AT_THE_START: Final = ("start", "absence_before")
"""What else may be correlated with numbers and margins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """How a category is spread.

    Attributes
    ----------
    shares
        Category to weight: counts, percentages or shares.
    by_arm
        The same for an arm, by its name, as the columns of a baseline table.
    """

    shares: dict[str, float] = field(default_factory=dict)
    by_arm: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.shares and not self.by_arm:
            raise ScenarioError("a margin needs `shares`, or `by_arm` with the shares of every arm.")
        for shares in (self.shares, *self.by_arm.values()):
            _check_weights(shares, "shares")

    @property
    def categories(self) -> tuple[str, ...]:
        """All categories, in the order of their first mention."""
        names: dict[str, None] = {}
        for shares in (self.shares, *self.by_arm.values()):
            names.update(dict.fromkeys(shares))
        return tuple(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm.

    Attributes
    ----------
    name
        As in the enrolment table and in effects.
    n, share
        Its people, or its share; give the same one for every arm. Both scale with the size of the register.
    intercept, log_odds
        With `assign = "propensity"`: log odds of this arm against the first one, per unit of each covariate.
    """

    name: str
    n: int | None = None
    share: float | None = None
    intercept: float = 0.0
    log_odds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.n is None) == (self.share is None) and not self.log_odds and not self.intercept:
            raise ScenarioError(f"arm '{self.name}' needs `n` or `share`, and not both.")
        for name in ("n", "share"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ScenarioError(f"`{name}` of arm '{self.name}' must be at least 0; got {value!r}.")

    @property
    def weight(self) -> float:
        """People or share, whichever was given."""
        return float(self.n if self.n is not None else self.share if self.share is not None else 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Units that people belong to.

    Attributes
    ----------
    number
        How many at the scenario's own n; a register of another size has in proportion, at least one an arm.
    size_log_sd
        Standard deviation of the logarithm of their expected sizes; 0 makes them equal.
    name
        What a unit is called: "unit" gives unit_1, unit_2, ...
    """

    number: int
    size_log_sd: float = 0.0
    name: str = "unit"

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ScenarioError(f"`number` of clusters must be at least 1; got {self.number}.")
        if self.size_log_sd < 0:
            raise ScenarioError(f"`size_log_sd` must be at least 0; got {self.size_log_sd!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Sickness absences that ended before the present one began.

    Attributes
    ----------
    years
        They begin at most this long before the index date.
    spells
        Weights of having 0, 1, 2, ... of them.
    length
        Days each; what does not fit is cut.
    graded
        Share of them with 50 % sickness benefit.
    """

    spells: tuple[float, ...]
    length: Shape
    years: float = 3.0
    graded: float = 0.0

    def __post_init__(self) -> None:
        if not self.spells or min(self.spells) < 0 or sum(self.spells) <= 0:
            raise ScenarioError(f"`spells` must be weights of at least 0, one above 0; got {list(self.spells)}.")
        if not 0 < self.years <= 20:
            raise ScenarioError(f"`years` must be above 0 and at most 20; got {self.years!r}.")
        _check_share(self.graded, "graded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Correlation of the normal scores behind numbers and categories (a Gaussian copula).

    Attributes
    ----------
    variables
        Names of numbers and margins, "start" and "absence_before"; categories are ordered as declared.
    matrix
        Symmetric, ones on the diagonal, positive definite.
    """

    variables: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if len(set(self.variables)) < len(self.variables):
            raise ScenarioError(f"`variables` must name each variable once; got {list(self.variables)}.")
        cholesky(self.matrix, self.variables)


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Who the people are.

    Attributes
    ----------
    arms
        At least one; the first is the reference of arm effects and propensities.
    assign
        "counts": exactly the arms' sizes, scaled to the register's size. "randomised": each person by the arms'
        shares. "propensity": by covariates. "cluster": whole clusters, exactly the arms' shares of them.
    numbers
        Name to distribution. `age` (years at index) is needed; `income` (NOK a year), `position` (percent) and
        `tenure_days` have a column of their own in the tables; others are covariates.
    margins
        Name to categories. `sex` is female and male; education, marital_status, municipality, sector, occupation,
        programme and diagnosis have columns of their own; others are covariates.
    exact
        Draw each margin and number so that its spread within an arm is as near to the declared one as whole
        people allow; those in `correlation` are drawn freely.
    start
        State on the index date, by weight; see `START_STATES`.
    absence_before
        Days on the present benefit before the index date.
    enrolled_without_benefit
        Share enrolled who are at work, on no benefit, on the index date.
    employed
        Share with a job when the register begins.
    jobs
        States in which people have a job.
    people_per_employer
        Mean number of people to an employer.
    """

    numbers: dict[str, Shape]
    arms: tuple[Arm, ...] = (Arm(name="all", share=1.0),)
    assign: Assign = "randomised"
    margins: dict[str, Margin] = field(default_factory=dict)
    exact: bool = False
    correlation: Correlation | None = None
    clusters: Clusters | None = None
    start: Margin = field(default_factory=lambda: Margin(shares={"sick_full": 1.0}))
    absence_before: Shape = field(default_factory=lambda: Shape(shape="fixed", value=0))
    history: History | None = None
    enrolled_without_benefit: float = 0.0
    employed: float = 1.0
    jobs: tuple[str, ...] = JOBS
    people_per_employer: float = 8.0

    def __post_init__(self) -> None:
        if "age" not in self.numbers:
            raise ScenarioError("`numbers` must declare `age`, the years at the index date.")
        _check_arms(self)
        _check_names(self)
        _check_by_arm(self)
        _check_share(self.enrolled_without_benefit, "enrolled_without_benefit")
        _check_share(self.employed, "employed")
        if self.people_per_employer <= 0:
            raise ScenarioError(f"`people_per_employer` must be above 0; got {self.people_per_employer!r}.")

    @property
    def arm_names(self) -> tuple[str, ...]:
        """Names of the arms in order."""
        return tuple(arm.name for arm in self.arms)


def _check_arms(population: Population) -> None:
    names = population.arm_names
    if not names or len(set(names)) < len(names):
        raise ScenarioError(f"`arms` must be at least one, each name once; got {list(names)}.")
    if population.assign != "propensity" and len({arm.n is None for arm in population.arms}) > 1:
        raise ScenarioError("`arms` must all have `n` or all have `share`.")
    if not any(arm.weight > 0 for arm in population.arms):
        raise ScenarioError("`arms` must hold at least one with people in it.")
    if population.assign == "cluster" and population.clusters is None:
        raise ScenarioError('`assign = "cluster"` needs [population.clusters].')
    number = population.clusters.number if population.clusters else 0
    if population.assign == "cluster" and number < len(names):
        raise ScenarioError(f'`assign = "cluster"` needs at least one cluster an arm; got {number} for {len(names)}.')


def _check_names(population: Population) -> None:
    both = set(population.numbers) & set(population.margins)
    if both:
        raise ScenarioError(f"'{sorted(both)[0]}' is declared both in `numbers` and in `margins`; keep one.")
    sex = population.margins.get("sex")
    if sex and not set(sex.categories) <= {"female", "male"}:
        raise ScenarioError(f"the margin `sex` has the categories female and male; got {list(sex.categories)}.")
    for argument, states in (("start", population.start.categories), ("jobs", population.jobs)):
        for state in states:
            if state not in START_STATES:
                hint = did_you_mean(state, START_STATES)
                raise ScenarioError(f"`{argument}` may name {', '.join(START_STATES)}; got '{state}'.{hint}")
    known = [*population.numbers, *population.margins, *AT_THE_START]
    for name in population.correlation.variables if population.correlation else ():
        if name not in known:
            raise ScenarioError(
                f"`correlation.variables` names '{name}', which is neither a number nor a margin."
                f"{did_you_mean(name, known)}"
            )


def _check_by_arm(population: Population) -> None:
    everything: dict[str, Shape | Margin] = {**population.numbers, **population.margins}
    everything |= {"start": population.start, "absence_before": population.absence_before}
    for name, declared in everything.items():
        for arm in declared.by_arm:
            if arm not in population.arm_names:
                raise ScenarioError(
                    f"'{name}' is declared for the arm '{arm}', which does not exist."
                    f"{did_you_mean(arm, population.arm_names)} Arms: {', '.join(population.arm_names)}."
                )
        if isinstance(declared, Margin) and not declared.shares and set(declared.by_arm) != set(population.arm_names):
            raise ScenarioError(f"the margin '{name}' needs `shares`, or `by_arm` with the shares of every arm.")
        if population.assign == "propensity" and declared.by_arm and name not in ("start", "absence_before"):
            raise ScenarioError(
                f"'{name}' cannot differ `by_arm` when `assign` is \"propensity\", for the arm is drawn last."
            )


def _check_weights(weights: dict[str, float], argument: str) -> None:
    bad = [name for name, value in weights.items() if not value >= 0]
    if bad:
        raise ScenarioError(f"`{argument}` must be at least 0; got {weights[bad[0]]!r} for '{bad[0]}'.")
    if weights and not any(value > 0 for value in weights.values()):
        raise ScenarioError(f"`{argument}` must have at least one value above 0.")


def _check_share(value: float, argument: str) -> None:
    if not 0 <= value <= 1:
        raise ScenarioError(f"`{argument}` must be a share from 0 to 1; got {value!r}.")
