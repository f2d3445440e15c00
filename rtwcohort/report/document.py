"""The document as data: a title, key figures, and sections of paragraphs, tables and figures."""

from __future__ import annotations

from dataclasses import dataclass

from rtwcohort.report.report_figure import ReportFigure
from rtwcohort.report.report_table import ReportTable, check_key


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain text; it is escaped, so it holds no markup."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """Plain text set apart: something that a reader must not overlook."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of plain sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Text printed as it is, such as the study file."""

    text: str
    label: str = ""


Block = Paragraph | Note | Bullets | Code | ReportTable | ReportFigure


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One of the few numbers at the top: "1.94 (1.20 to 3.03)", "Hazard ratio", "visit against ordinary"."""

    value: str
    label: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section with its anchor; a section without blocks says that there is nothing to show."""

    key: str
    title: str
    blocks: tuple[Block, ...] = ()

    def __post_init__(self) -> None:
        """Check the key."""
        check_key(self.key)


@dataclass(frozen=True, slots=True)
class Document:
    """Everything that the report says, in order.

    Attributes
    ----------
    title, subtitle, authors
        Head of the page; `subtitle` and `authors` may be empty.
    summary
        Key figures at the top.
    sections
        In order; the last ones are usually methods and provenance.
    lead
        Sentences below the head, before the key figures.
    """

    title: str
    subtitle: str = ""
    authors: tuple[str, ...] = ()
    summary: tuple[KeyFigure, ...] = ()
    sections: tuple[Section, ...] = ()
    lead: tuple[str, ...] = ()
