"""What is fitted: days at risk as counted by hand, rates, ratios and frailty that were set, margins without persons."""

import numpy as np
import pytest
from scipy.optimize import minimize

from rtwcohort.simulate import draws
from rtwcohort.simulate.process import Inputs, Process, Transition, simulate_paths
from rtwcohort.simulate.process.effects import Frailty
from rtwcohort.simulate.synthesise.association import draw_given, draw_scores, fit_association
from rtwcohort.simulate.synthesise.calendar_fit import Months, fit_calendar, fit_season
from rtwcohort.simulate.synthesise.exposure import Slices, at_risk, cut, month_edges, month_of
from rtwcohort.simulate.synthesise.fitted import fit_register
from rtwcohort.simulate.synthesise.log_ratios import Risk, fit_log_ratios
from rtwcohort.simulate.synthesise.margins import Variable, as_values, draw_values, fit_margin, quantile_knots
from rtwcohort.simulate.synthesise.process_fit import fit_process
from rtwcohort.simulate.synthesise.rows_fit import _lengths, kept_diagnoses
from rtwcohort.simulate.synthesise.sequences import Sequences, read_sequences


def ints(*values):
    return np.asarray(values, dtype=np.int64)


def test_a_slice_is_cut_at_every_edge_and_the_move_stays_at_its_end():
    one = Slices(ints(0), ints(1), ints(0), ints(2), ints(5), ints(100), ints(10))
    parts = cut(one, one.clock, (0, 4, 8, 20))
    assert parts.clock.tolist() == [2, 4, 8]
    assert parts.days.tolist() == [2, 4, 4]
    assert parts.to.tolist() == [-1, -1, 0]
    assert parts.follow.tolist() == [5, 7, 11]
    assert parts.day.tolist() == [100, 102, 106]


def test_cutting_equals_counting_days():
    clock = draws.whole(draws.key(1, "clock"), np.arange(200), 0, 60)
    days = draws.whole(draws.key(1, "days"), np.arange(200), 1, 90)
    n = np.arange(200)
    zero = np.zeros(200, dtype=np.int64)
    edges = (0, 5, 17, 31, 90)
    parts = cut(Slices(n, zero, zero, clock, zero, zero, days), clock, edges)
    piece = np.searchsorted(edges, parts.clock, side="right") - 1
    for k in range(len(edges)):
        high = edges[k + 1] if k + 1 < len(edges) else 10**6
        counted = sum(edges[k] <= c + d < high for c, m in zip(clock, days, strict=True) for d in range(m))
        assert parts.days[piece == k].sum() == counted


def test_log_ratios_maximise_the_penalised_likelihood():
    n = 400
    x = np.column_stack([draws.normal(draws.key(1, "x"), np.arange(n)), draws.normal(draws.key(2, "x"), np.arange(n))])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    piece = np.arange(n) % 3
    days = 1.0 + 20.0 * draws.uniform(draws.key(3, "x"), np.arange(n))
    chance = 1.0 - np.exp(-days * 0.02 * np.exp(0.5 * x[:, 0]) * (1 + piece))
    moved = (draws.uniform(draws.key(4, "x"), np.arange(n)) < chance).astype(float)
    risk = Risk(np.arange(n), piece, days, moved, np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64))

    def cost(parameters):
        eta = parameters[:3][piece] + x @ parameters[3:]
        return -(moved * eta - days * np.exp(eta)).sum() + 0.5 * (parameters[3:] ** 2).sum()

    best = minimize(cost, np.array([-4.0, -3.0, -3.0, 0.0, 0.0]), method="BFGS", options={"gtol": 1e-6})
    np.testing.assert_allclose(fit_log_ratios(risk, x, 3), best.x[3:], atol=2e-4)


