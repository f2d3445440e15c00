"""Drawn answers meet their targets, go missing as declared, and belong to the person whoever else is drawn."""

import tomllib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from rtwcohort.core.days import MISSING_DAY
from rtwcohort.errors import ArgumentError
from rtwcohort.instruments import get_instrument, score
from rtwcohort.simulate.questionnaires import (
    Answers,
    Change,
    Correlation,
    Depends,
    MissingOn,
    Score,
    Wave,
    answer_targets,
    check_answers,
    covariates_needed,
    draw_baseline,
    draw_complete,
    draw_waves,
)

N = 20_000
PEOPLE = np.arange(N, dtype=np.int64)
INDEX = np.full(N, 18_000, dtype=np.int64)
NEVER = np.full(N, MISSING_DAY, dtype=np.int64)
COVARIATES = {
    "age": 45 + 10 * np.random.default_rng(1).standard_normal(N),
    "arm": (PEOPLE % 2).astype(float),
}
FABQ = Score(instrument="FABQ-W", mean=22, sd=9, alpha=0.82, changes=(Change(wave="M3", points=-4, sd=10),))
BELIEF = Score(instrument="BELIEF", mean=2.3, sd=0.4, alpha=0.85, item_spread=0.5)
DEMANDS = Score(instrument="DCSQ-DEMANDS", mean=13, sd=3, alpha=0.73)
SATISFACTION = Score(instrument="JOB-SATISFACTION", mean=6.4, sd=2.2)
ANSWERS = Answers(
    waves=(Wave(name="M0"), Wave(name="M3", day=91)),
    scores=(FABQ, BELIEF, DEMANDS, SATISFACTION),
    correlations=(Correlation(between=("FABQ-W", "BELIEF"), value=-0.4),),
    other_correlations=0.2,
    stability=0.6,
)


def drawn(answers, persons=PEOPLE, *, known_to=10**6, gone=None, returned=None, seed=1):
    cut = {name: values[persons] for name, values in COVARIATES.items()}
    gone = (NEVER if gone is None else gone)[persons]
    back = None if returned is None else returned[persons]
    return draw_waves(answers, persons, cut, INDEX[persons], gone, known_to, seed=seed, returned_day=back)


def scored(frame, instrument, wave):
    return score(frame.rename(columns={"person": "person_id"}), instrument, wave=wave).set_index("person_id")["score"]


def items_of(frame, instrument, wave):
    rows = frame[(frame["instrument"] == instrument) & (frame["wave"] == wave)]
    wide = rows.pivot_table(index="person", columns="item", values="value")
    declared = get_instrument(instrument)
    for item in declared.reversed_items:
        wide[item] = declared.least + declared.most - wide[item]
    return wide[list(declared.items)].to_numpy()


def naive_alpha(items):
    k = items.shape[1]
    return k / (k - 1) * (1 - sum(np.var(items[:, j]) for j in range(k)) / np.var(items.sum(axis=1)))


@pytest.fixture(scope="module")
def frame():
    return drawn(ANSWERS)


@pytest.fixture(scope="module")
def all_scores(frame):
    return {(one.name, wave): scored(frame, one.instrument, wave) for one in ANSWERS.scores for wave in ("M0", "M3")}


@pytest.mark.parametrize("wave", ["M0", "M3"])
@pytest.mark.parametrize("target", ANSWERS.scores, ids=lambda target: target.name)
def test_mean_sd_and_alpha(frame, all_scores, wave, target):
    change = next((item for item in target.changes if item.wave == wave), Change(wave=wave))
    values = all_scores[target.name, wave]
    sd = change.sd or target.sd
    assert len(values) == N
    assert values.mean() == pytest.approx(target.mean + change.points, abs=4 * sd / np.sqrt(N))
    assert values.std() == pytest.approx(sd, rel=4 / np.sqrt(N))
    if target.alpha is not None:
        assert naive_alpha(items_of(frame, target.instrument, wave)) == pytest.approx(target.alpha, abs=0.01)


