"""Complete scores of every wave: those of the answers, where nobody leaves anything out."""

import numpy as np

from rtwcohort.core.days import MISSING_DAY
from rtwcohort.instruments import score
from rtwcohort.simulate.questionnaires import Answers, Change, Score, Wave, draw_baseline, draw_waves
from rtwcohort.simulate.questionnaires.complete import draw_complete

N = 300
ANSWERS = Answers(
    waves=(Wave(name="M0"), Wave(name="M3", day=91), Wave(name="M6", day=182)),
    scores=(
        Score(instrument="FABQ-W", mean=22, sd=10, alpha=0.85, changes=(Change(wave="M3", points=-3),), returned=-4),
        Score(instrument="BELIEF", mean=2.2, sd=0.4, alpha=0.8),
    ),
)


def test_complete_scores_are_those_of_the_answers():
    persons, index = np.arange(N), np.full(N, 16_000)
    returned = np.where(persons % 3 == 0, 16_100, MISSING_DAY)
    complete = draw_complete(ANSWERS, persons, {}, index, seed=5, returned_day=returned)
    gone = np.full(N, MISSING_DAY)
    table = draw_waves(ANSWERS, persons, {}, index, gone, 20_000, seed=5, returned_day=returned)
    table = table.rename(columns={"person": "person_id"})
    for name, instrument in (("fabq_w", "FABQ-W"), ("belief", "BELIEF")):
        assert list(complete[name]) == ["M0", "M3", "M6"]
        for wave, values in complete[name].items():
            found = score(table, instrument, wave=wave)
            np.testing.assert_allclose(found["score"].to_numpy(), values)
    first = draw_baseline(ANSWERS, persons, {}, seed=5)
    for name, values in first.items():
        np.testing.assert_array_equal(values, complete[name]["M0"])
