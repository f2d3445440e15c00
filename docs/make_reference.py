"""Write the reference pages that follow from declarations: `python docs/make_reference.py` from the project root."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from rtwcohort.cohort import COVARIATES, ELIGIBILITY
from rtwcohort.instruments import NAMED, OPTIONS, instrument_catalogue
from rtwcohort.outcomes import NOT_COMPUTABLE, RULES
from rtwcohort.outcomes.sentence import describe_rule
from rtwcohort.register import FAULTS, data_dictionary
from rtwcohort.simulate import load_scenario, scenario_names
from rtwcohort.study.schema import StudyFile

FOLDER = Path(__file__).parent / "reference"


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return file name -> content."""
    return {
        "study_file.md": study_file(),
        "register.md": register(),
        "rules.md": rules(),
        "instruments.md": instruments(),
        "scenarios.md": scenarios(),
        "api.md": api(),
    }


def study_file() -> str:
    """Sections and keys of the study file, from its schema."""
    lines = [
        "# The study file",
        "",
        "A study file is TOML. `rtwcohort init FOLDER` writes one with comments. Unknown keys, wrong types and names that",
        "do not exist are errors that tell the line and the nearest right name. Paths are relative to the study file.",
    ]
    for name, field in StudyFile.model_fields.items():
        model = _model(field.annotation)
        title = field.alias or name
        lines += ["", f"## [{title}]", ""]
        if model is None:
            lines.append(
                "Fault = action, for what cleaning shall do otherwise than by default: see [the register](register.md)."
            )
            continue
        lines += [_first_sentence(model), "", "| key | type | default | meaning |", "| --- | --- | --- | --- |"]
        for key, item in model.model_fields.items():
            default = "**needed**" if item.is_required() else _code(item.get_default(call_default_factory=True))
            lines.append(f"| `{key}` | {_type(item.annotation)} | {default} | {item.description or ''} |")
    lines += [
        "",
        "## Eligibility",
        "",
        'Each is `{ require = "name", ... }`; they are applied in the order of the file.',
        "",
    ]
    lines += ["| name | parameters | keeps |", "| --- | --- | --- |"]
    for name, rule in ELIGIBILITY.items():
        lines.append(f"| `{name}` | {_parameters(rule.parameters)} | {rule.meaning} |")
    lines += ["", "## Covariates", "", 'Each is `name = { from = "source", ... }`.', ""]
    lines += ["| from | parameters | what it takes |", "| --- | --- | --- |"]
    for name, source in COVARIATES.items():
        lines.append(f"| `{name}` | {_parameters(source.parameters)} | {source.meaning} |")
    lines += [
        "",
        "Every covariate also takes `label`, `unit`, `kind` (numeric or categorical), `order` (of its categories), `cut`",
        '(cut points, or "median") and `cut_labels`.',
    ]
    return "\n".join(lines) + "\n"


def register() -> str:
    """Tables, columns and faults of the register."""
    frame = data_dictionary()
    lines = [
        "# The register",
        "",
        "Five tables; names that registers use for their columns are known (`rtwcohort init` shows what was recognised).",
    ]
    for table, rows in frame.groupby("table", sort=False):
        lines += [
            "",
            f"## {table}",
            "",
            "| column | type | needed | rule | meaning |",
            "| --- | --- | --- | --- | --- |",
        ]
        for row in rows.itertuples():
            lines.append(
                f"| `{row.column}` | {row.type} | {'yes' if row.required else ''} | {row.rule} | {row.description} |"
            )
    lines += ["", "## Faults and what cleaning does", ""]
    lines += ["In this order. The first action is the default; choose another under `[cleaning]`.", ""]
    lines += ["| fault | tables | meaning | actions |", "| --- | --- | --- | --- |"]
    for fault in FAULTS:
        actions = [fault.default_action, *(name for name in fault.actions if name != fault.default_action)]
        words = "; ".join(f"`{name}`: {fault.actions[name]}" for name in actions)
        lines.append(f"| `{fault.name}` | {', '.join(fault.tables)} | {fault.meaning} | {words} |")
    return "\n".join(lines) + "\n"


def rules() -> str:
    """The catalogue of rules."""
    lines = [
        "# Catalogue of return-to-work rules",
        "",
        "Printed also by `rtwcohort rules`. See [how rules work](../explanation/rtw_rules.md).",
    ]
    for rule in RULES.values():
        lines += ["", f"## {rule.name}", "", describe_rule(rule), "", f"Source: {rule.source}."]
        if rule.horizon_days is not None:
            lines.append(f"Published horizon: {rule.horizon_days} days.")
        if rule.assumptions:
            lines += ["", "Readings chosen where the source leaves something open:", ""]
            lines += [f"- {text}" for text in rule.assumptions]
    lines += ["", "## Not computable from a benefit register", "", "| study | outcome | why |", "| --- | --- | --- |"]
    lines += [f"| {item.study} | {item.outcome} | {item.reason} |" for item in NOT_COMPUTABLE]
    return "\n".join(lines) + "\n"