def test_the_set_hazards_and_ratios_come_back(plain):
    fitted = fit_register(plain, seed=1, least=10)
    ratios = {(e.on, e.term): e for e in fitted.process.effects}
    age = ratios["return", "age"]
    # About 1900 returns; standard deviation of age/10 is 0.8: standard error 0.028.
    assert age.log_hr / age.per * 10 == pytest.approx(-0.15, abs=0.085)
    # No time of follow-up was set to matter, and none is found.
    arms = [e for e in fitted.process.arm_effects if e.on == "return"]
    assert {e.arm for e in arms} == {"visit"}
    for effect in arms:
        assert effect.log_hr == pytest.approx(0.35, abs=0.2)
    assert {e.until for e in arms} == {182, None}
    rates = {t.name: t for t in fitted.process.transitions if t.group == "return"}["'sick_full to work'"].per_day
    assert fitted.process.entitlement.paid_days > 3 * 262
    late = [rate for day, rate in rates if 122 <= day < 243]
    # Set: 0.003 from day 120 and 0.004 before, in the reference arm at age 44.
    np.testing.assert_allclose(late, 0.003, rtol=0.35)
    relapse = next(t for t in fitted.process.transitions if t.group == "onset").per_day
    np.testing.assert_allclose([rate for _, rate in relapse], 0.001, rtol=0.6)
    assert np.mean([rate for _, rate in relapse]) == pytest.approx(0.001, rel=0.15)


def test_the_day_on_which_the_entitlement_runs_out_is_seen(plain):
    fitted = fit_register(plain, seed=1, least=10)
    last = [t for t in fitted.process.transitions if t.group == "used_up"]
    shares = {t.to: max(rate for _, rate in t.per_day) for t in last}
    # Set: 80 % to allowance, 20 % to work, after 16 days and 248 weekdays (day 361 to 365).
    assert shares["aap"] / (shares["aap"] + shares["work"]) == pytest.approx(0.8, abs=0.07)
    days = [day for t in last for day, rate in t.per_day if rate > 0.0]
    assert 350 <= min(days) <= 362
    assert max(days) <= 366


def _recurrent(variance, n=3000):
    process = Process(
        transitions=(
            Transition(origin="work", to="sick_full", group="a", per_day=((0, 0.004),)),
            Transition(origin="sick_full", to="work", group="b", per_day=((0, 0.05),)),
        ),
        frailty=(Frailty(on="a", variance=variance),) if variance else (),
        retirement_age=None,
    )
    day = np.zeros(n, dtype=np.int32)
    inputs = Inputs(
        persons=np.arange(n), start_day=day, start_state=day.astype(np.int8), end_day=day + 1500, birth_day=day - 14000
    )
    paths = simulate_paths(process, inputs, seed=3)
    person, state = paths.person.astype(np.int64), paths.state.astype(np.int64)
    first, last = paths.start.astype(np.int64), paths.end.astype(np.int64)
    zero = np.zeros(n, dtype=np.int64)
    grade = np.zeros(len(person), dtype=np.int64)
    return Sequences(
        np.arange(n), zero, zero + 1500, zero - 14000, person, state, first, last, grade, grade, 0, False, True, ()
    )


@pytest.mark.parametrize("variance", [0.0, 1.0])
def test_frailty_of_onset_is_told_from_the_clock(variance):
    fitted = fit_process(_recurrent(variance), [], least=10).process
    found = fitted.frailty[0].variance if fitted.frailty else 0.0
    assert found == pytest.approx(variance, abs=0.15)
    (onset,) = [t for t in fitted.transitions if t.group == "onset"]
    rates = np.asarray([rate for _, rate in onset.per_day])
    np.testing.assert_allclose(rates, 0.004, rtol=0.25)


def test_season_and_calendar_are_found_where_they_are_and_only_there():
    edges = month_edges(0, 1461)
    mean = np.full(len(edges) - 1, 60.0)

    def months(ratio):
        count = np.rint(mean * ratio).astype(np.int64)
        month = np.repeat(np.arange(len(mean)), count)
        return Months(edges, mean, month, np.arange(len(month)))

    year = month_of(edges[:-1])
    winter = np.where(np.isin(year, [0, 1, 11]), 1.5, 1.0)
    assert fit_season(months(np.ones(len(mean))), least=10) == ()
    assert fit_calendar(months(np.ones(len(mean))), (), least=10) == ()
    season = np.asarray(fit_season(months(winter), least=10))
    assert season[0] / season[5] == pytest.approx(1.5, abs=0.06)
    later = np.where(np.arange(len(mean)) >= 24, 2.0, 1.0)
    steps = fit_calendar(months(later), (), least=10)
    ratio = dict(steps)
    assert ratio["1972-01-01"] / ratio["1970-01-01"] == pytest.approx(2.0, abs=0.12)
    assert [day for day, _ in steps][:3] == ["1970-01-01", "1970-04-01", "1970-07-01"]


