"""The cohort: who is in, since when, what is known about them, and where the others went."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One line of the flow: `n_excluded` people left for `reason`, `n_left` remained.

    The first step has `n_excluded` 0 and says where people came from. For every later step,
    previous `n_left` - `n_excluded` = `n_left`.

    Attributes
    ----------
    name
        The requirement that excluded them, or "source".
    reason
        In words, as a reader of the flow chart sees it.
    n_excluded, n_left
        People (rows of the enrolment table where a person has several: the first step then says so).
    left_by_arm
        `n_left` by arm as (arm, n), in the order of the arms' names; empty where no arm is known.
    """

    name: str
    reason: str
    n_excluded: int
    n_left: int
    left_by_arm: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """A column of the cohort frame and how to read it.

    Attributes
    ----------
    name, label
        Column name; words for tables, such as "Age at index date".
    kind
        "numeric" or "categorical" (then the column is a pandas Categorical, ordered by category).
    unit
        "years", "days", "points" or empty.
    source
        In words: "persons.birth_date", "questionnaires, FABQ-W at M0".
    n_missing
        In the final cohort.
    """

    name: str
    label: str
    kind: str
    unit: str
    source: str
    n_missing: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Something that holds for `n` people of the cohort and that a reader should know.

    Apart from `Cohort.notes`, because a count of people is subject to disclosure control.
    """

    text: str
    n: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """The study population.

    Attributes
    ----------
    frame
        One row a person, index 0..n-1: `person_id`, `index_date`, `follow_up_days` (days from the index date to the
        last day known, the longest follow-up possible), `arm` and `cluster` where known, then one column a variable.
    flow
        Adds up: see `FlowStep`.
    variables
        In the order asked for.
    notes
        Sentences on choices; they hold no count of people.
    counted
        What holds for some people of the cohort (values set to missing, answers given late, ...).
    """

    frame: pd.DataFrame
    flow: tuple[FlowStep, ...]
    variables: tuple[Variable, ...]
    notes: tuple[str, ...] = ()
    counted: tuple[Counted, ...] = ()
