"""The study file, declared once: sections, keys, types, defaults and what each key means."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1)]
Window = Annotated[list[int], Field(min_length=2, max_length=2)]


class Section(BaseModel):
    """A section of the study file: unknown keys are errors, values are never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StudySection(Section):
    """`[study]`: what the study is called and by whom."""

    title: Name = Field(description="Title of the report.")
    authors: list[str] = Field(default_factory=list, description="Names under the title.")
    description: str = Field(default="", description="A paragraph at the top of the report.")
    seed: int = Field(default=20240101, description="Seed of the bootstrap samples of [screening].")


class RegisterSection(Section):
    """`[register]`: where the tables are and how their columns are called."""

    folder: str | None = Field(default=None, description="Folder of the tables, relative to the study file.")
    file: str | None = Field(default=None, description="A DuckDB file instead of a folder.")
    data_end: dt.date | None = Field(default=None, description="Last day that the register knows (inclusive).")
    data_start: dt.date | None = Field(default=None, description="First day that the register covers.")
    tables: dict[str, str] = Field(default_factory=dict, description="Table = file name, where it is not a usual one.")
    columns: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="[register.columns.TABLE]: our column = the file's column."
    )
    values: dict[str, dict[str, dict[str, str]]] = Field(
        default_factory=dict, description="[register.values.TABLE.COLUMN]: the file's value = our value."
    )
    day_label: str = Field(default="day", description="What one day of the register stands for, in the singular.")


class CohortSection(Section):
    """`[cohort]`: who is in, from which day, and what is known about them."""

    index_date: str | dict[str, Any] = Field(default="enrolment", description="From which day time counts.")
    eligibility: list[dict[str, Any]] = Field(default_factory=list, description="Rules, applied in this order.")
    covariates: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Name = where it comes from.")
    labels: dict[str, str] = Field(default_factory=dict, description="Name = words for the tables.")
    baseline: list[str] = Field(
        default_factory=list, description="Variables of the baseline table; empty means every predictor and covariate."
    )


class OutcomeSection(Section):
    """`[outcome]`: what counts as return to work, and for how long people are followed."""

    rule: str | dict[str, Any] = Field(description="A rule of the catalogue, or a table that declares one.")
    horizon: int = Field(gt=0, description="Days of follow-up from the index date.")
    day_zero: Literal["event", "exclude"] = Field(default="event", description="A return on the index date itself.")
    status_days: list[int] = Field(default_factory=list, description="Days at which work status is shown.")
    absence_windows: list[Window] = Field(
        default_factory=list, description="Windows [from, to) of days over which absence is added up."
    )


class PredictorsSection(Section):
    """`[predictors]`: the terms of the Cox models."""

    terms: list[str] = Field(default_factory=list, description="Names, or formula terms such as 'a:b'.")
    scale: dict[str, float] = Field(default_factory=dict, description="Name = units per step, such as age = 10.")
    reference: dict[str, str] = Field(default_factory=dict, description="Name = reference category.")
    ties: Literal["efron", "breslow"] = Field(default="efron", description="How tied times are handled.")
    strata: list[str] = Field(default_factory=list, description="Variables with a baseline hazard for each category.")
    cluster: str | None = Field(default=None, description="Variable whose groups may be alike inside: robust variance.")
    missing: Literal["raise", "drop"] = Field(
        default="raise", description="People with a missing predictor: an error, or left out of that model and counted."
    )


class ScreeningSection(Section):
    """`[screening]`: predictors one at a time, then those below a p-value together, and what that hides."""

    candidates: list[str] = Field(default_factory=list, description="Terms; empty means those of [predictors].")
    threshold: float = Field(default=0.05, gt=0.0, lt=1.0, description="A candidate enters when its p alone is below.")
    always: list[str] = Field(default_factory=list, description="Candidates that enter whatever their p.")
    missing: Literal["raise", "complete", "per_model"] = Field(
        default="raise", description="An error, the same complete rows for every model, or each model's own."
    )
    n_boot: int = Field(default=200, ge=0, description="Bootstrap samples of the whole procedure; seed: `study.seed`.")


class ModelSection(Section):
    """`[[models]]`: a further model, with a section of its own in the report."""

    name: Name = Field(description="Title of its section.")
    family: Literal["cox", "ordinal", "ordinal_gee", "logistic", "gee", "count", "quantile"] = Field(
        description="What is fitted."
    )
    outcome: Literal["time", "status", "any_work", "full_work", "returned", "absence_days"] | None = Field(
        default=None, description="Time to return, work status (ordered, or in two), return by the horizon, days."
    )
    terms: list[str] = Field(
        min_length=1, description="As in [predictors]; repeated measures also have `wave` and `day`."
    )
    days: list[int] = Field(
        default_factory=list,
        description="Days of work status; empty means `outcome.status_days`.",
    )
    window: Window | None = Field(default=None, description="Window of the absence days; empty means the first one.")
    scale: dict[str, float] = Field(default_factory=dict, description="Name = units per step.")
    reference: dict[str, str] = Field(default_factory=dict, description="Name = reference category.")
    missing: Literal["raise", "drop"] = Field(default="raise", description="As in [predictors].")
    options: dict[str, Any] = Field(
        default_factory=dict, description="Options of the fit: link, association, correction, variance, compat, ..."
    )


class ArmsSection(Section):
    """`[arms]`: the groups to compare."""

    column: str = Field(default="arm", description="Column of the cohort that holds the arm.")
    reference: str | None = Field(default=None, description="The arm that the others are compared with.")


class ContrastSection(Section):
    """`[[contrasts]]`: a difference-in-differences of absence duration beside a Cox model of the same contrast."""

    kind: Literal["difference_in_differences"]
    group: Name = Field(description="Two-level variable: who was exposed to the change.")
    exposed: str | None = Field(default=None, description="The exposed level of `group`.")
    period: Name = Field(description="Two-level variable: before and after the change.")
    after: str | None = Field(default=None, description="The level of `period` after the change.")
    where: dict[str, str] = Field(default_factory=dict, description="Restrict to variable = value.")
    log: bool = Field(default=True, description="Use the logarithm of the duration.")


class ReportSection(Section):
    """`[report]`: how the results are shown."""

    small_cells: int = Field(default=5, ge=0, description="Counts from 1 to one less than this never leave.")
    curve_days: list[int] = Field(
        default_factory=list, description="Days of the curve table; empty means quarters of the horizon."
    )


class StudyFile(Section):
    """The whole study file."""

    study: StudySection
    register_: RegisterSection = Field(alias="register")
    cleaning: dict[str, str] = Field(default_factory=dict)
    cohort: CohortSection = Field(default_factory=CohortSection)
    outcome: OutcomeSection
    predictors: PredictorsSection = Field(default_factory=PredictorsSection)
    screening: ScreeningSection | None = None
    models: list[ModelSection] = Field(default_factory=list)
    arms: ArmsSection | None = None
    contrasts: list[ContrastSection] = Field(default_factory=list)
    report: ReportSection = Field(default_factory=ReportSection)