def test_every_piece_of_every_hazard_has_enough_people_behind_it(asked):
    sequences = read_sequences(asked, least=10)
    fitted = fit_register(asked, seed=1, least=10)
    slices = at_risk(sequences)
    moved = slices.to >= 0
    for move in fitted.process.transitions:
        if move.group in ("death", "emigration", "retirement", "used_up"):
            continue
        from rtwcohort.simulate.process.states import STATES

        mine = moved & np.isin(slices.origin, [STATES.index(o) for o in move.origins])
        mine &= slices.to == STATES.index(move.to)
        end = slices.clock + slices.days - 1
        steps = [*(day for day, _ in move.per_day), 1 << 40]
        for (low, rate), high in zip(move.per_day, steps[1:], strict=True):
            inside = mine & (end >= low) & (end < high)
            resumed = any(low > day for day, other in move.per_day if other == 0.0)
            if rate > 0.0 and not resumed and high not in (day for day, r in move.per_day if r == 0.0):
                assert len(np.unique(slices.person[inside])) >= 10, (move.name, low)


def test_quantile_knots_are_means_of_several_values():
    values = np.arange(1.0, 101.0)
    assert quantile_knots(values, 10)[0] == np.arange(1, 11).mean()
    assert quantile_knots(values, 10)[-1] == np.arange(91, 101).mean()
    knots = quantile_knots(np.concatenate([values, [1e6]]), 10)
    assert knots[-1] == pytest.approx((values[-9:].sum() + 1e6) / 10, rel=1e-5)
    assert max(quantile_knots(values, 10)) < 100.0


def test_levels_that_few_people_have_are_pooled_or_dropped():
    names = np.asarray(["a"] * 50 + ["b"] * 30 + ["c"] * 6 + ["d"] * 5, dtype=object)
    pooled, code, _ = fit_margin(Variable("town", names, text=True), least=10)
    assert set(pooled.levels) == {"a", "b", "other"}
    assert (code == pooled.levels.index("other")).sum() == 11
    dropped, code, _ = fit_margin(Variable("sex", names, text=True, pool=False), least=10)
    assert set(dropped.levels) == {"a", "b"}
    assert np.isnan(code).sum() == 11
    drawn = as_values(dropped, draw_values(dropped, draws.uniform(draws.key(1, "u"), np.arange(4000))))
    assert (drawn == "a").mean() == pytest.approx(50 / 80, abs=0.03)


def test_rare_diagnoses_become_the_last_of_their_chapter_or_nothing(asked):
    from dataclasses import replace

    rows = asked.benefits.drop_duplicates("person_id").head(40)
    codes = ["L03"] * 20 + ["L84"] * 6 + ["L18"] * 6 + ["P76"] * 8
    kept = kept_diagnoses(replace(asked, benefits=rows.assign(diagnosis=codes)), least=10)
    assert kept == {"L03": "L03", "L84": "L99", "L18": "L99", "P76": None}


def test_lengths_of_certificates_allow_for_those_cut_short():
    # Of four first certificates of 14 days two were followed by another; two were final and may have been longer.
    length = np.asarray([7] * 10 + [14] * 10 + [10] * 20, dtype=np.int64)
    final = np.asarray([False] * 20 + [True] * 20)
    found = dict(_lengths(length, final, np.arange(40), 5))
    # Kaplan and Meier: of 40 at risk on day 7, 10 have length 7; of the 10 left on day 14, all.
    assert found[7] == pytest.approx(10 / 40)
    assert found[14] == pytest.approx(30 / 40)


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.5])
def test_the_copula_brings_correlations_back_through_levels_and_numbers(rho):
    n = 20_000
    matrix = np.array([[1.0, rho, 0.3], [rho, 1.0, 0.0], [0.3, 0.0, 1.0]])
    z = draw_scores(matrix, np.arange(n), seed=1, purpose="test")
    levels = np.digitize(z[:, 1], [-0.5, 0.8]).astype(float)
    known = [
        fit_margin(Variable(name, values, text=False), least=10)
        for name, values in (("x", z[:, 0]), ("y", levels), ("w", z[:, 2]))
    ]
    fitted = fit_association({margin.name: scores for margin, _, scores in known}, seed=1)
    np.testing.assert_allclose(fitted.matrix, matrix, atol=0.05)
    given = {"x": z[:, 0], "w": z[:, 2]}
    later = draw_given(fitted, ("y",), given, np.arange(n), seed=2)[:, 0]
    assert np.corrcoef(later, z[:, 0])[0, 1] == pytest.approx(rho, abs=0.05)
    assert later.std() == pytest.approx(1.0, abs=0.03)
