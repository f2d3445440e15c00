"""The work-status questions give back the status they were drawn from."""

import numpy as np
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.instruments import answered_work_status
from rtwcohort.simulate.questionnaires import draw_work_status

LEVELS = ["not in work", "partly in work", "in work"]


def draw(status, people=None, **options):
    people = np.arange(len(status)) if people is None else people
    return draw_work_status(people, status, "M12", np.full(len(status), 18_000), seed=1, **options)


def test_the_status_comes_back():
    status = np.random.default_rng(1).integers(-1, 3, 2000)
    found = answered_work_status(draw(status).rename(columns={"person": "person_id"}))
    expected = [LEVELS[level] for level in status if level >= 0]
    assert found["status"].tolist() == expected
    assert not found["contradictory"].any()
    assert found["person_id"].tolist() == np.flatnonzero(status >= 0).tolist()


def test_the_reading_of_graded_benefit_matters_only_where_it_is_drawn():
    status = np.zeros(2000, dtype=int)
    other = dict(graded_benefit="partly_in_work")
    drawn = draw(status).rename(columns={"person": "person_id"})
    assert answered_work_status(drawn, **other)["status"].eq("partly in work").mean() == pytest.approx(0.15, abs=0.03)
    without = draw(status, situation_shares=(0.7, 0.2, 0.0, 0.1)).rename(columns={"person": "person_id"})
    assert answered_work_status(without, **other)["status"].eq("not in work").all()


def test_a_persons_answers_do_not_depend_on_the_others():
    status = np.random.default_rng(2).integers(-1, 3, 100)
    whole = draw(status)
    part = draw(status[40:60], np.arange(40, 60))
    assert part.equals(whole[whole["person"].between(40, 59)].reset_index(drop=True))


def test_what_cannot_be():
    with pytest.raises(ArgumentError, match="`status` must be -1"):
        draw(np.array([3]))
    with pytest.raises(ArgumentError, match="`situation_shares` must be four shares"):
        draw(np.array([0]), situation_shares=(1.0,))
