"""The methods in plain English, from facts."""

from __future__ import annotations

from dataclasses import dataclass, field

from rtwcohort.report.disclosure import WITHHELD
from rtwcohort.report.numbers import format_count, format_number, join_words, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodsFacts:
    """What the methods paragraphs say. Leave a fact empty and its sentence is not written.

    Attributes
    ----------
    rule
        The sentence of the rule (`describe_rule`), a whole sentence.
    horizon
        Length of follow-up.
    time_unit
        Of the horizon, in the plural.
    index
        What the index date is: "the date of enrolment".
    eligibility
        Requirements in words, each to follow "People were included if they": "were 18 to 66 years old".
    exclusions
        Why people were left out, in order: "age outside 18 to 66 years".
    day_zero
        A whole sentence on returns on the index date itself.
    censoring
        What ended follow-up: "emigration", "the end of the register".
    competing
        Events that ended the chance of a return: "death", "disability pension".
    predictors
        Labels of the terms of the Cox models.
    scales
        Label -> units of the hazard ratio: {"Age": "10 years"}.
    ties
        "efron" or "breslow".
    missing
        "raise" or "drop".
    arms
        Names of the arms, the reference first.
    tests
        Names of the tests used for Table 1.
    level
        Confidence level.
    small_cells
        Threshold of disclosure control; 0 or 1 is off.
    software
        (name, version), rtwcohort first.
    seed
        Where anything random was used.
    more
        Further whole sentences.
    """

    rule: str
    horizon: float
    time_unit: str = "days"
    index: str = ""
    eligibility: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    day_zero: str = ""
    censoring: tuple[str, ...] = ()
    competing: tuple[str, ...] = ()
    predictors: tuple[str, ...] = ()
    scales: dict[str, str] = field(default_factory=dict)
    ties: str = "efron"
    missing: str = ""
    arms: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    level: float = 0.95
    small_cells: int = 5
    software: tuple[tuple[str, str], ...] = ()
    seed: int | None = None
    more: tuple[str, ...] = ()


def methods_paragraphs(facts: MethodsFacts) -> tuple[str, ...]:
    """Write the methods: study population, outcome, analysis, and how the numbers are printed.

    Returns
    -------
    tuple of str
        Plain text, one a paragraph; paragraphs without facts are left out.
    """
    paragraphs = (
        _population(facts),
        _outcome(facts),
        _analysis(facts),
        [_sentence(text) for text in facts.more],
        _printing(facts),
    )
    return tuple(" ".join(sentences) for sentences in paragraphs if sentences)


def methods_paragraph(facts: MethodsFacts) -> str:
    """Return the same as one text, paragraphs parted by an empty line."""
    return "\n\n".join(methods_paragraphs(facts))


def _population(facts: MethodsFacts) -> list[str]:
    sentences = []
    if facts.eligibility:
        sentences.append(f"People were included if they {join_words(facts.eligibility)}.")
    if facts.exclusions:
        sentences.append(f"People were left out, in this order, for: {'; '.join(facts.exclusions)}.")
    if facts.index:
        sentences.append(f"Time was counted from {facts.index} (the index date).")
    return sentences


def _outcome(facts: MethodsFacts) -> list[str]:
    length = f"{format_number(facts.horizon, decimals=0)} {_unit(facts.time_unit, facts.horizon)}"
    sentences = [_sentence(facts.rule), f"Each person was followed for up to {length}."]
    if facts.day_zero:
        sentences.append(_sentence(facts.day_zero))
    if facts.censoring:
        first = ", whichever came first" if len(facts.censoring) > 1 else ""
        sentences.append(f"Follow-up was censored at {join_words(facts.censoring, last='or')}{first}.")
    if facts.competing:
        were = "was a competing event" if len(facts.competing) == 1 else "were competing events"
        names = join_words(facts.competing)
        sentences.append(
            f"{names[:1].upper()}{names[1:]} {were}: follow-up ended there, and hazard ratios are cause-specific."
        )
    return sentences


def _analysis(facts: MethodsFacts) -> list[str]:
    sentences = ["The share that had returned was estimated by the Kaplan-Meier method."]
    if len(facts.arms) > 1:
        others = join_words(facts.arms[1:])
        sentences.append(
            f"{others[:1].upper()}{others[1:]} {'was' if len(facts.arms) == 2 else 'were'} compared with "
            f"{facts.arms[0]} by the log-rank test."
        )
        if facts.tests:
            sentences.append(f"Baseline characteristics were compared by {join_words(facts.tests)}.")
    if facts.predictors:
        sentences += _models(facts)
    sentences.append(f"Intervals are {100 * facts.level:g} % confidence intervals.")
    return sentences


def _models(facts: MethodsFacts) -> list[str]:
    names = {"efron": "Efron's", "breslow": "Breslow's"}.get(facts.ties, facts.ties)
    listed = join_words(facts.predictors)
    if len(facts.predictors) == 1:
        first = f"The hazard ratio of returning was estimated by a Cox model with {listed}"
    else:
        first = (
            f"Hazard ratios of returning were estimated by Cox models with one predictor at a time and with all "
            f"{format_count(len(facts.predictors))} together: {listed}"
        )
    sentences = [f"{first}; tied times were handled by {names} method."]
    if facts.scales:
        steps = join_words([f"{step} ({label})" for label, step in facts.scales.items()])
        sentences.append(f"Hazard ratios are for {steps}.")
    if facts.missing == "drop":
        sentences.append("People with a missing value of a predictor were left out of the models that use it.")
    if facts.missing == "raise":
        sentences.append("No predictor had a missing value.")
    return sentences


def _printing(facts: MethodsFacts) -> list[str]:
    sentences = []
    if facts.small_cells > 1:
        sentences.append(
            f"Counts from 1 to {facts.small_cells - 1} are withheld, and so are further numbers ({WITHHELD}) from "
            f"which they could be worked out; steps of curves hold at least {facts.small_cells} events, and numbers at "
            f"risk are rounded down to a multiple of {facts.small_cells}."
        )
    else:
        sentences.append("Small counts are printed as they are: disclosure control was turned off in the study file.")
    if facts.software:
        (name, version), *others = facts.software
        rest = f", with {join_words([f'{other} {number}' for other, number in others])}" if others else ""
        sentences.append(f"The analysis was run in {name} {version}{rest}.")
    if facts.seed is not None:
        sentences.append(f"The seed of random numbers was {facts.seed}.")
    return sentences


def _sentence(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        return ""
    ended = stripped if stripped[-1] in ".!?" else f"{stripped}."
    return ended[:1].upper() + ended[1:]


def _unit(unit: str, count: float) -> str:
    return plural(count, unit.removesuffix("s")).split(" ", 1)[1] if " " not in unit else unit
