"""The declarations against what the sources print."""

from __future__ import annotations

import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.instruments import INSTRUMENTS, Instrument, get_instrument

# name: number of scored items, range of one answer, range of the score
PRINTED = {
    "FABQ-PA": (4, (0, 6), (0, 24)),
    "FABQ-W": (7, (0, 6), (0, 42)),
    "BELIEF": (11, (1, 3), (1, 3)),
    "DCSQ-DEMANDS": (5, (1, 4), (5, 20)),
    "DCSQ-CONTROL": (6, (1, 4), (6, 24)),
    "DCSQ-SUPPORT": (6, (1, 4), (6, 24)),
    "JOB-SATISFACTION": (1, (0, 10), (0, 10)),
    "HADS-A": (7, (0, 3), (0, 21)),
    "HADS-D": (7, (0, 3), (0, 21)),
    "HSCL-10": (10, (1, 4), (1, 4)),
    "HSCL-25": (25, (1, 4), (1, 4)),
    "OMPSQ-SF": (10, (0, 10), (0, 100)),
    "WAI": (1, (7, 49), (7, 49)),
    "WAS": (1, (0, 10), (0, 10)),
    "WORK-STATUS-FIT": (1, (0, 1), (0, 1)),
    "WORK-STATUS-SITUATION": (1, (1, 5), (1, 5)),
    "PAIN-VAS": (1, (0, 10), (0, 10)),
    "PAIN-NRS": (1, (0, 10), (0, 10)),
    "PAIN-NRS-1-10": (1, (1, 10), (1, 10)),
    "OMPQ-PAIN": (1, (0, 10), (0, 10)),
    "LBP-RATING": (6, (0, 10), (0, 60)),
    "OSWESTRY": (1, (0, 100), (0, 100)),
    "15D": (1, (0, 1), (0, 1)),
    "SF-36-GH": (1, (0, 100), (0, 100)),
    "SF-36-PF": (1, (0, 100), (0, 100)),
    "SF-36-SF": (1, (0, 100), (0, 100)),
    "SF-36-MH": (1, (0, 100), (0, 100)),
    "SHC": (1, (0, 87), (0, 87)),
    "MPI-PAIN": (1, (0, 6), (0, 6)),
    "BDI": (1, (0, 63), (0, 63)),
}


def test_every_instrument_is_in_the_table():
    assert set(PRINTED) == set(INSTRUMENTS)


@pytest.mark.parametrize("name", PRINTED)
def test_items_and_ranges_are_the_printed_ones(name):
    declared = INSTRUMENTS[name]
    n_items, answer, total = PRINTED[name]
    assert len(declared.items) == n_items
    assert (declared.least, declared.most) == answer
    assert declared.score_range == total
    assert declared.source
    assert declared.direction


def test_the_items_of_the_fabq_are_split_in_two():
    assert INSTRUMENTS["FABQ-PA"].items == ("2", "3", "4", "5")
    assert INSTRUMENTS["FABQ-W"].items == ("6", "7", "9", "10", "11", "12", "15")
    both = INSTRUMENTS["FABQ-PA"].statements + INSTRUMENTS["FABQ-W"].statements
    assert both == tuple(str(number) for number in range(1, 17))


def test_the_items_of_the_dcsq_are_split_in_three():
    parts = [INSTRUMENTS[f"DCSQ-{part}"].items for part in ("DEMANDS", "CONTROL", "SUPPORT")]
    assert sum(parts, ()) == tuple(str(number) for number in range(1, 18))


@pytest.mark.parametrize("name", ["FABQ-W", "fabq-w", "FABQ_W", " fabq w ", "FABQ-work"])
def test_names_are_found_however_they_are_written(name):
    assert get_instrument(name).name == "FABQ-W"


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(ArgumentError, match=r"got 'FABQ-V'\. Did you mean 'FABQ-W'\?"):
        get_instrument("FABQ-V")


def test_a_declaration_that_contradicts_itself_is_refused():
    facts = dict(name="X", label="x", family="X", least=0, most=3, scoring="sum", direction="high", source="none")
    Instrument(**facts, items=("1", "2"))
    with pytest.raises(ValueError, match="contradicts itself"):
        Instrument(**facts, items=("1", "2"), reversed_items=("3",))
    with pytest.raises(ValueError, match="contradicts itself"):
        Instrument(**facts, items=("1", "1"))
    with pytest.raises(ValueError, match="contradicts itself"):
        Instrument(**{**facts, "most": 0}, items=("1",))