def test_correlations_between_scales_and_waves(all_scores):
    fabq, belief = all_scores["fabq_w", "M0"], all_scores["belief", "M0"]
    # Traits correlate -0.4; scores about sqrt(0.82 * 0.85) times as much.
    assert np.corrcoef(fabq, belief)[0, 1] == pytest.approx(-0.4 * np.sqrt(0.82 * 0.85), abs=0.03)
    later = all_scores["fabq_w", "M3"]
    assert np.corrcoef(fabq, later)[0, 1] == pytest.approx(0.6 * 0.82, abs=0.03)
    assert np.corrcoef(later, all_scores["belief", "M3"])[0, 1] == pytest.approx(-0.4 * np.sqrt(0.82 * 0.85), abs=0.03)


def test_correlations_of_scores_are_met_themselves():
    scores = draw_baseline(replace(ANSWERS, correlation_of="score"), PEOPLE, {}, seed=2)
    assert np.corrcoef(scores["fabq_w"], scores["belief"])[0, 1] == pytest.approx(-0.4, abs=0.02)
    assert np.corrcoef(scores["fabq_w"], scores["job_satisfaction"])[0, 1] == pytest.approx(0.2, abs=0.022)


def test_fading_correlation_between_waves():
    waves = tuple(Wave(name=name, day=day) for name, day in (("M0", 0), ("M3", 91), ("M6", 182)))
    one = replace(FABQ, changes=())
    for stays, apart in (("same", 0.6), ("fading", 0.36)):
        long = drawn(Answers(waves=waves, scores=(one,), stability=0.6, stays=stays))
        first, last = scored(long, "FABQ-W", "M0"), scored(long, "FABQ-W", "M6")
        assert np.corrcoef(first, last)[0, 1] == pytest.approx(apart * 0.82, abs=0.03), stays


def test_baseline_is_what_the_items_score_to(all_scores):
    baseline = draw_baseline(ANSWERS, PEOPLE, COVARIATES, seed=1)
    assert list(baseline) == ["fabq_w", "belief", "dcsq_demands", "job_satisfaction"]
    for target in ANSWERS.scores:
        assert np.array_equal(all_scores[target.name, "M0"].to_numpy(), baseline[target.name])


def test_complete_scores_of_every_wave_are_those_of_complete_answers(all_scores):
    known = draw_complete(ANSWERS, PEOPLE, COVARIATES, INDEX, seed=1)
    for (name, wave), values in all_scores.items():
        assert np.array_equal(known[name][wave], values.to_numpy()), (name, wave)
    missing = replace(ANSWERS, waves=(Wave(name="M0", response=0.5), Wave(name="M3", day=91)), item_missing=0.3)
    assert np.array_equal(draw_complete(missing, PEOPLE, {}, INDEX, seed=1)["belief"]["M0"], known["belief"]["M0"])


def test_a_persons_answers_do_not_depend_on_the_others():
    missing = replace(ANSWERS, item_missing=0.05, waves=(Wave(name="M0"), Wave(name="M3", day=91, response=0.8)))
    whole = drawn(missing, PEOPLE[:3000])
    parts = [drawn(missing, PEOPLE[a:b]) for a, b in ((0, 1), (1, 1700), (1700, 3000))]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    one = draw_baseline(missing, PEOPLE[:3000], COVARIATES, seed=1)
    two = draw_baseline(missing, PEOPLE[1000:2000], COVARIATES, seed=1)
    assert all(np.array_equal(one[name][1000:2000], two[name]) for name in one)
    other = draw_baseline(missing, PEOPLE[:3000], COVARIATES, seed=2)
    assert abs(np.corrcoef(one["fabq_w"], other["fabq_w"])[0, 1]) < 0.08


def test_another_scale_leaves_the_first_alone():
    alone = draw_baseline(replace(ANSWERS, scores=(FABQ,), correlations=()), PEOPLE, {}, seed=1)
    assert np.array_equal(alone["fabq_w"], draw_baseline(ANSWERS, PEOPLE, {}, seed=1)["fabq_w"])


