"""A table of the report: strings for people, numbers for machines, and what was withheld."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pandas as pd

from rtwcohort.errors import ArgumentError
from rtwcohort.report.disclosure import audit_frame

Align = Literal["left", "right", "center"]
RowKind = Literal["plain", "group", "level"]
Spanner = tuple[str, int, int]

_KEY: Final = re.compile(r"[a-z][a-z0-9-]*")
_STYLE_ELEMENT: Final = re.compile(r"<style>.*?</style>\s*", re.DOTALL)
_WRAPPER_STYLE: Final = re.compile(r'(<div id="[^"]*") style="[^"]*"')


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table ready to be shown and to be written.

    Attributes
    ----------
    key
        Lower-case letters, digits and hyphens: the anchor in the document and the stem of the CSV file.
    title
        Printed above the table.
    display
        Strings only; the first column labels the rows, column names are the headings.
    raw
        The same results as plain numbers, rounded as they may be published; withheld ones are missing and
        named in the column `withheld`.
    notes
        Sentences printed below.
    align
        One for each column of `display`.
    row_kinds
        One for each row: "group" heads the "level" rows below it.
    spanners
        (label, first column, last column) of headings over several columns, counted from 0.
    audit
        Which numbers were withheld and why: `table`, `row`, `column`, `reason`.
    """

    key: str
    title: str
    display: pd.DataFrame
    raw: pd.DataFrame
    notes: tuple[str, ...] = ()
    align: tuple[Align, ...] = ()
    row_kinds: tuple[RowKind, ...] = ()
    spanners: tuple[Spanner, ...] = ()
    audit: pd.DataFrame = field(default_factory=audit_frame)

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        check_key(self.key)
        if self.align and len(self.align) != self.display.shape[1]:
            raise ArgumentError(
                f"`align` must have one entry for each of the {self.display.shape[1]} columns; got {len(self.align)}."
            )
        if self.row_kinds and len(self.row_kinds) != len(self.display):
            raise ArgumentError(
                f"`row_kinds` must have one entry for each of the {len(self.display)} rows; got {len(self.row_kinds)}."
            )

    def to_html(self) -> str:
        """Return a `<figure>` with the caption, the table in a box that scrolls sideways, and the notes."""
        caption = html.escape(self.title)
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        foot = f'<div class="notes">{notes}</div>' if notes else ""
        body = _great_table(self) if len(self.display) else '<p class="empty">Nothing to show.</p>'
        return (
            f'<figure class="table" id="table-{self.key}"><figcaption>{caption}</figcaption>'
            f'<div class="scroll" role="region" aria-label="{html.escape(self.title)}" tabindex="0">{body}</div>'
            f"{foot}</figure>"
        )

    def to_csv(self) -> str:
        """Return the numbers as CSV: comma, full stop, line feeds; withheld numbers are empty."""
        return self.raw.to_csv(index=False, lineterminator="\n")


def check_key(key: str) -> None:
    """Raise `ArgumentError` unless a key can be an anchor and the stem of a file name."""
    if not _KEY.fullmatch(key):
        raise ArgumentError(f"`key` must be lower-case letters, digits and hyphens, a letter first; got {key!r}.")


def _great_table(table: ReportTable) -> str:
    """Render the body by great_tables; its style sheet is left out, for the document has its own."""
    from great_tables import GT, loc, style

    names = [f"c{at}" for at in range(table.display.shape[1])]
    frame = table.display.astype(object).fillna("").astype(str).set_axis(names, axis=1).reset_index(drop=True)
    shown: Any = GT(frame, rowname_col=names[0], id=f"gt-{table.key}", auto_align=False)
    labels = dict(zip(names[1:], [str(label) for label in table.display.columns[1:]], strict=True))
    if labels:
        shown = shown.cols_label(**labels)
    shown = shown.tab_stubhead(label=str(table.display.columns[0]))
    for name, align in zip(names[1:], table.align[1:] or ["right"] * (len(names) - 1), strict=True):
        shown = shown.cols_align(align=align, columns=[name])
    for label, first, last in table.spanners:
        shown = shown.tab_spanner(label=label, columns=names[first : last + 1])
    groups = [at for at, kind in enumerate(table.row_kinds) if kind == "group"]
    levels = [at for at, kind in enumerate(table.row_kinds) if kind == "level"]
    if groups:
        shown = shown.tab_style(style.css("font-weight: 600;"), loc.stub(rows=groups))
    if levels:
        shown = shown.tab_style(style.css("padding-left: 1.4em;"), loc.stub(rows=levels))
    return _WRAPPER_STYLE.sub(r"\1", _STYLE_ELEMENT.sub("", str(shown.as_raw_html()))).strip()
