"""Two-by-two tables: worked by hand, Newcombe's published examples, R and statsmodels."""

import math

import pytest
from scipy.optimize import brentq

from rtwcohort.compare import two_by_two
from rtwcohort.errors import ArgumentError

Z = 1.959963984540054


def test_worked_by_hand():
    # 30 of 100 exposed, 20 of 100 unexposed.
    table = two_by_two(30, 70, 20, 80)
    assert table.risk_exposed.estimate == 0.3
    assert table.risk_unexposed.estimate == 0.2
    assert table.risk_difference.estimate == pytest.approx(0.1)
    assert table.number_needed.estimate == pytest.approx(10.0)
    assert table.risk_ratio.estimate == pytest.approx(1.5)
    assert table.odds_ratio.estimate == pytest.approx(30 * 80 / (70 * 20))
    # Pearson: expected 25, 75, 25, 75.
    assert table.chi_square == pytest.approx(25 / 25 + 25 / 75 + 25 / 25 + 25 / 75)
    # Katz: 1/30 - 1/100 + 1/20 - 1/100 = 0.0633...; Woolf: 1/30 + 1/70 + 1/20 + 1/80.
    se_rr = math.sqrt(1 / 30 - 1 / 100 + 1 / 20 - 1 / 100)
    se_or = math.sqrt(1 / 30 + 1 / 70 + 1 / 20 + 1 / 80)
    assert table.risk_ratio.std_error == pytest.approx(se_rr)
    assert table.risk_ratio.conf_low == pytest.approx(1.5 * math.exp(-Z * se_rr))
    assert table.odds_ratio.conf_high == pytest.approx(12 / 7 * math.exp(Z * se_or))


def test_wilson_limits_solve_the_score_equation():
    # The limits are the p at which the score statistic equals the quantile: found by bisection, not by the formula.
    table = two_by_two(15, 133, 3, 17, level=0.9)
    z = 1.6448536269514722
    for effect, events, n in ((table.risk_exposed, 15, 148), (table.risk_unexposed, 3, 20)):
        for limit, low, high in (
            (effect.conf_low, 1e-9, events / n),
            (effect.conf_high, events / n, 1 - 1e-9),
        ):

            def score(p, events=events, n=n):
                return (events / n - p) ** 2 - z**2 * p * (1 - p) / n

            assert limit == pytest.approx(brentq(score, low, high, xtol=1e-14), abs=1e-10)