def test_the_bits_are_pinned():
    scores = draw_baseline(ANSWERS, np.arange(6), {}, seed=1)
    assert scores["fabq_w"].tolist() == PINNED["fabq_w"]
    assert (scores["belief"] * 11).round(9).tolist() == PINNED["belief"]


PINNED = {"fabq_w": [10.0, 24.0, 10.0, 18.0, 28.0, 8.0], "belief": [29.0, 18.0, 31.0, 30.0, 17.0, 26.0]}


def test_dependence_on_a_covariate_keeps_the_targets():
    target = replace(FABQ, depends=(Depends(term="age", points=3, per=10, centre=45, sd=10),))
    score_of = draw_baseline(replace(ANSWERS, scores=(target,), correlations=()), PEOPLE, COVARIATES, seed=1)["fabq_w"]
    slope = np.polyfit(COVARIATES["age"], score_of, 1)[0]
    assert slope == pytest.approx(0.3, abs=4 * 9 / 10 / np.sqrt(N))
    assert score_of.mean() == pytest.approx(22, abs=0.25)
    assert score_of.std() == pytest.approx(9, rel=0.03)


def test_an_arm_may_differ_at_one_wave_only():
    depends = (Depends(term="arm", points=-5, centre=0.5, sd=0.5, waves=("M3",)),)
    long = drawn(replace(ANSWERS, scores=(replace(FABQ, depends=depends),), correlations=()))
    for wave, difference in (("M0", 0.0), ("M3", -5.0)):
        values = scored(long, "FABQ-W", wave)
        arms = values.groupby(values.index % 2).mean()
        assert arms[1] - arms[0] == pytest.approx(difference, abs=4 * 2 * 10 / np.sqrt(N)), wave


def test_return_moves_the_mean_of_later_waves():
    back = np.where(PEOPLE % 2 == 0, 18_030, NEVER)
    long = drawn(replace(ANSWERS, scores=(replace(FABQ, returned=-6),), correlations=()), returned=back)
    first, later = scored(long, "FABQ-W", "M0"), scored(long, "FABQ-W", "M3")
    assert first.groupby(first.index % 2).mean().tolist() == pytest.approx([22, 22], abs=0.4)
    assert later.groupby(later.index % 2).mean().tolist() == pytest.approx([12, 18], abs=0.4)


def test_response_and_who_answers():
    waves = (Wave(name="M0", response=0.95), Wave(name="M3", day=91, response=0.7, spread=5))
    on = (MissingOn(term="age", log_or=-0.8, per=10, centre=45, sd=10), MissingOn(term="fabq_w", log_or=0.5, per=9))
    answers = replace(ANSWERS, waves=waves, missing_on=on)
    long = drawn(answers)
    days = (long["answered_on"].astype("int64") // 86_400 - 18_000).groupby(long["wave"]).agg(["min", "max"])
    assert days.loc["M0"].tolist() == [-10, 0]
    assert days.loc["M3"].tolist() == [86, 96]
    there = {wave: np.isin(PEOPLE, long.loc[long["wave"] == wave, "person"]) for wave in ("M0", "M3")}
    assert there["M0"].mean() == pytest.approx(0.95, abs=0.01)
    assert there["M3"].mean() == pytest.approx(0.70, abs=0.015)
    baseline = draw_baseline(answers, PEOPLE, COVARIATES, seed=1)["fabq_w"]
    fitted = naive_logistic(~there["M3"], np.column_stack([COVARIATES["age"] / 10, baseline / 9]))
    assert fitted == pytest.approx([-0.8, 0.5], abs=0.08)
    assert abs(there["M0"] @ COVARIATES["age"] / there["M0"].sum() - 45) < 0.4


def naive_logistic(y, x):
    x = np.column_stack([np.ones(len(x)), x])
    beta = np.zeros(x.shape[1])
    for _ in range(25):
        p = 1 / (1 + np.exp(-x @ beta))
        beta += np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]), x.T @ (y - p))
    return beta[1:].tolist()


