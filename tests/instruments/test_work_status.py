"""The recoding of the work-status questions as a table."""

from __future__ import annotations

import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.instruments import answered_work_status

# declared fit, situation, status, status when a graded benefit counts as partly in work
TABLE = [
    (1, None, "in work", "in work"),
    (0, 1, "not in work", "not in work"),
    (0, 2, "not in work", "not in work"),
    (0, 3, "partly in work", "partly in work"),
    (0, 4, "not in work", "partly in work"),
    (0, 5, "not in work", "not in work"),
    (0, None, None, None),
    (None, 3, None, None),
    (1, 3, "in work", "in work"),
]


def answers():
    rows = []
    for person, (fit, situation, *_) in enumerate(TABLE):
        for item, value in (("declared_fit", fit), ("situation", situation)):
            if value is not None:
                rows.append((person, "M12", "WORK-STATUS", item, float(value)))
    return pd.DataFrame(rows, columns=["person_id", "wave", "instrument", "item", "value"])


@pytest.mark.parametrize(("graded_benefit", "column"), [("not_in_work", 2), ("partly_in_work", 3)])
def test_the_table(graded_benefit, column):
    found = answered_work_status(answers(), graded_benefit=graded_benefit)
    status = found["status"].astype(object).where(found["status"].notna(), None)
    assert status.tolist() == [row[column] for row in TABLE]
    assert found["contradictory"].tolist() == [False] * 8 + [True]
    assert found["status"].cat.ordered


def test_an_unknown_code_and_an_unknown_reading():
    with pytest.raises(ArgumentError, match="from 1 to 5 for WORK-STATUS-SITUATION; 1 answers are not"):
        answered_work_status(answers().replace({"value": {5.0: 6.0}}))
    with pytest.raises(ArgumentError, match="`graded_benefit` must be one of"):
        answered_work_status(answers(), graded_benefit="partly")