@pytest.mark.parametrize(
    ("events", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(events, n, low, high):
    # Newcombe (1998) Stat Med 17:857-872, Table I, method 3.
    risk = two_by_two(events, n - events, 1, 1).risk_exposed
    assert (round(risk.conf_low, 4), round(risk.conf_high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("e1", "n1", "e0", "n0", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_risk_difference_as_published(e1, n1, e0, n0, low, high):
    # Newcombe (1998) Stat Med 17:873-890, Table II, method 10.
    difference = two_by_two(e1, n1 - e1, e0, n0 - e0).risk_difference
    assert (round(difference.conf_low, 4), round(difference.conf_high, 4)) == (low, high)


def test_against_r():
    # R 4.2.2, epitools 0.5-10.1, for 22/43 against 16/46:
    #   prop.test(22, 43, correct = FALSE)$conf.int; chisq.test(m, correct = FALSE); fisher.test(m)$p.value
    #   riskratio.wald(m)$measure; oddsratio.wald(m)$measure   (epitools asks for the reference row first)
    table = two_by_two(22, 21, 16, 30)
    risk, ratio, odds = table.risk_exposed, table.risk_ratio, table.odds_ratio
    assert (risk.conf_low, risk.conf_high) == pytest.approx((0.3675230847, 0.6538255245), abs=1e-10)
    assert table.risk_unexposed.conf_low == pytest.approx(0.2268099337, abs=1e-10)
    assert table.chi_square == pytest.approx(2.4372494, abs=1e-7)
    assert table.chi_square_p == pytest.approx(0.1184838, abs=1e-7)
    assert table.fisher_p == pytest.approx(0.1375108118, abs=1e-10)
    got = (ratio.estimate, ratio.conf_low, ratio.conf_high)
    assert got == pytest.approx((1.470930233, 0.8995197337, 2.405323272), abs=1e-9)
    got = (odds.estimate, odds.conf_low, odds.conf_high)
    assert got == pytest.approx((1.964285714, 0.8379986492, 4.604325283), abs=1e-9)


def test_against_statsmodels():
    from statsmodels.stats.contingency_tables import Table2x2
    from statsmodels.stats.proportion import confint_proportions_2indep

    for a, b, c, d in [(7, 13, 2, 31), (40, 3, 25, 9), (120, 380, 90, 410)]:
        mine = two_by_two(a, b, c, d, level=0.9)
        theirs = Table2x2([[a, b], [c, d]], shift_zeros=False)
        assert (mine.risk_ratio.conf_low, mine.risk_ratio.conf_high) == pytest.approx(theirs.riskratio_confint(0.1))
        assert (mine.odds_ratio.conf_low, mine.odds_ratio.conf_high) == pytest.approx(theirs.oddsratio_confint(0.1))
        assert mine.risk_ratio.p_value == pytest.approx(theirs.riskratio_pvalue())
        assert mine.odds_ratio.p_value == pytest.approx(theirs.oddsratio_pvalue())
        newcombe = confint_proportions_2indep(a, a + b, c, c + d, method="newcomb", compare="diff", alpha=0.1)
        assert (mine.risk_difference.conf_low, mine.risk_difference.conf_high) == pytest.approx(newcombe)


def test_fisher_by_enumeration():
    a, b, c, d = 3, 9, 8, 4
    n1, n0, events = a + b, c + d, a + c
    weight = [math.comb(n1, x) * math.comb(n0, events - x) for x in range(events + 1) if events - x <= n0]
    exact = sum(w for w in weight if w <= math.comb(n1, a) * math.comb(n0, c)) / math.comb(n1 + n0, events)
    assert two_by_two(a, b, c, d).fisher_p == pytest.approx(exact, rel=1e-12)


def test_swapping_the_arms_turns_every_measure_round():
    one, other = two_by_two(12, 30, 5, 41), two_by_two(5, 41, 12, 30)
    assert other.risk_difference.conf_low == pytest.approx(-one.risk_difference.conf_high)
    assert other.risk_ratio.conf_low == pytest.approx(1 / one.risk_ratio.conf_high)
    assert other.odds_ratio.estimate == pytest.approx(1 / one.odds_ratio.estimate)
    assert other.fisher_p == pytest.approx(one.fisher_p)
    assert other.risk_difference.statistic == pytest.approx(-one.risk_difference.statistic)


def test_number_needed_inverts_the_limits():
    sure = two_by_two(60, 40, 30, 70)
    low, high = sure.risk_difference.conf_low, sure.risk_difference.conf_high
    assert (sure.number_needed.conf_low, sure.number_needed.conf_high) == pytest.approx((1 / high, 1 / low))
    fewer = two_by_two(30, 70, 60, 40).number_needed
    assert fewer.conf_low < fewer.estimate < fewer.conf_high < 0
    unsure = two_by_two(22, 21, 16, 30).number_needed
    assert math.isnan(unsure.conf_low)
    assert "infinity" in unsure.reason
    equal = two_by_two(1, 1, 2, 2).number_needed
    assert equal.estimate == math.inf
    assert equal.reason == "the risks are equal"


def test_empty_cell_gives_a_reason_not_a_half():
    table = two_by_two(0, 10, 5, 15)
    for effect in (table.risk_ratio, table.odds_ratio):
        assert effect.estimate == 0.0
        assert math.isnan(effect.conf_low)
        assert math.isnan(effect.p_value)
        assert "zero_cells" in effect.reason
    # R 4.2.2: fisher.test(matrix(c(0, 10, 5, 15), 2, byrow = TRUE))$p.value
    assert table.fisher_p == pytest.approx(0.140036209, abs=1e-9)
    assert two_by_two(5, 15, 0, 10).risk_ratio.estimate == math.inf
    assert two_by_two(5, 15, 0, 10).odds_ratio.estimate == math.inf
    # Nobody in an arm without the event: the risk ratio has its interval, the odds ratio has not.
    full = two_by_two(10, 0, 5, 5)
    assert full.risk_ratio.conf_low == pytest.approx(2 * math.exp(-Z * math.sqrt(1 / 5 - 1 / 10)))
    assert math.isnan(full.odds_ratio.conf_low)


def test_haldane_is_said_and_leaves_the_rest_alone():
    plain, added = two_by_two(0, 10, 5, 15), two_by_two(0, 10, 5, 15, zero_cells="haldane")
    assert added.risk_ratio.estimate == pytest.approx((0.5 / 11) / (5.5 / 21))
    assert added.odds_ratio.estimate == pytest.approx(0.5 * 15.5 / (10.5 * 5.5))
    variance = 1 / 0.5 - 1 / 11 + 1 / 5.5 - 1 / 21
    assert added.risk_ratio.std_error == pytest.approx(math.sqrt(variance))
    assert "Haldane" in added.risk_ratio.method
    assert repr(added.risk_difference) == repr(plain.risk_difference)  # its standard error is NaN, which is not itself
    assert added.chi_square == plain.chi_square
    without_empty = two_by_two(1, 10, 5, 15, zero_cells="haldane")
    assert without_empty.odds_ratio == two_by_two(1, 10, 5, 15).odds_ratio


@pytest.mark.parametrize(("cells", "words"), [((0, 10, 0, 15), "nobody"), ((10, 0, 15, 0), "everybody")])
@pytest.mark.parametrize("zero_cells", ["none", "haldane"])
def test_no_information(cells, words, zero_cells):
    table = two_by_two(*cells, zero_cells=zero_cells)
    assert math.isnan(table.chi_square_p)
    assert table.fisher_p == 1.0
    for effect in (table.risk_ratio, table.odds_ratio):
        assert words in effect.reason
        assert math.isnan(effect.conf_low)
    assert table.risk_difference.conf_low < 0 < table.risk_difference.conf_high
    assert words in table.risk_difference.reason


def test_tidy():
    tidy = two_by_two(22, 21, 16, 30).tidy()
    assert tidy["term"].tolist()[:3] == ["risk_exposed", "risk_unexposed", "risk_difference"]
    assert tidy.columns.tolist()[:7] == [
        "term",
        "estimate",
        "std_error",
        "statistic",
        "p_value",
        "conf_low",
        "conf_high",
    ]
    assert len(tidy) == 6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: two_by_two(-1, 1, 1, 1), "`a` must be a whole number of at least 0"),
        (lambda: two_by_two(1, 1, 2.5, 1), "`c` must be a whole number"),
        (lambda: two_by_two(float("nan"), 1, 2, 1), "`a` must be a whole number"),
        (lambda: two_by_two(0, 0, 2, 1, exposed="visit"), "The arm 'visit' must have at least one person"),
        (lambda: two_by_two(1, 1, 2, 1, level=1.0), "strictly between 0 and 1"),
        (lambda: two_by_two(1, 1, 2, 1, level=95), "`level` must be a number from 0.0 to 1.0"),
        (lambda: two_by_two(1, 1, 2, 1, zero_cells="half"), "`zero_cells` must be one of 'none', 'haldane'"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ArgumentError, match=message.replace("(", r"\(")):
        call()