def test_not_at_random_depends_on_the_wave_itself(all_scores):
    waves = (
        Wave(name="M0"),
        Wave(name="M3", day=91, response=0.7, missing_on=(MissingOn(term="fabq_w", log_or=0.8, per=10, at="now"),)),
    )
    answers = replace(ANSWERS, waves=waves)
    complete = all_scores["fabq_w", "M3"]
    there = scored(drawn(answers), "FABQ-W", "M3")
    assert len(there) / N == pytest.approx(0.7, abs=0.015)
    assert there.equals(complete.loc[there.index])
    fitted = naive_logistic(~complete.index.isin(there.index), complete.to_numpy()[:, None] / 10)
    assert fitted == pytest.approx([0.8], abs=0.08)


def test_monotone_dropout():
    waves = tuple(
        Wave(name=f"M{month}", day=30 * month, response=share) for month, share in ((0, 1), (3, 0.8), (6, 0.6))
    )
    long = drawn(replace(ANSWERS, waves=waves, dropout="monotone"))
    there = [set(long.loc[long["wave"] == wave.name, "person"]) for wave in waves]
    assert there[2] < there[1] < there[0]
    assert [len(people) / N for people in there] == pytest.approx([1, 0.8, 0.6], abs=0.015)
    with pytest.raises(ArgumentError, match="needs a `response` that never rises"):
        replace(ANSWERS, waves=tuple(reversed(waves)), dropout="monotone")


def test_a_wave_may_ask_some_people_only():
    waves = (
        Wave(name="M0"),
        Wave(name="M3", day=91, among="arm", response=0.8),
        Wave(name="M12", day=365, response=0.7),
    )
    for dropout in ("intermittent", "monotone"):
        long = drawn(replace(ANSWERS, waves=waves, dropout=dropout))
        there = [np.isin(PEOPLE, long.loc[long["wave"] == wave.name, "person"]) for wave in waves]
        assert not there[1][COVARIATES["arm"] == 0].any()
        assert there[1][COVARIATES["arm"] == 1].mean() == pytest.approx(0.8, abs=0.02)
        for arm in (0, 1):
            assert there[2][COVARIATES["arm"] == arm].mean() == pytest.approx(0.7, abs=0.02), (dropout, arm)
    assert not (there[2] & ~there[1])[COVARIATES["arm"] == 1].any()
    with pytest.raises(ArgumentError, match="`among` 'age' of wave 'M0' must be 0 or 1"):
        drawn(replace(ANSWERS, waves=(Wave(name="M0", among="age"), Wave(name="M3", day=91))))


def test_items_left_out_at_random_and_by_value():
    on = (MissingOn(term="value", log_or=0.6), MissingOn(term="age", log_or=0.4, per=10, centre=45, sd=10))
    answers = replace(ANSWERS, scores=(FABQ, replace(BELIEF, item_missing=0.2)), item_missing=0.1, item_missing_on=on)
    complete, long = (
        drawn(replace(answers, item_missing=0.0, item_missing_on=(), scores=(FABQ, BELIEF))),
        drawn(answers),
    )
    full = complete[(complete["wave"] == "M0") & (complete["instrument"] == "FABQ-W")]
    kept = long[(long["wave"] == "M0") & (long["instrument"] == "FABQ-W")]
    assert 1 - len(kept) / len(full) == pytest.approx(0.1, abs=0.005)
    belief = long[(long["wave"] == "M0") & (long["instrument"] == "BELIEF")]
    assert 1 - len(belief) / (11 * N) == pytest.approx(0.2, abs=0.005)
    joined = full.merge(kept.assign(kept=True), on=["person", "item", "value"], how="left")
    assert joined["kept"].sum() == len(kept)
    for item in ("6", "15"):
        rows = joined[joined["item"] == item]
        x = np.column_stack([rows["value"], COVARIATES["age"][rows["person"]] / 10])
        assert naive_logistic(rows["kept"].isna().to_numpy(), x) == pytest.approx([0.6, 0.4], abs=0.12)


