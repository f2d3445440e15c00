from __future__ import annotations

import math

import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.report.report_table import ReportTable


def small_table(**changes) -> ReportTable:
    settings = {
        "key": "small",
        "title": "A <small> table & more",
        "display": pd.DataFrame(
            {"Row": ["Sex", "<b>Female</b>"], "A & B": ["", "28"], "C": ["0.1", None]}, dtype=object
        ),
        "raw": pd.DataFrame({"row": ["female"], "n": [math.nan], "withheld": ["n"]}),
        "notes": ("Note <1>.",),
        "row_kinds": ("group", "level"),
        "spanners": (("Both <i>", 1, 2),),
    }
    return ReportTable(**(settings | changes))


def test_html_is_escaped_everywhere() -> None:
    page = small_table().to_html()
    for raw in ("<small>", "<b>", "<i>", "Note <1>"):
        assert raw not in page
    for text in ("A &lt;small&gt; table &amp; more", "&lt;b&gt;Female&lt;/b&gt;", "A &amp; B", "Note &lt;1&gt;."):
        assert text in page


def test_html_has_no_style_of_its_own_and_is_equal_each_time() -> None:
    assert "<style" not in small_table().to_html()
    assert small_table().to_html() == small_table().to_html()


def test_rows_have_header_cells_and_the_box_can_be_scrolled_by_keyboard() -> None:
    page = small_table().to_html()
    assert page.count('scope="row"') == 2
    assert 'tabindex="0"' in page
    assert 'aria-label="A &lt;small&gt; table &amp; more"' in page


def test_csv_leaves_withheld_numbers_empty_and_names_them() -> None:
    assert small_table().to_csv() == "row,n,withheld\nfemale,,n\n"


def test_an_empty_table_says_so() -> None:
    table = small_table(display=pd.DataFrame({"Row": [], "A": []}), row_kinds=(), spanners=())
    assert "Nothing to show." in table.to_html()


@pytest.mark.parametrize("key", ["Small", "a b", "", "1a", "../x"])
def test_a_key_that_cannot_be_a_file_name_is_refused(key) -> None:
    with pytest.raises(ArgumentError, match="key"):
        small_table(key=key)


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ArgumentError, match="align"):
        small_table(align=("left",))
    with pytest.raises(ArgumentError, match="row_kinds"):
        small_table(row_kinds=("plain",))
