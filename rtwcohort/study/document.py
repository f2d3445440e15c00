"""The report of a study: which results are shown, in what order, and the words between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from rtwcohort.outcomes.sentence import describe_rule
from rtwcohort.report import (
    Bullets,
    Code,
    Document,
    KeyFigure,
    Note,
    Paragraph,
    Section,
    arm_table,
    cause_table,
    check_table,
    cleaning_table,
    counted_sentences,
    curve_figure,
    curve_table,
    effect_table,
    flow_figure,
    flow_table,
    forest_figure,
    forest_rows,
    hazard_ratio_table,
    inputs_table,
    methods_paragraphs,
    model_table,
    optimism_table,
    probability_table,
    provenance_table,
    selection_table,
    status_figure,
    status_table,
    table_one,
    term_tests_table,
)
from rtwcohort.report.document import Block
from rtwcohort.study.facts import (
    CAUSE_WORDS,
    absence_means,
    arm_counts,
    cause_words,
    contrast_effects,
    contrast_words,
    curve_days,
    effects,
    guarded_note,
    guarded_rows,
    key_figures,
    methods_facts,
    model_notes,
    model_words,
    odds_are_hidden,
    small_arms,
    time_unit,
)
from rtwcohort.study.families import FAMILIES, OUTCOME_WORDS
from rtwcohort.study.parts import variables_of
from rtwcohort.study.results import Results


def compose(results: Results, record: dict[str, Any]) -> Document:
    """Put the results of a study into a document.

    Parameters
    ----------
    results
        Of every step.
    record
        The provenance.
    """
    section = results.study.file.study
    sections = [
        _population(results),
        _returns(results),
        _status(results),
        _predictors(results),
        _screening(results),
        _arms(results),
        *_models(results),
        *_contrasts(results),
        _data(results),
        Section(
            "methods", "Methods", tuple(Paragraph(text) for text in methods_paragraphs(methods_facts(results, record)))
        ),
        _provenance(results, record),
    ]
    return Document(
        title=section.title,
        authors=tuple(section.authors),
        summary=tuple(KeyFigure(*figure) for figure in key_figures(results)),
        sections=tuple(item for item in sections if item is not None),
        lead=(section.description,) if section.description else (),
    )


def _limit(results: Results) -> int:
    return results.study.file.report.small_cells


def _arm(results: Results) -> str | None:
    return results.analysis.arms.column if results.analysis.arms is not None else None


def _population(results: Results) -> Section:
    cohort, limit, arm = results.population.cohort, _limit(results), _arm(results)
    shown = [variable for variable in cohort.variables if variable.name != arm]
    asked = results.study.file.cohort.baseline
    if asked:
        shown = [variable for name in asked for variable in shown if variable.name == name]
    counts = arm_counts(results)
    arms = list(zip(counts["arm"].astype(str), counts["n"].astype(int), strict=True)) if arm else []
    blocks: list[Block] = [
        flow_figure(cohort.flow, arms=arms, threshold=limit),
        flow_table(cohort.flow, threshold=limit),
    ]
    if shown:
        blocks.append(table_one(results.analysis.frame, shown, arm=arm, threshold=limit))
    notes = (*cohort.notes, *counted_sentences(cohort.counted, threshold=limit))
    if notes:
        blocks.append(Bullets(notes))
    return Section("population", "Who was studied", tuple(blocks))


def _returns(results: Results) -> Section:
    analysis, limit = results.analysis, _limit(results)
    outcome, unit = results.population.outcome, time_unit(results)
    days = curve_days(results)
    blocks: list[Block] = [
        Paragraph(describe_rule(outcome.rule)),
        curve_figure(analysis.curves.frame, horizon=outcome.horizon, at=days, threshold=limit, time_unit=unit),
        curve_table(analysis.curves.frame, days, threshold=limit, time_unit=unit),
    ]
    if analysis.incidence is not None:
        frame = analysis.incidence.frame
        competing = frame.assign(
            survival=1.0 - frame["incidence"], conf_low=1.0 - frame["conf_high"], conf_high=1.0 - frame["conf_low"]
        )
        blocks.append(
            curve_table(
                competing,
                days,
                threshold=limit,
                time_unit=unit,
                method="Aalen-Johansen",
                title="Returned to work, competing events taken into account",
                key="incidence",
            )
        )
    words = {cause: cause_words(cause) for cause in [*CAUSE_WORDS, *outcome.rule.competing]}
    blocks.append(cause_table(analysis.frame, words=words, arm=_arm(results), threshold=limit))
    return Section("returns", "Return to work", tuple(blocks))


def _status(results: Results) -> Section | None:
    status = results.population.status
    if status is None:
        return None
    arm, limit, unit = _arm(results), _limit(results), time_unit(results)
    if arm is not None:
        status = status.merge(results.analysis.frame[["person_id", arm]], on="person_id", validate="m:1")
    blocks = (
        status_figure(status, arm=arm, threshold=limit, time_unit=unit),
        status_table(status, arm=arm, threshold=limit, time_unit=unit),
    )
    return Section("status", "Work status", blocks)


def _predictors(results: Results) -> Section | None:
    analysis, section = results.analysis, results.study.file.predictors
    if analysis.multivariable is None:
        return None
    design = analysis.multivariable.design
    names = list(dict.fromkeys(name for term in section.terms for name in variables_of(term)))
    known = {variable.name: variable for variable in results.population.cohort.variables}
    table = hazard_ratio_table(
        analysis.frame,
        [known[name] for name in names],
        univariable=analysis.univariable,
        multivariable=analysis.multivariable,
        reference=design.reference if design is not None else None,
        scale=section.scale,
        threshold=_limit(results),
    )
    blocks: list[Block] = [
        Paragraph(analysis.multivariable.describe_choices()),
        table,
        forest_figure(forest_rows(table), title="Adjusted hazard ratios of return to work"),
    ]
    if analysis.proportional_hazards is not None:
        tests = term_tests_table(
            analysis.proportional_hazards.terms,
            key="proportional-hazards",
            title="Do the hazard ratios change with time?",
            labels={name: variable.label for name, variable in known.items()} | {"GLOBAL": "All together"},
            notes=(
                "Score tests of proportional hazards; time on the Kaplan-Meier scale. A small p speaks for a change.",
            ),
        )
        blocks.append(tests)
    blocks += [Note(note) for note in analysis.notes]
    return Section("predictors", "Predictors of return to work", tuple(blocks))


def _screening(results: Results) -> Section | None:
    screening = results.analysis.screening
    if screening is None:
        return None
    known = {variable.name: variable for variable in results.population.cohort.variables}
    labels = {name: variable.label for name, variable in known.items()}
    names = list(dict.fromkeys(name for term in screening.univariable for name in variables_of(term)))
    full = screening.full.design
    models = hazard_ratio_table(
        results.analysis.frame,
        [known[name] for name in names],
        univariable=screening.univariable,
        multivariable=screening.multivariable,
        reference=full.reference if full is not None else None,
        scale=results.study.file.predictors.scale,
        threshold=_limit(results),
    )
    blocks: list[Block] = [
        Paragraph(guarded_rows(screening.describe_choices(), _limit(results))),
        selection_table(screening.terms, threshold=screening.threshold, labels=labels),
        replace(models, key="screening-hazard-ratios", title="Each candidate alone, and those selected together"),
    ]
    if len(screening.performance):
        blocks.append(optimism_table(screening.performance, screening.events))
    return Section("screening-section", "Screening of predictors", tuple(blocks))


def _arms(results: Results) -> Section:
    counts, limit, unit = arm_counts(results), _limit(results), time_unit(results)
    horizon = f"{results.population.outcome.horizon} {unit}"
    outcomes = arm_table(counts, means=absence_means(results), horizon=horizon, time_unit=unit, threshold=limit)
    if results.analysis.arms is None:
        return Section("absence", "Return and absence", (replace(outcomes, title="Return and absence"),))
    rows, notes = effects(results)
    return Section(
        "arms", "Comparison of the arms", (outcomes, effect_table(rows, arms=counts, notes=notes, threshold=limit))
    )


def _models(results: Results) -> list[Section]:
    labels = {variable.name: variable.label for variable in results.population.cohort.variables}
    labels |= {"wave": "Visit", "day": "Day"}
    sections = []
    for number, model in enumerate(results.analysis.models, 1):
        family = FAMILIES[model.asked.family]
        table = model_table(
            model.fit,
            model.frame,
            key=f"model-{number}",
            title=f"{OUTCOME_WORDS[model.outcome]}: {family.words}",
            short=family.short if not odds_are_hidden(model) else "exp(b)",
            exponentiate=family.exponentiate,
            labels=labels,
            scale=model.asked.scale,
            outcome="event" if model.outcome == "time" else "outcome",
            notes=model_notes(results, model),
            threshold=_limit(results),
        )
        blocks: list[Block] = [Paragraph(model_words(results, model)), table]
        if len(model.asked.terms) > 1 or "*" in model.asked.terms[0]:
            tests = model.fit.term_tests()
            blocks.append(
                term_tests_table(tests, key=f"model-{number}-terms", title="Tests of whole terms", labels=labels)
            )
        if model.margins is not None and not small_arms(results):
            blocks.append(
                probability_table(
                    model.margins,
                    list(model.margins.columns[:2]),
                    key=f"model-{number}-probabilities",
                    title="Predicted work status by arm and visit",
                    labels=labels,
                    categories={"not": "Not in work", "partly": "Partly", "fully": "Fully in work"},
                    notes=("From the model, averaged over the people of the study.",),
                )
            )
        blocks += [Note(note) for note in model.notes]
        sections.append(Section(f"model-{number}-section", model.asked.name, tuple(blocks)))
    return sections


def _contrasts(results: Results) -> list[Section]:
    sections = []
    for number, contrast in enumerate(results.analysis.contrasts, 1):
        title, sentences = contrast_words(results, contrast)
        table = effect_table(
            contrast_effects(results, contrast),
            title="The contrast, on two scales",
            key=f"contrast-{number}",
            threshold=_limit(results),
        )
        blocks: list[Block] = [*(Paragraph(sentence) for sentence in sentences), table]
        sections.append(Section(f"contrast-{number}-section", title, tuple(blocks)))
    return sections


def _data(results: Results) -> Section:
    limit, register = _limit(results), results.data.register
    meanings = dict(zip(results.data.check.counts["fault"], results.data.check.counts["meaning"], strict=True))
    counts = results.data.check.counts
    blocks: list[Block] = (
        [check_table(counts, threshold=limit)] if len(counts) else [Paragraph("No faults were found.")]
    )
    if register.cleaning:
        blocks.append(cleaning_table(register.cleaning, meanings=meanings, threshold=limit))
    if register.notes:
        blocks.append(Bullets(tuple(guarded_note(note, limit) for note in register.notes)))
    return Section("data", "The register and its faults", tuple(blocks))


def _provenance(results: Results, record: dict[str, Any]) -> Section:
    inputs = pd.DataFrame(record["inputs"], columns=["table", "file", "rows", "sha256", "format"])
    entries = [
        ("Study file", f"{record['study']['file']}, SHA-256 {record['study']['sha256'][:16]}"),
        ("Last day of data", record["data_end"]),
        ("Run at", record["run_at"] or "not recorded"),
        *((name, text) for name, text in record["software"].items()),
    ]
    blocks = (
        inputs_table(inputs, threshold=_limit(results)),
        provenance_table(entries),
        Code(results.study.text, label="The study file"),
    )
    return Section("provenance", "Where this comes from", blocks)
