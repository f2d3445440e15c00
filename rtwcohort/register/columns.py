"""Which column of a file is which column of ours, and which file is which table.

Names are compared without case, accents and punctuation: `FOM_DATO`, `fom dato` and `fomdato` are
one name, and so are `fødselsdato` and `fodselsdato`. The caller's mapping wins over known names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import RegisterError
from rtwcohort.register.tables import TABLES, fact, table_aliases

CONSTANT: Final = "="
"""A mapping to "=value" gives every row that value: `{"benefits": {"benefit": "=sickness_benefit"}}`."""

_NORDIC: Final = str.maketrans({"æ": "ae", "ø": "o", "å": "a", "ð": "d", "þ": "th", "ß": "ss", "ä": "a", "ö": "o"})


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """How the columns of a file answer to ours.

    Attributes
    ----------
    names
        Our column -> the file's column.
    constants
        Our column -> the one value that every row gets.
    ignored
        Columns of the file that nothing asked for.
    """

    names: dict[str, str]
    constants: dict[str, str]
    ignored: tuple[str, ...]


def plain_name(name: str) -> str:
    """Return a name without case, accents, spaces and punctuation, for comparison."""
    lowered = str(name).strip().lower().translate(_NORDIC)
    ascii_only = unicodedata.normalize("NFKD", lowered).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^0-9a-z]+", "", ascii_only)


def match_columns(table: str, columns: Iterable[str], mapping: Mapping[str, str] | None, *, path: str) -> ColumnMatch:
    """Find our columns among those of a file.

    Parameters
    ----------
    table
        One of the five table names.
    columns
        The file's column names.
    mapping
        Our column -> the file's column, or "=value" for a constant. Wins over known names.
    path
        The file's name, for messages.

    Raises
    ------
    RegisterError
        When the mapping names a column that we or the file do not have, when two columns of the file
        answer to one of ours, or when a column that the table must have is not there.
    """
    present = [str(column) for column in columns]
    _check_unique(table, present, path)
    names, constants = _from_mapping(table, present, dict(mapping or {}), path)
    taken = set(names.values())
    rest = [column for column in present if column not in taken]
    for ours, column in TABLES[table].columns.items():
        if ours in names or ours in constants:
            continue
        found = _candidates(ours, fact(column, "aliases"), rest)
        if len(found) > 1:
            listed = " and ".join(f"'{name}'" for name in found)
            raise RegisterError(
                f"`{table}` ({path}): the columns {listed} may both be `{ours}`. "
                f"Say which one: {_how_to_map(table, ours, found[0])}"
            )
        if found:
            names[ours] = found[0]
            rest.remove(found[0])
    _check_required(table, names, constants, present, path)
    ordered = {ours: names[ours] for ours in TABLES[table].columns if ours in names}
    return ColumnMatch(names=ordered, constants=constants, ignored=tuple(rest))


def _candidates(ours: str, aliases: Iterable[str], columns: list[str]) -> list[str]:
    """Return the columns that answer to our name; our own name wins over the others."""
    own = [column for column in columns if plain_name(column) == plain_name(ours)]
    if own:
        return own
    wanted = {plain_name(alias) for alias in aliases}
    return [column for column in columns if plain_name(column) in wanted]


def _check_unique(table: str, present: list[str], path: str) -> None:
    twice = sorted({name for name in present if present.count(name) > 1 and name.strip()})
    if twice:
        raise RegisterError(
            f"`{table}` ({path}) has two columns named '{twice[0]}'. Column names must differ: rename or remove one."
        )


def _from_mapping(
    table: str, present: list[str], mapping: dict[str, str], path: str
) -> tuple[dict[str, str], dict[str, str]]:
    ours_known = list(TABLES[table].columns)
    names: dict[str, str] = {}
    constants: dict[str, str] = {}
    for ours, theirs in mapping.items():
        if ours not in ours_known:
            raise RegisterError(
                f"`columns` maps `{table}.{ours}`, but `{table}` has no such column.{did_you_mean(ours, ours_known)} "
                f"Its columns are: {', '.join(ours_known)}. Write our name = the file's name."
            )
        if str(theirs).startswith(CONSTANT):
            constants[ours] = str(theirs)[len(CONSTANT) :].strip()
        elif theirs in present:
            names[ours] = theirs
        else:
            raise RegisterError(
                f"`columns` says that `{table}.{ours}` is the column '{theirs}', but {path} has no such "
                f"column.{did_you_mean(theirs, present)} Its columns are: {', '.join(present) or 'none'}."
            )
    used = list(names.values())
    shared = sorted({name for name in used if used.count(name) > 1})
    if shared:
        ours_listed = " and ".join(f"`{ours}`" for ours, name in names.items() if name == shared[0])
        raise RegisterError(
            f"`columns` gives the column '{shared[0]}' of {path} to both {ours_listed}. Give each its own column."
        )
    return names, constants


def _check_required(
    table: str, names: Mapping[str, str], constants: Mapping[str, str], present: list[str], path: str
) -> None:
    for ours, column in TABLES[table].columns.items():
        if not fact(column, "required") or ours in names or ours in constants:
            continue
        free = [name for name in present if name not in names.values()]
        hint = did_you_mean(ours, free) or next(
            (h for a in fact(column, "aliases") if (h := did_you_mean(a, free))), ""
        )
        example = hint.split("'")[1] if hint else "its name in the file"
        raise RegisterError(
            f"`{table}` ({path}) has no column `{ours}` and none of the names known for it.{hint} "
            f"Its columns are: {', '.join(present) or 'none'}. Map it: {_how_to_map(table, ours, example)}"
        )


def _how_to_map(table: str, ours: str, theirs: str) -> str:
    return (
        f'columns={{"{table}": {{"{ours}": "{theirs}"}}}}, or `{ours} = "{theirs}"` under '
        f"[register.columns.{table}] in the study file."
    )


def table_of(name: str) -> str | None:
    """Return the table that a file or database table of this name holds, or None.

    `ytelser`, `Ytelser_2020` and `benefits-2010-2020` are all benefits: a tail of digits is ignored.
    """
    plain = plain_name(name)
    for candidate in (plain, re.sub(r"[0-9]+$", "", plain)):
        for table in TABLES:
            if candidate and candidate in {plain_name(alias) for alias in table_aliases(table)}:
                return table
    return None


def known_file_names() -> str:
    """Return, as one sentence part, the file names that need no mapping."""
    return "; ".join(f"{table} ({', '.join(table_aliases(table)[1:4])}, ...)" for table in TABLES)