def test_nobody_answers_after_death_or_what_the_register_knows():
    gone = np.where(PEOPLE % 3 == 0, 18_050, NEVER)
    long = drawn(ANSWERS, PEOPLE[:300], gone=gone)
    assert not (long.loc[long["wave"] == "M3", "person"] % 3 == 0).any()
    assert drawn(ANSWERS, PEOPLE[:300], known_to=18_050)["wave"].unique().tolist() == ["M0"]


def test_the_table(frame):
    assert list(frame.columns) == ["person", "wave", "answered_on", "instrument", "item", "value"]
    assert frame["answered_on"].dtype == "datetime64[s]"
    assert frame["person"].is_monotonic_increasing
    for name, rows in frame.groupby("instrument"):
        declared = get_instrument(name)
        assert set(rows["item"]) == set(declared.items)
        assert sorted(rows["value"].unique()) == list(range(int(declared.least), int(declared.most) + 1))


def test_unscored_statements_and_asked_instruments():
    waves = (Wave(name="M0", instruments=("FABQ-W",)), Wave(name="M3", day=91, instruments=("belief",)))
    long = drawn(replace(ANSWERS, waves=waves, all_statements=True), PEOPLE[:50])
    assert set(long.loc[long["wave"] == "M0", "item"]) == set(get_instrument("FABQ-W").statements)
    assert set(long.loc[long["wave"] == "M3", "instrument"]) == {"BELIEF"}
    same = drawn(ANSWERS, PEOPLE[:50])
    assert scored(long, "FABQ-W", "M0").equals(scored(same, "FABQ-W", "M0"))


def test_the_mechanisms_are_told():
    waves = (
        Wave(name="M0"),
        Wave(name="M3", day=91, response=0.8),
        Wave(name="M6", day=182, response=0.7, missing_on=(MissingOn(term="fabq_w", log_or=0.5, at="before"),)),
        Wave(name="M12", day=365, response=0.6, missing_on=(MissingOn(term="fabq_w", log_or=0.5, at="now"),)),
    )
    table = answer_targets(replace(ANSWERS, waves=waves, item_missing=0.02)).drop_duplicates("wave")
    assert table["not_answered"].tolist() == ["none", "mcar", "mar", "mnar"]
    assert table["items_left_out"].tolist() == ["mcar"] * 4
    by_value = replace(ANSWERS, item_missing=0.02, item_missing_on=(MissingOn(term="value", log_or=0.2),))
    assert answer_targets(by_value)["items_left_out"].unique().tolist() == ["mnar"]
    table = answer_targets(ANSWERS)
    assert table.loc[table["score"] == "fabq_w", "mean"].tolist() == [22, 18]


def test_the_covariates_that_are_needed():
    assert covariates_needed(ANSWERS) == ()
    target = replace(FABQ, depends=(Depends(term="age", points=1),))
    waves = (
        Wave(name="M0", missing_on=(MissingOn(term="distance", log_or=1, centre=0, sd=1),)),
        Wave(name="M3", among="arm"),
    )
    on = (MissingOn(term="FABQ-W", log_or=0.1), MissingOn(term="age", log_or=0.1, centre=45, sd=9))
    answers = replace(ANSWERS, scores=(target, *ANSWERS.scores[1:]), waves=waves, missing_on=on)
    assert covariates_needed(answers) == ("age", "distance", "arm")


def test_no_questionnaires_and_nobody():
    assert draw_baseline(Answers(), PEOPLE, {}, seed=1) == {}
    assert drawn(Answers()).shape == (0, 6)
    assert drawn(ANSWERS, PEOPLE[:0]).shape == (0, 6)


