"""The numbers and words that the report is made of, taken from a study's results."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort import __version__
from rtwcohort.models import CoxFit
from rtwcohort.outcomes.sentence import describe_rule
from rtwcohort.report import WITHHELD, MethodsFacts
from rtwcohort.report.disclosure import is_small
from rtwcohort.report.numbers import (
    format_count,
    format_count_percent,
    format_estimate,
    format_number,
    format_p_equation,
)
from rtwcohort.study.families import FAMILIES, OUTCOME_WORDS
from rtwcohort.study.parts import readable
from rtwcohort.study.results import Contrast, FurtherModel, Results

EVERYBODY: Final = "all"
"""Name of the one group where there are no arms, as curves call it."""

CAUSE_WORDS: Final = {
    "return": "Returned to work",
    "horizon": "Followed to the end without a return",
    "end_of_data": "End of data",
    "emigration": "Emigrated",
    "retirement": "Reached retirement age",
    "death": "Died",
}
"""Words for how follow-up ended; a benefit is named by its own name."""


def cause_words(cause: str) -> str:
    """Return words for what ended follow-up."""
    return CAUSE_WORDS.get(cause, cause.replace("_", " ").capitalize())


def time_unit(results: Results) -> str:
    """Return the unit of time in the plural: "days", or what the study file calls a day of its register."""
    return f"{results.study.file.register_.day_label}s"


def curve_days(results: Results) -> list[int]:
    """Return the days of the curve table: as asked, or the quarters of the horizon."""
    asked = results.study.file.report.curve_days
    horizon = results.population.outcome.horizon
    days = asked or [round(horizon * part / 4) for part in range(1, 5)]
    return sorted({day for day in days if 0 < day <= horizon})


def arm_counts(results: Results) -> pd.DataFrame:
    """Return one row an arm, or one for all: `arm, n, n_returned, median_time, median_low, median_high`."""
    frame, arms = results.analysis.frame, results.analysis.arms
    medians = results.analysis.curves.quantiles(0.5).set_index("group")
    rows = []
    for level in arms.levels if arms is not None else (EVERYBODY,):
        inside = frame if arms is None else frame[frame[arms.column] == level]
        median = medians.loc[level]
        rows.append((level, len(inside), int(inside["event"].sum()), *median[["time", "conf_low", "conf_high"]]))
    return pd.DataFrame(rows, columns=["arm", "n", "n_returned", "median_time", "median_low", "median_high"])


def absence_means(results: Results) -> pd.DataFrame:
    """Return one row a window, measure and arm: `measure, arm, n, mean, sd` of days of absence, observed days only."""
    arms = results.analysis.arms
    absence, unit = results.population.absence, time_unit(results)
    group = results.analysis.frame.set_index("person_id")[arms.column] if arms is not None else None
    rows = []
    for first, after in absence[["from_day", "to_day"]].drop_duplicates().to_numpy().tolist():
        window = absence[(absence["from_day"] == first) & (absence["to_day"] == after)]
        arm = (
            window["person_id"].map(group).astype(str)
            if group is not None
            else pd.Series(EVERYBODY, index=window.index)
        )
        place = f"{unit[:-1]} {first} to {after - 1}"
        for column, words in (
            ("absence_days", f"Calendar {unit} of absence, {place}"),
            ("weighted_days", f"Grade-weighted {unit} of absence, {place}"),
        ):
            for level in arms.levels if arms is not None else (EVERYBODY,):
                values = window.loc[arm == level, column].to_numpy(dtype=np.float64)
                sd = float(values.std(ddof=1)) if len(values) > 1 else np.nan
                rows.append((words, level, len(values), float(values.mean()) if len(values) else np.nan, sd))
    return pd.DataFrame(rows, columns=["measure", "arm", "n", "mean", "sd"])


def effects(results: Results) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the effect measures of the arms and the notes below them."""
    arms = results.analysis.arms
    if arms is None:
        return pd.DataFrame(), ()
    horizon = f"by {time_unit(results)[:-1]} {results.population.outcome.horizon}"
    rows: list[dict[str, Any]] = []
    for level in arms.levels[1:]:
        contrast = f"{level} against {arms.levels[0]}"
        table = arms.two_by_two[level]
        for words, effect, scale in (
            (f"Difference in the share returned {horizon}", table.risk_difference, "points"),
            (f"Risk ratio of a return {horizon}", table.risk_ratio, "ratio"),
            (f"Odds ratio of a return {horizon}", table.odds_ratio, "ratio"),
        ):
            rows.append(
                {
                    "measure": words,
                    "contrast": contrast,
                    "estimate": effect.estimate,
                    "conf_low": effect.conf_low,
                    "conf_high": effect.conf_high,
                    "p_value": effect.p_value if scale != "points" else table.chi_square_p,
                    "scale": scale,
                    "from_counts": True,
                    "note": f"{words}: {effect.reason}." if effect.reason else "",
                }
            )
        for words, fit in (
            ("Hazard ratio of a return", arms.unadjusted),
            ("Hazard ratio of a return, adjusted", results.analysis.multivariable),
        ):
            row = _hazard(fit, f"{arms.column}: {level}")
            if row is not None:
                rows.append(
                    {"measure": words, "contrast": contrast, "scale": "ratio", "from_counts": False, "note": "", **row}
                )
    return pd.DataFrame(rows), _effect_notes(results)


