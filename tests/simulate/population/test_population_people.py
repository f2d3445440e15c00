"""People of a scenario: margins, arms, clusters, correlations; the same whatever the slice."""

import numpy as np
import pytest

from rtwcohort.errors import ScenarioError
from rtwcohort.simulate.population import Arm, Clusters, Correlation, History, Margin, Population, Shape, draw_people
from rtwcohort.simulate.population.history import GAP, draw_history, weekdays
from rtwcohort.simulate.process.declaration import Entitlement

AGE = Shape(shape="normal", mean=45, sd=9, low=20, high=62)
DAYS = (16_000, 16_500)


def people_of(population, n=4000, *, persons=None, seed=3, scale=1.0):
    persons = np.arange(n) if persons is None else persons
    return draw_people(population, persons, n=n, scale=scale, days=DAYS, seed=seed)


def two_arms(**more):
    given = {"numbers": {"age": AGE}, "arms": (Arm(name="a", n=57), Arm(name="b", n=45)), "assign": "counts", **more}
    return Population(**given)


def test_arms_by_counts_are_exact_at_any_size():
    assert np.bincount(people_of(two_arms(), 102).arm).tolist() == [57, 45]
    assert np.bincount(people_of(two_arms(), 1020).arm).tolist() == [570, 450]


def test_exact_margins_are_those_of_the_table():
    sex = Margin(by_arm={"a": {"female": 28, "male": 29}, "b": {"female": 28, "male": 17}})
    for seed in range(5):
        people = people_of(two_arms(margins={"sex": sex}, exact=True), 102, seed=seed)
        women = people.categories["sex"] == 0
        assert [int(women[people.arm == arm].sum()) for arm in (0, 1)] == [28, 28]


def test_margins_without_exact_scatter_as_draws_do():
    margin = Margin(shares={"x": 30, "y": 70})
    counts = [
        int((people_of(two_arms(margins={"m": margin}), 500, seed=seed).categories["m"] == 0).sum())
        for seed in range(60)
    ]
    assert np.mean(counts) == pytest.approx(150, abs=5)
    assert 7 < np.std(counts) < 14  # binomial: 10.2


def test_a_category_without_weight_is_never_drawn():
    margin = Margin(by_arm={"a": {"x": 1, "y": 0}, "b": {"y": 1}})
    people = people_of(two_arms(margins={"m": margin}))
    assert np.array_equal(people.categories["m"], people.arm)


def test_numbers_by_arm():
    other = Shape(shape="normal", mean=30, sd=2, by_arm={"b": Shape(shape="fixed", value=50)})
    people = people_of(two_arms(numbers={"age": AGE, "pain": other}))
    assert people.numbers["pain"][people.arm == 1].tolist() == [50] * int((people.arm == 1).sum())
    assert people.numbers["pain"][people.arm == 0].mean() == pytest.approx(30, abs=0.2)


def test_slices_are_the_same_people():
    correlation = Correlation(variables=("age", "m"), matrix=((1.0, 0.4), (0.4, 1.0)))
    population = two_arms(
        margins={"m": Margin(shares={"x": 1, "y": 2}), "q": Margin(shares={"x": 1, "y": 2})},
        correlation=correlation,
        exact=True,
        clusters=Clusters(number=7, size_log_sd=0.4),
        enrolled_without_benefit=0.1,
    )
    whole = people_of(population, 300)
    part = people_of(population, 300, persons=np.arange(110, 190))
    for name in ("person", "index", "birth", "arm", "cluster", "start_state", "absence_start"):
        assert np.array_equal(getattr(whole, name)[110:190], getattr(part, name)), name
    for name in population.numbers:
        assert np.array_equal(whole.numbers[name][110:190], part.numbers[name])
    for name in population.margins:
        assert np.array_equal(whole.categories[name][110:190], part.categories[name])


def test_ages_and_birthdays_agree():
    people = people_of(two_arms())
    years = (people.index - people.birth) / 365.25
    assert np.all(np.abs(years - people.numbers["age"]) <= 1 / 365.25 + 1e-9)
    assert people.index.min() >= DAYS[0]
    assert people.index.max() <= DAYS[1]


def test_correlation_of_two_numbers_and_of_a_number_with_a_category():
    correlation = Correlation(variables=("age", "pain", "m"), matrix=((1, 0.5, 0.6), (0.5, 1, 0.3), (0.6, 0.3, 1)))
    population = two_arms(
        numbers={"age": Shape(shape="normal", mean=45, sd=5), "pain": Shape(shape="normal", mean=0, sd=1)},
        margins={"m": Margin(shares={"low": 1, "high": 1})},
        correlation=correlation,
    )
    people = people_of(population, 40_000)
    assert np.corrcoef(people.numbers["age"], people.numbers["pain"])[0, 1] == pytest.approx(0.5, abs=0.015)
    # Mean of a normal score in the upper half of another: r * sqrt(2 / pi).
    upper = people.numbers["age"][people.categories["m"] == 1].mean()
    assert (upper - 45) / 5 == pytest.approx(0.6 * np.sqrt(2 / np.pi), abs=0.02)


def test_randomised_arms_do_not_depend_on_covariates_and_propensity_arms_do():
    sex = {"sex": Margin(shares={"female": 1, "male": 1})}
    with pytest.raises(ScenarioError, match="arm 'a' needs `n` or `share`"):
        Arm(name="a")
    arms = (Arm(name="a", share=1.0), Arm(name="b", intercept=-1.0, log_odds={"sex=female": 0.8}))
    people = people_of(Population(numbers={"age": AGE}, margins=sex, arms=arms, assign="propensity"), 40_000)
    women = people.categories["sex"] == 0
    odds = [people.arm[group].mean() / (1 - people.arm[group].mean()) for group in (women, ~women)]
    assert np.log(odds[0] / odds[1]) == pytest.approx(0.8, abs=0.06)
    assert np.log(odds[1]) == pytest.approx(-1.0, abs=0.06)