def instruments() -> str:
    """The instruments, the rules that sources leave open, and what cannot be scored."""
    table = instrument_catalogue()
    lines = [
        "# Instruments",
        "",
        "Scales that `score` and `score_instrument` know, by the numbers of their items; item texts are not repeated here.",
        "`rtwcohort.instruments.instrument_catalogue()` gives this page as a table.",
    ]
    for row in table[~table["name"].isin(list(NAMED))].itertuples():
        lines += ["", f"## {row.name}", "", f"{row.label}. {row.direction[:1].upper()}{row.direction[1:]}.", ""]
        facts = [
            ("questionnaire", row.questionnaire),
            ("items", f"{row.items} ({row.n_items}), each {row.answers}"),
            ("score", f"{row.scoring}, {row.score_range}"),
            ("turned round", row.reversed_items),
            ("missing items", row.missing_rule),
            ("cut-offs", row.cut_offs),
            ("Cronbach's alpha", row.alpha),
            ("scored", "" if row.scored == "yes" else row.scored),
            ("used by", row.used_by),
            ("source", row.source),
            ("note", row.note),
        ]
        lines += [f"- {name}: {text}" for name, text in facts if text]
    lines += ["", "## Rules that sources leave open", ""]
    for option in OPTIONS:
        lines += [f"**{', '.join(option.instruments)}**: `{option.argument}` of `{option.function}`. {option.why}", ""]
        lines += [f"- {_choice(choice)}: {meaning}" for choice, meaning in option.choices.items()]
        lines.append("")
    lines += [
        "## Named and not scored",
        "",
        "| name | scale | named by | not stated | known |",
        "| --- | --- | --- | --- | --- |",
    ]
    for scale in NAMED.values():
        known = [f"{scale.n_items} items" if scale.n_items else "", scale.direction]
        known.append("range {:g} to {:g}".format(*scale.score_range) if scale.score_range else "")
        known.append(f"subscales: {', '.join(scale.subscales)}" if scale.subscales else "")
        text = "; ".join(filter(None, known)) + (f". {scale.note}" if scale.note else "")
        lines.append(
            f"| {scale.name} | {scale.label} | {', '.join(scale.used_by)} | {', '.join(scale.not_stated)} | "
            f"{text.removeprefix('. ')} |"
        )
    return "\n".join(lines) + "\n"


def _choice(choice: str) -> str:
    return choice if choice.startswith("(") else f"`{choice}`"


def scenarios() -> str:
    """List the scenarios with what they stand for, and the figures that cannot agree."""
    lines = [
        "# Scenarios",
        "",
        "What `rtwcohort simulate SCENARIO` can simulate; files of your own go beside these. See [the",
        "simulator](../explanation/simulator.md) and [Make a register](../tutorials/make_a_register.md).",
    ]
    for scenario in map(load_scenario, scenario_names()):
        excused = [target for target in scenario.targets if target.why_not]
        facts = [
            ("stands for", ", ".join(scenario.studies)),
            ("people", str(scenario.n)),
            ("arms", ", ".join(scenario.population.arm_names) if len(scenario.population.arms) > 1 else ""),
            ("dates", f"{scenario.enrolment[0]} to {scenario.data_end}"),
            ("published figures", str(len(scenario.targets) or "none")),
        ]
        text = " ".join(scenario.description.split())
        lines += ["", f"## {scenario.name}", "", f"{scenario.title}. {text}".strip(), ""]
        lines += [f"- {name}: {words}" for name, words in facts if words]
        if excused:
            lines += ["", "Figures that cannot agree with the others:", ""]
            lines += [f"- `{target.id}`: {target.why_not}" for target in excused]
        if scenario.notes:
            lines += ["", "Worth knowing:", "", *(f"- {note}" for note in scenario.notes)]
    return "\n".join(lines) + "\n"


def api() -> str:
    """List the functions by part, each with the first line of its docstring."""
    import rtwcohort

    lines = [
        "# Functions",
        "",
        "Importable from `rtwcohort`; `help(rtwcohort.fit_cox)` gives shapes, units, errors, formulas and sources.",
    ]
    lines += ["The models have more functions beside them, importable from `rtwcohort.models`.", ""]
    parts: dict[str, list[tuple[str, str]]] = {}
    for name in rtwcohort.__all__:
        item = getattr(rtwcohort, name)
        if callable(item) and item.__doc__:
            part = item.__module__.split(".")[1]
            parts.setdefault(part, []).append((name, item.__doc__.strip().split("\n")[0]))
    import rtwcohort.models as models

    more = [name for name in models.__all__ if name not in rtwcohort.__all__ and name[0].islower()]
    parts["models"] += [(f"models.{name}", getattr(models, name).__doc__.strip().split("\n")[0]) for name in more]
    for part, items in parts.items():
        lines += [f"## {part}", "", "| function | what it does |", "| --- | --- |"]
        lines += [f"| `{name}` | {text} |" for name, text in items]
        lines.append("")
    return "\n".join(lines)


def _model(annotation: Any) -> type[BaseModel] | None:
    for item in (annotation, *get_args(annotation)):
        if isinstance(item, type) and issubclass(item, BaseModel):
            return item
    return None


def _first_sentence(model: type[BaseModel]) -> str:
    text = (model.__doc__ or "").split("\n")[0].split(": ", 1)[-1]
    return text[:1].upper() + text[1:]


def _type(annotation: Any) -> str:
    text = str(annotation) if get_args(annotation) else annotation.__name__
    text = re.sub(r"Annotated\[(list\[int\]).*?\)\]\)?\]", r"\1", text)
    text = re.sub(r"typing\.|datetime\.|<class '|'>", "", text)
    text = re.sub(r"Literal\[(.*?)\]", lambda found: found.group(1).replace(", ", " or "), text)
    return f"`{text}`".replace(" | ", " or ").replace("|", "or")


def _code(value: Any) -> str:
    return "" if value in (None, "", [], {}) else f"`{value}`"


def _parameters(parameters: Any) -> str:
    words = []
    for item in parameters:
        default = (
            "needed" if item.default == "required" else f"default {item.default}" if item.default is not None else ""
        )
        words.append(f"`{item.name}`: {item.meaning}" + (f" ({default})" if default else ""))
    return "; ".join(words).replace("|", "or")


if __name__ == "__main__":
    main()