def _hazard(fit: CoxFit | None, term: str) -> dict[str, float] | None:
    if fit is None or term not in fit.terms:
        return None
    names = ["estimate", "conf_low", "conf_high", "p_value"]
    tidy = fit.tidy(exponentiate=True)
    figures = tidy.loc[tidy["term"] == term, names].to_numpy(dtype=np.float64)[0]
    return dict(zip(names, figures.tolist(), strict=True))


def _effect_notes(results: Results) -> tuple[str, ...]:
    arms, limit = results.analysis.arms, results.study.file.report.small_cells
    if arms is None:
        return ()
    notes = []
    sizes = arm_counts(results)
    if not any(is_small(int(n), limit) for n in [*sizes["n"], *sizes["n_returned"]]):
        test = arms.log_rank
        notes.append(
            f"Log-rank test over all arms: chi-square {format_number(test.statistic, decimals=2)} on {test.df} "
            f"degree{'s' if test.df > 1 else ''} of freedom, {format_p_equation(test.p_value)}."
        )
    if arms.unknown_counted:
        notes.append(
            "The few people censored before the horizon are counted as not returned in shares and their ratios."
        )
    elif any(arms.n_unknown.values()):
        notes.append("People censored before the horizon are left out of shares and their ratios.")
    notes.append("The p-value of a difference in shares is Pearson's; hazard ratios use everybody.")
    return tuple(notes)


def model_words(results: Results, model: FurtherModel) -> str:
    """Return a sentence on what a further model is, and the choices of its fit."""
    family = FAMILIES[model.asked.family]
    limit = results.study.file.report.small_cells
    gaps = (len(results.analysis.frame) - model.n_people, model.n_left_out, int(model.fit.n_dropped))
    n = "" if any(is_small(gap, limit) for gap in gaps) else f" for {format_count(model.n_people)} people"
    choices = re.sub(r": \d+ rows of \d+ persons in \d+ clusters", "", model.fit.describe_choices().strip())
    return f"{OUTCOME_WORDS[model.outcome]} was modelled by {family.words}{n}. {choices}"


def model_notes(results: Results, model: FurtherModel) -> tuple[str, ...]:
    """Return what stands below the table of a further model."""
    family, limit = FAMILIES[model.asked.family], results.study.file.report.small_cells
    notes = [f"{family.short}: {family.measure}. CI: confidence interval."]
    if odds_are_hidden(model):
        notes = ["exp(b): the exponentiated coefficient; with this link it is no odds ratio. CI: confidence interval."]
    if family.repeated:
        notes += ["Visits without a known status are left out."] if model.n_left_out else []
        notes += ["Visits with a missing predictor are left out."] if model.fit.n_dropped else []
        return tuple(notes)
    for count, what in (
        (model.n_left_out, "a known outcome"),
        (int(model.fit.n_dropped), "a value of every predictor"),
    ):
        if count:
            words = f"<{limit}" if is_small(count, limit) else format_count(count)
            notes.append(f"{words} people without {what} are left out.")
    return tuple(notes)


