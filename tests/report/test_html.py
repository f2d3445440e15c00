"""The page: well formed, self-contained, escaped, the same bytes each time."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.report import (
    Bullets,
    Code,
    Document,
    KeyFigure,
    Note,
    Paragraph,
    ReportTable,
    Section,
    forest_figure,
    render_html,
)

HOSTILE = "<script>alert('x')</script> & \"quotes\" </style> ${x}"
VOID = {"meta", "br", "hr", "img", "link", "input", "path", "use", "rect"}


class Balance(HTMLParser):
    """Keeps the open elements and complains about one closed out of turn."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.headings: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.ids += [value for name, value in attrs if name == "id"]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag) -> None:
        if tag not in VOID:
            assert self.open
            assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text.append(data)


def parse(page: str) -> Balance:
    parser = Balance()
    parser.feed(page)
    parser.close()
    return parser


def document() -> Document:
    display = pd.DataFrame({HOSTILE: [HOSTILE], "n": ["1"]}, dtype=object)
    table = ReportTable("one", HOSTILE, display, display, (HOSTILE,))
    rows = pd.DataFrame({"label": [HOSTILE], "estimate": [1.5], "conf_low": [1.1], "conf_high": [2.0]})
    figure = forest_figure(rows, title=HOSTILE, caption=HOSTILE)
    blocks = (Paragraph(HOSTILE), Note(HOSTILE), Bullets((HOSTILE,)), Code(HOSTILE, HOSTILE), table, figure)
    return Document(
        HOSTILE,
        HOSTILE,
        (HOSTILE, "B. Dahl"),
        (KeyFigure("1.94", HOSTILE, HOSTILE), KeyFigure("102", "People")),
        (Section("results", HOSTILE, blocks), Section("nothing", "Nothing here")),
        (HOSTILE,),
    )


def test_every_element_is_closed_in_turn_and_every_id_is_there_once() -> None:
    parsed = parse(render_html(document()))
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))
    assert parsed.headings == ["h1", "h2", "h2", "h2"]


def test_hostile_text_is_text() -> None:
    page = render_html(document())
    assert "<script" not in page
    assert page.count("</style>") == 1
    assert HOSTILE in "".join(parse(page).text)


def test_nothing_is_fetched_from_anywhere() -> None:
    page = render_html(document())
    without_names = page.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")
    assert not re.search(r"https?:|//[a-z]|@import|<link|<img|<iframe|src=", without_names)
    assert not re.search(r"url\((?!#)", page)


def test_the_page_is_equal_each_time() -> None:
    assert render_html(document()) == render_html(document())


def test_the_page_has_language_title_contents_and_anchors() -> None:
    page = render_html(document())
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert '<a href="#nothing">Nothing here</a>' in page
    assert '<section id="nothing" aria-labelledby="nothing-title">' in page
    assert 'name="viewport"' in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_empty_parts_are_well_formed() -> None:
    page = render_html(Document("Nothing"))
    assert parse(page).open == []
    assert "<nav" not in page
    assert "Nothing to show." in render_html(Document("Nothing", sections=(Section("a", "A"),)))


def test_two_sections_of_one_key_are_refused() -> None:
    with pytest.raises(ArgumentError, match="section a"):
        render_html(Document("Twice", sections=(Section("a", "A"), Section("a", "B"))))
