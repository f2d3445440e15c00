"""The document as one HTML file that needs nothing from anywhere else."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import assert_never

from rtwcohort.errors import ArgumentError
from rtwcohort.report.document import Block, Bullets, Code, Document, KeyFigure, Note, Paragraph, Section
from rtwcohort.report.numbers import join_words
from rtwcohort.report.report_figure import ReportFigure
from rtwcohort.report.report_table import ReportTable


def render_html(document: Document) -> str:
    """Return the whole page: style inside, drawings inline, no script and no request to any address.

    Parameters
    ----------
    document
        Every text in it is escaped.

    Raises
    ------
    ArgumentError
        When two sections, tables or figures share a key.
    """
    _check_keys(document)
    style = files("rtwcohort.report").joinpath("report.css").read_text(encoding="utf-8")
    sections = "\n".join(_section(section) for section in document.sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(document.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#content">Skip to the report</a>\n'
        f'{_head(document)}\n<div class="columns">\n{_contents(document.sections)}\n'
        f'<main id="content">\n{sections}\n</main>\n</div>\n</body>\n</html>\n'
    )


def _check_keys(document: Document) -> None:
    seen: set[str] = set()
    for section in document.sections:
        keys = [f"section {section.key}"]
        keys += [f"table {block.key}" for block in section.blocks if isinstance(block, ReportTable)]
        keys += [f"figure {block.key}" for block in section.blocks if isinstance(block, ReportFigure)]
        for key in keys:
            if key in seen:
                raise ArgumentError(f"`document` must have each key once; got two of {key}. Give one another key.")
            seen.add(key)


def _head(document: Document) -> str:
    subtitle = f'<p class="subtitle">{escape(document.subtitle)}</p>' if document.subtitle else ""
    authors = f'<p class="authors">{escape(join_words(document.authors))}</p>' if document.authors else ""
    lead = "".join(f'<p class="lead">{escape(text)}</p>' for text in document.lead)
    return (
        f"<header>\n<h1>{escape(document.title)}</h1>{subtitle}{authors}{lead}\n{_summary(document.summary)}</header>"
    )


def _summary(figures: tuple[KeyFigure, ...]) -> str:
    if not figures:
        return ""
    items = "".join(
        f"<div><dt>{escape(figure.label)}</dt><dd>{escape(figure.value)}"
        + (f"<span>{escape(figure.detail)}</span>" if figure.detail else "")
        + "</dd></div>"
        for figure in figures
    )
    return f'<dl class="summary" aria-label="Key figures">{items}</dl>\n'


def _contents(sections: tuple[Section, ...]) -> str:
    items = "".join(f'<li><a href="#{section.key}">{escape(section.title)}</a></li>' for section in sections)
    return f'<nav aria-label="Contents"><h2>Contents</h2><ol>{items}</ol></nav>' if items else ""


def _section(section: Section) -> str:
    blocks = "\n".join(_block(block) for block in section.blocks) or '<p class="empty">Nothing to show.</p>'
    return (
        f'<section id="{section.key}" aria-labelledby="{section.key}-title">\n'
        f'<h2 id="{section.key}-title">{escape(section.title)}</h2>\n{blocks}\n</section>'
    )


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"
        case Note(text):
            return f'<p class="note" role="note">{escape(text)}</p>'
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        case Code(text, label):
            summary = escape(label) or "Text"
            return f'<details><summary>{summary}</summary><pre tabindex="0">{escape(text)}</pre></details>'
        case ReportTable() | ReportFigure():
            return block.to_html()
        case _:
            assert_never(block)