def odds_are_hidden(model: FurtherModel) -> bool:
    """Tell whether exponentiated coefficients are no odds ratios, for the link is another."""
    return FAMILIES[model.asked.family].short == "OR" and model.asked.options.get("link", "logit") != "logit"


def contrast_words(results: Results, contrast: Contrast) -> tuple[str, tuple[str, ...]]:
    """Return the title of a contrast's section and its sentences."""
    asked = contrast.asked
    labels = {variable.name: variable.label for variable in results.population.cohort.variables}
    place = ", ".join(f"{labels[name]}: {readable(value)}" for name, value in asked.where.items())
    title = "Difference-in-differences" + (f" ({place})" if place else "")
    group, period = _within_sentence(labels[asked.group]), _within_sentence(labels[asked.period])
    scale = "logarithm of the duration" if asked.log else "duration"
    n = contrast.duration.cells["n"]
    limit = results.study.file.report.small_cells
    people = "" if any(is_small(int(count), limit) for count in n) else f" among {format_count(int(n.sum()))} people"
    sentences = [
        f"Groups by {group}, change by {period}: how much more the {scale} (in {time_unit(results)}) changed in the "
        f"exposed group than in the other{people}, by least squares with the classical standard error; and the same "
        "contrast of the hazard of return, by a Cox model with the interaction. A longer duration means a slower "
        "return, so the two have opposite signs."
    ]
    if asked.log:
        share = 100.0 * (np.exp(contrast.duration.effect.estimate) - 1.0)
        direction = "longer" if share >= 0 else "shorter"
        sentences.append(
            f"On average the exposed group's duration became {format_number(abs(share), decimals=0)} % {direction} "
            "than the other group's change would lead one to expect."
        )
    censored = contrast.hazard.cells["n"].sum() - contrast.hazard.cells["events"].sum()
    if censored > 0:
        sentences.append(
            "Some durations are censored. Least squares takes them as they stand, which biases it; "
            "the Cox model takes the censoring into account."
        )
    return title, tuple(sentences)


def contrast_effects(results: Results, contrast: Contrast) -> pd.DataFrame:
    """Return the rows of the contrast's table."""
    duration, hazard = contrast.duration.effect, contrast.hazard.effect
    words = (
        "Difference-in-differences of log duration" if contrast.asked.log else "Difference-in-differences of duration"
    )
    note = f"{words}: standard error {format_number(duration.std_error, decimals=3)}."
    rows = [
        (words, duration.estimate, duration.conf_low, duration.conf_high, duration.p_value, "difference", note),
        (
            "Ratio of hazard ratios (Cox)",
            hazard.estimate,
            hazard.conf_low,
            hazard.conf_high,
            hazard.p_value,
            "ratio",
            "",
        ),
    ]
    columns = ["measure", "estimate", "conf_low", "conf_high", "p_value", "scale", "note"]
    return pd.DataFrame(rows, columns=columns)


def key_figures(results: Results) -> list[tuple[str, str, str]]:
    """Return the few numbers at the top as (value, label, detail)."""
    frame, limit = results.analysis.frame, results.study.file.report.small_cells
    n, returned = len(frame), int(frame["event"].sum())
    hidden = is_small(n, limit) or is_small(returned, limit) or is_small(n - returned, limit)
    horizon = f"within {format_count(results.population.outcome.horizon)} {time_unit(results)}"
    figures = [
        (WITHHELD if is_small(n, limit) else format_count(n), "people in the cohort", ""),
        (WITHHELD if hidden else format_count_percent(returned, n), "returned to work", horizon),
    ]
    arms = results.analysis.arms
    if not hidden and arms is None:
        median = results.analysis.curves.quantiles(0.5).iloc[0]
        value = (
            "not reached"
            if np.isnan(median["time"])
            else f"{format_number(median['time'], decimals=0)} {time_unit(results)}"
        )
        figures.append((value, "median time to return", "Kaplan-Meier"))
    if arms is not None and not small_arms(results):
        figures += _arm_figures(results)
    return figures