def test_clusters_go_to_arms_as_wholes_and_keep_their_size():
    population = Population(
        numbers={"age": AGE},
        arms=(Arm(name="a", share=1), Arm(name="b", share=1), Arm(name="c", share=1)),
        assign="cluster",
        clusters=Clusters(number=65),
    )
    people = people_of(population, 6500)
    pairs = np.unique(np.stack([people.cluster, people.arm]), axis=1)
    assert len(pairs[0]) == 65
    assert sorted(np.bincount(pairs[1]).tolist()) == [21, 22, 22]
    twice = people_of(population, 13_000, scale=2.0)
    assert len(np.unique(twice.cluster)) == 130


def test_people_enrolled_without_benefit_are_at_work():
    population = two_arms(
        absence_before=Shape(shape="fixed", value=100),
        enrolled_without_benefit=0.25,
        start=Margin(shares={"sick_full": 1}),
    )
    people = people_of(population)
    well = people.start_state < 0
    assert well.mean() == pytest.approx(0.25, abs=0.03)
    assert np.all((people.index - people.absence_start)[well] == 0)
    assert np.all((people.index - people.absence_start)[~well] == 100)


def test_weekdays_by_counting():
    for start in range(10_000, 10_007):
        for length in (0, 1, 5, 6, 7, 30, 365):
            days = np.arange(start, start + length).astype("datetime64[D]")
            assert weekdays(np.array([start]), np.array([start + length]))[0] == int(np.is_busday(days).sum())


def test_history_comes_before_the_absence_and_is_apart():
    population = two_arms(absence_before=Shape(shape="fixed", value=60))
    history = History(spells=(1, 1, 1, 1), length=Shape(shape="lognormal", median=30, log_sd=0.8, whole=True), years=2)
    people = people_of(population, 2000)
    rules = Entitlement()
    earlier = draw_history(history, people, rules, seed=1)
    assert np.all(earlier.end <= people.absence_start[earlier.position] - GAP)
    assert np.all(earlier.start >= people.index[earlier.position] - 731)
    same = earlier.position[1:] == earlier.position[:-1]
    assert np.all((earlier.start[1:] - earlier.end[:-1])[same] >= GAP)
    assert np.array_equal(np.bincount(earlier.position, minlength=2000), earlier.count)
    for person in range(40):
        own = earlier.position == person
        paid, last = 0, None
        for start, end in zip(earlier.start[own], earlier.end[own], strict=True):
            days = np.arange(start + 16, end).astype("datetime64[D]") if end > start + 16 else []
            if last is not None and start - last > 26 * 7:
                paid = 0
            count = int(np.is_busday(days).sum()) if len(days) else 0
            paid += count
            last = end - 1 if count else last
        assert earlier.paid[person] == paid
    assert draw_history(None, people, rules, seed=1).count.sum() == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"numbers": {}}, "must declare `age`"),
        ({"numbers": {"age": AGE}, "arms": (Arm(name="a", n=1), Arm(name="a", n=2))}, "each name once"),
        ({"numbers": {"age": AGE}, "arms": (Arm(name="a", n=1), Arm(name="b", share=2))}, "all have `n` or all have"),
        ({"numbers": {"age": AGE}, "arms": (Arm(name="a", n=0),)}, "at least one with people"),
        ({"numbers": {"age": AGE}, "assign": "cluster"}, "needs [population.clusters]"),
        ({"numbers": {"age": AGE}, "margins": {"sex": Margin(shares={"women": 1})}}, "female and male; got ['women']"),
        ({"numbers": {"age": AGE}, "start": Margin(shares={"sik_full": 1})}, "Did you mean 'sick_full'?"),
        ({"numbers": {"age": AGE}, "margins": {"age": Margin(shares={"x": 1})}}, "both in `numbers` and in `margins`"),
        ({"numbers": {"age": AGE}, "margins": {"m": Margin(by_arm={"b": {"x": 1}})}}, "the arm 'b', which does not"),
        ({"numbers": {"age": AGE}, "enrolled_without_benefit": 1.5}, "a share from 0 to 1; got 1.5"),
        ({"numbers": {"age": AGE}, "people_per_employer": 0}, "must be above 0; got 0"),
    ],
)
def test_impossible_populations(given, words):
    with pytest.raises(ScenarioError) as caught:
        Population(**given)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Margin(), "a margin needs `shares`"),
        (lambda: Margin(shares={"x": -1}), "must be at least 0; got -1 for 'x'"),
        (lambda: Margin(shares={"x": 0}), "at least one value above 0"),
        (lambda: Arm(name="a", n=1, share=0.5), "arm 'a' needs `n` or `share`, and not both"),
        (lambda: Clusters(number=0), "at least 1; got 0"),
        (lambda: History(spells=(), length=AGE), "`spells` must be weights"),
        (lambda: History(spells=(1,), length=AGE, years=0), "above 0 and at most 20; got 0"),
        (lambda: Correlation(variables=("a", "a"), matrix=((1, 0), (0, 1))), "each variable once"),
    ],
)
def test_impossible_parts(make, words):
    with pytest.raises(ScenarioError) as caught:
        make()
    assert words in str(caught.value)
