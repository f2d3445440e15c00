"""What the questionnaires of a scenario are: waves, scores with their targets, how they hang together, what is missing.

Plain frozen dataclasses, so that a scenario file holds them as they stand (`pydantic.TypeAdapter(Answers)`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from rtwcohort.core.checks import check_choice, check_number, did_you_mean
from rtwcohort.errors import ArgumentError
from rtwcohort.instruments import Instrument, get_instrument

At = Literal["first", "before", "now"]
CorrelationOf = Literal["latent", "score"]
Stays = Literal["same", "fading"]
Dropout = Literal["intermittent", "monotone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingOn:
    """One thing that an answer's being missing depends on.

    Attributes
    ----------
    term
        A covariate; or a declared score ("fabq_w"); or, for single items, "value" (the item's own value, in points
        as scored).
    log_or
        Log odds ratio of being missing per `per` units.
    per
        Units of the term.
    centre, sd
        Mean and standard deviation of the term among the people, from which the declared share is met. Needed
        for covariates; scores and items have their own.
    at
        For scores, which one: that of the "first" wave, of the wave "before" (both missing at random as far as that
        wave was answered), or of the wave itself, "now" (not at random).
    """

    term: str
    log_or: float
    per: float = 1.0
    centre: float | None = None
    sd: float | None = None
    at: At = "first"

    def __post_init__(self) -> None:
        """Refuse units and odds ratios that cannot be."""
        check_number(self.log_or, argument=f"log_or of '{self.term}'", least=-10.0, most=10.0)
        check_number(self.per, argument=f"per of '{self.term}'", least=1e-9)
        check_choice(self.at, get_args(At), argument=f"at of '{self.term}'")
        if self.sd is not None:
            check_number(self.sd, argument=f"sd of '{self.term}'", least=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One round of questionnaires.

    Attributes
    ----------
    name, day
        Such as "M3" and 91: days after the index date, give or take `spread`; the first wave is answered on or
        before the index date when its day is 0.
    spread
        Largest distance in days between `day` and the day answered.
    instruments
        Scales asked; none named asks them all.
    among
        A covariate that is 1 for the people who are asked and 0 for others; empty when everybody is asked.
    response
        Share of those asked, living residents, who answer at all.
    missing_on
        What not answering depends on; added to what `Answers.missing_on` says for every wave.
    """

    name: str
    day: int = 0
    spread: int = 10
    instruments: tuple[str, ...] = ()
    among: str = ""
    response: float = 1.0
    missing_on: tuple[MissingOn, ...] = ()

    def __post_init__(self) -> None:
        """Refuse shares and days that cannot be."""
        check_number(self.day, argument=f"day of wave '{self.name}'", least=-3650, whole=True)
        check_number(self.spread, argument=f"spread of wave '{self.name}'", least=0, whole=True)
        check_number(self.response, argument=f"response of wave '{self.name}'", least=0.0, most=1.0)
        for name in self.instruments:
            get_instrument(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Depends:
    """What a score depends on: `points` more for each `per` units of a covariate.

    Attributes
    ----------
    term
        A covariate.
    points
        Points of the score per `per` units: the slope of the least-squares line of the score on the term.
    per
        Units of the term.
    centre, sd
        Mean and standard deviation of the term among the people. The targets of the score are those of all people
        together, so the part that the covariate explains is taken out of the rest. Terms count as unrelated to
        each other. An sd of 0 (the default) adds the points on top of the targets instead.
    waves
        Waves at which it holds; none named means every wave.
    """

    term: str
    points: float
    per: float = 1.0
    centre: float = 0.0
    sd: float = 0.0
    waves: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse units that cannot be."""
        check_number(self.points, argument=f"points of '{self.term}'")
        check_number(self.per, argument=f"per of '{self.term}'", least=1e-9)
        check_number(self.centre, argument=f"centre of '{self.term}'")
        check_number(self.sd, argument=f"sd of '{self.term}'", least=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a score has changed at a later wave, among people who have not returned.

    Attributes
    ----------
    wave
        Name of the wave.
    points
        Change of the mean since the first wave.
    sd
        Standard deviation at this wave; None keeps that of the first.
    """

    wave: str
    points: float = 0.0
    sd: float | None = None

    def __post_init__(self) -> None:
        """Refuse a spread that cannot be."""
        check_number(self.points, argument=f"points at wave '{self.wave}'")
        if self.sd is not None:
            check_number(self.sd, argument=f"sd at wave '{self.wave}'", least=1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Targets of one scale.

    Attributes
    ----------
    instrument
        Name of a declared instrument that can be scored: "FABQ-W".
    mean, sd
        Of the score at the first wave, with every item answered.
    alpha
        Cronbach's alpha of the scored items. For an instrument of one item, the share of its latent variance that
        the trait explains; None means all of it there, and must not be None elsewhere.
    item_spread
        How far the items lie from each other in difficulty, in standard deviations of an item.
    depends
        What the score depends on.
    changes
        Change of the mean at later waves; waves without a line are like the first.
    returned
        Points added to the mean at later waves among people who have returned to work by the day they answer.
    item_missing
        Probability that one item of an answered questionnaire is left out; None takes that of `Answers`.
    """

    instrument: str
    mean: float
    sd: float
    alpha: float | None = None
    item_spread: float = 0.3
    depends: tuple[Depends, ...] = ()
    changes: tuple[Change, ...] = ()
    returned: float = 0.0
    item_missing: float | None = None

    def __post_init__(self) -> None:
        """Refuse targets outside the range of the score."""
        declared = self.declared
        if declared.not_computable or not declared.ordered:
            why = declared.not_computable or "its codes have no order"
            raise ArgumentError(f"`instrument` {declared.name} cannot be drawn towards a mean: {why}.")
        low, high = declared.score_range
        for mean in (self.mean, *(self.mean + change.points for change in self.changes)):
            if not low < mean < high:
                raise ArgumentError(
                    f"`mean` of {declared.name} must lie between {low:g} and {high:g} (both excluded) at every wave; "
                    f"got {mean:g}. Look at `mean` and `changes`."
                )
        check_number(self.sd, argument=f"sd of {declared.name}", least=1e-9)
        check_number(self.item_spread, argument=f"item_spread of {declared.name}", least=0.0, most=2.0)
        if self.item_missing is not None:
            check_number(self.item_missing, argument=f"item_missing of {declared.name}", least=0.0, most=1.0)
        if self.alpha is None and len(declared.items) > 1:
            raise ArgumentError(f"`alpha` of {declared.name} must be given: it has {len(declared.items)} items.")
        if self.alpha is not None and not 0.0 < self.alpha < 1.0:
            raise ArgumentError(
                f"`alpha` of {declared.name} must lie between 0 and 1 (both excluded); got {self.alpha}."
            )

    @property
    def declared(self) -> Instrument:
        """The instrument."""
        return get_instrument(self.instrument)

    @property
    def name(self) -> str:
        """Name of the score as a term of models and hazards: "fabq_w"."""
        return term_name(self.instrument)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Correlation between two scales among all people at one wave."""

    between: tuple[str, str]
    value: float

    def __post_init__(self) -> None:
        """Refuse a correlation of a scale with itself, and one that cannot be."""
        check_number(self.value, argument=f"correlation between {' and '.join(self.between)}", least=-1.0, most=1.0)
        if term_name(self.between[0]) == term_name(self.between[1]):
            raise ArgumentError(f"`between` must name two scales; got {self.between[0]!r} twice.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The questionnaires of a scenario.

    Attributes
    ----------
    waves
        In the order of time; the first gives the scores that hazards use.
    scores
        One for each scale.
    correlations
        Between scales; pairs without a line have `other_correlations`.
    other_correlations
        Correlation of every pair that is not listed.
    correlation_of
        Whether correlations are between the "latent" traits or between the "score"s (which are lower, since scores
        are unreliable: latent correlations are then found that give them).
    stability
        Correlation between waves of what covariates do not explain of a trait. Scores at two waves correlate about
        `alpha` times as much.
    stays
        "same": that correlation holds between any two waves; "fading": between neighbouring waves, and falls with
        each wave between.
    missing_on
        What not answering a wave depends on, for every wave after the first.
    dropout
        "intermittent": people may miss one wave and answer the next. "monotone": who misses a wave answers none after;
        `response` of the waves must then not rise. People drop out also at waves that they are not asked at (`among`).
    item_missing
        Probability that one item of an answered questionnaire is left out.
    item_missing_on
        What leaving out an item depends on.
    all_statements
        Whether statements that no score uses are answered too.
    """

    waves: tuple[Wave, ...] = ()
    scores: tuple[Score, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    other_correlations: float = 0.0
    correlation_of: CorrelationOf = "latent"
    stability: float = 0.7
    stays: Stays = "same"
    missing_on: tuple[MissingOn, ...] = ()
    dropout: Dropout = "intermittent"
    item_missing: float = 0.0
    item_missing_on: tuple[MissingOn, ...] = ()
    all_statements: bool = False

    def __post_init__(self) -> None:
        """Refuse names that do not exist, and numbers that cannot be."""
        check_choice(self.correlation_of, get_args(CorrelationOf), argument="correlation_of")
        check_choice(self.stays, get_args(Stays), argument="stays")
        check_choice(self.dropout, get_args(Dropout), argument="dropout")
        check_number(self.other_correlations, argument="other_correlations", least=-1.0, most=1.0)
        check_number(self.stability, argument="stability", least=0.0, most=1.0)
        check_number(self.item_missing, argument="item_missing", least=0.0, most=1.0)
        _check_twice([wave.name for wave in self.waves], "waves")
        _check_twice([score.name for score in self.scores], "scores")
        self._check_names()
        self._check_response()

    def _check_names(self) -> None:
        scores = [score.name for score in self.scores]
        later = [wave.name for wave in self.waves]
        for wave in self.waves:
            for name in wave.instruments:
                _check_known(term_name(name), scores, f"instruments of wave '{wave.name}'")
        for correlation in self.correlations:
            for name in correlation.between:
                _check_known(term_name(name), scores, "between")
        for score in self.scores:
            for change in score.changes:
                _check_known(change.wave, later, f"changes of {score.name}")
            for depends in score.depends:
                for name in depends.waves:
                    _check_known(name, later, f"depends of {score.name}")
        pairs = ["|".join(sorted(map(term_name, item.between))) for item in self.correlations]
        _check_twice(pairs, "correlations")

    def _check_response(self) -> None:
        shares = [wave.response for wave in self.waves]
        if self.dropout == "monotone" and any(after > before for before, after in pairwise(shares)):
            raise ArgumentError(
                f"`dropout` 'monotone' needs a `response` that never rises from wave to wave; got {shares}."
            )

    def score(self, name: str) -> Score:
        """Return the score of this name, however it is written."""
        plain = term_name(name)
        _check_known(plain, [score.name for score in self.scores], "name")
        return next(score for score in self.scores if score.name == plain)


def term_name(instrument: str) -> str:
    """Return the name of a scale as a term: "FABQ-W" -> "fabq_w"; other names are only put in lower case."""
    try:
        name = get_instrument(instrument).name
    except ArgumentError:
        name = instrument
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def _check_twice(names: list[str], what: str) -> None:
    again = sorted({name for name in names if names.count(name) > 1})
    if again:
        raise ArgumentError(f"`{what}` must name each once; twice or more: {', '.join(again)}.")


def _check_known(name: str, known: list[str], argument: str) -> None:
    if name not in known:
        listed = ", ".join(known) or "none"
        raise ArgumentError(
            f"`{argument}` names {name!r}, which is not declared; declared: {listed}.{did_you_mean(name, known)}"
        )