def small_arms(results: Results) -> bool:
    """Tell whether some arm has too few people or returns to print what is computed from them."""
    counts, limit = arm_counts(results), results.study.file.report.small_cells
    return any(is_small(int(count), limit) for count in [*counts["n"], *counts["n_returned"]])


def _arm_figures(results: Results) -> list[tuple[str, str, str]]:
    arms = results.analysis.arms
    if arms is None:
        return []
    figures = []
    for level in arms.levels[1:]:
        adjusted = _hazard(results.analysis.multivariable, f"{arms.column}: {level}")
        row = adjusted or _hazard(arms.unadjusted, f"{arms.column}: {level}")
        if row is None:
            continue
        words = "adjusted" if adjusted else "unadjusted"
        value = format_estimate(row["estimate"], row["conf_low"], row["conf_high"])
        figures.append((value, f"hazard ratio of a return, {words}", f"{level} against {arms.levels[0]}"))
    return figures


def methods_facts(results: Results, record: dict[str, Any]) -> MethodsFacts:
    """Collect what the methods paragraphs say."""
    file, cohort, outcome = results.study.file, results.population.cohort, results.population.outcome
    labels = {variable.name: _within_sentence(variable.label) for variable in cohort.variables}
    units = {variable.name: variable.unit for variable in cohort.variables}
    reasons = [step.reason for step in cohort.flow[1:]]
    more = []
    if file.register_.day_label != "day":
        more.append(f"One day of the register stands for one {file.register_.day_label}.")
    if results.data.register.cleaning:
        more.append("Faulty rows of the register were mended by the rules listed under the register's faults.")
    software = record["software"]
    return MethodsFacts(
        rule=describe_rule(outcome.rule),
        horizon=outcome.horizon,
        time_unit=time_unit(results),
        index=_index_words(results),
        exclusions=tuple(reasons),
        predictors=tuple(labels.get(term, term) for term in file.predictors.terms),
        scales={
            labels.get(name, name): f"{step:g} {units.get(name, '')}".strip()
            for name, step in file.predictors.scale.items()
        },
        ties=file.predictors.ties,
        missing=file.predictors.missing if any(variable.n_missing for variable in cohort.variables) else "",
        arms=results.analysis.arms.levels if results.analysis.arms is not None else (),
        small_cells=file.report.small_cells,
        software=(
            ("rtwcohort", __version__),
            *((name, software[name]) for name in ("lifelines", "statsmodels", "numpy")),
        ),
        more=tuple(more),
    )


def _within_sentence(label: str) -> str:
    """Start a label with a small letter unless it starts with an abbreviation."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def guarded_note(note: str, threshold: int) -> str:
    """Write a note of the register without marks of code, and with small counts of people, rows or spells withheld."""
    return re.sub(
        r"\b(\d+)( of \d+)? (people|persons?|rows?|spells?)\b",
        lambda found: f"<{threshold} {found[3]}" if is_small(int(found[1]), threshold) else found[0],
        note.replace("`", ""),
    )


def guarded_rows(text: str, threshold: int) -> str:
    """Write "1 446 of 1 448 rows" as "rows" where so few are missing that their number may not be told."""
    return re.sub(
        r"(\d+) of (\d+) rows",
        lambda found: "rows" if is_small(int(found[2]) - int(found[1]), threshold) else found[0],
        text,
    )


def _index_words(results: Results) -> str:
    asked = results.parts.index_date
    if asked.at == "enrolment":
        return "the date given in the enrolment table"
    benefits = " or ".join(name.replace("_", " ") for name in asked.benefits)
    grade = f" of at least {asked.min_grade:g} percent" if asked.min_grade is not None else ""
    day = "the first day" if asked.at == "spell_start" else f"day {asked.day}"
    return f"{day} of each person's first absence on {benefits}{grade} that reached it"