def test_a_declaration_reads_from_toml():
    text = """
    item_missing = 0.02
    waves = [
      { name = "M0" },
      { name = "M3", day = 91, response = 0.9, missing_on = [{ term = "fabq_w", log_or = 0.3, per = 9 }] },
    ]
    scores = [
      { instrument = "FABQ-W", mean = 22, sd = 9, alpha = 0.8, changes = [{ wave = "M3", points = -2 }] },
      { instrument = "BELIEF", mean = 2.2, sd = 0.4, alpha = 0.8 },
    ]
    correlations = [{ between = ["FABQ-W", "BELIEF"], value = -0.4 }]
    """
    answers = TypeAdapter(Answers).validate_python(tomllib.loads(text))
    check_answers(answers)
    assert answers.score("fabq_w").changes[0].points == -2
    assert answers.waves[1].missing_on[0].per == 9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            dict(scores=(replace(FABQ, sd=25, alpha=0.1),)),
            r"No answers within the range of FABQ-W at wave 'M0' \(mean 22",
        ),
        (
            dict(other_correlations=-0.5),
            r"correlations between scales are not positive definite: the smallest eigenvalue",
        ),
        (
            dict(scores=(replace(FABQ, depends=(Depends(term="age", points=12, per=10, sd=10),)),)),
            "depends` of fabq_w explain",
        ),
        (dict(scores=(replace(FABQ, returned=-30),)), r"`returned` of FABQ-W takes the mean at wave 'M3' to -12"),
        (dict(missing_on=(MissingOn(term="age", log_or=1),)), r"'age' is no declared score .* needs `centre` and `sd`"),
        (dict(missing_on=(MissingOn(term="value", log_or=1),)), "'value' is for single items"),
    ],
)
def test_what_cannot_be_is_told_before_drawing(change, message):
    if "scores" in change:
        change = {**change, "correlations": ()}
    with pytest.raises(ArgumentError, match=message):
        check_answers(replace(ANSWERS, **change))


def test_scores_need_a_wave():
    with pytest.raises(ArgumentError, match="`waves` must name at least one wave"):
        check_answers(Answers(scores=(BELIEF,)))


def test_scores_that_cannot_correlate_so_much():
    strong = replace(
        ANSWERS, correlation_of="score", correlations=(Correlation(between=("FABQ-W", "DCSQ-DEMANDS"), value=0.9),)
    )
    with pytest.raises(ArgumentError, match=r"dcsq_demands and fabq_w cannot correlate 0\.9"):
        check_answers(strong)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(FABQ, mean=43), r"`mean` of FABQ-W must lie between 0 and 42"),
        (lambda: replace(FABQ, changes=(Change(wave="M3", points=-23),)), "must lie between 0 and 42 .* got -1"),
        (lambda: replace(FABQ, alpha=None), "`alpha` of FABQ-W must be given: it has 7 items"),
        (lambda: replace(FABQ, alpha=1.0), "`alpha` of FABQ-W must lie between 0 and 1"),
        (lambda: Score(instrument="OMPSQ-SF", mean=50, sd=9, alpha=0.8), "OMPSQ-SF cannot be drawn"),
        (lambda: Score(instrument="WORK-STATUS-SITUATION", mean=3, sd=1), "its codes have no order"),
        (lambda: replace(ANSWERS, scores=(FABQ, FABQ)), "`scores` must name each once; twice or more: fabq_w"),
        (lambda: replace(ANSWERS, scores=(FABQ,)), "`between` names 'belief', which is not declared"),
        (lambda: Correlation(between=("FABQ-W", "fabq_w"), value=0.2), "must name two scales"),
        (lambda: Wave(name="M0", response=1.2), "response of wave 'M0'"),
        (lambda: replace(ANSWERS, waves=(Wave(name="M0"),)), "`changes of fabq_w` names 'M3'"),
        (
            lambda: draw_baseline(
                replace(ANSWERS, scores=(replace(FABQ, depends=(Depends(term="agee", points=1),)),), correlations=()),
                PEOPLE,
                COVARIATES,
                seed=1,
            ),
            "needs the covariate 'agee'; there are: age, arm. Did you mean 'age'",
        ),
        (
            lambda: draw_waves(ANSWERS, PEOPLE, {}, INDEX[:5], NEVER, 10**6, seed=1),
            "`index_day` must have one day a person",
        ),
    ],
)
def test_declarations_that_cannot_be(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
