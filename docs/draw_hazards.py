"""Draw the figure of `explanation/hazards.md`: `python docs/draw_hazards.py` from the project root."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

from rtwcohort.core.days import day_of
from rtwcohort.report.report_figure import GRID, INK, MUTED, PAPER, SERIES
from rtwcohort.simulate.fidelity import simulate_for_measures
from rtwcohort.simulate.measures import Simulated, measure
from rtwcohort.simulate.measures.spells import absences, exhausted_then
from rtwcohort.simulate.scenarios.read import load_scenario

PATH = Path(__file__).parent / "images" / "hazards_norway.svg"
PEOPLE, SEED = 200_000, 1
EDGES = np.asarray(
    [0, 4, 9, 13, 17, 24, 31, 44, 56, 77, 91, 112, 126, 140, 154, 168, 182, 212, 243, 274, 295, 316, 337, 350, 358]
)
POINTS = (
    (16, "spells_to_16_days"),
    (55, "spells_under_8_weeks"),
    (182, "spells_over_half_a_year"),
    (355, "at_the_end"),
)
PLACES = ("aap", "work", "disability", "outside", "retired", "unemployed")
WORDS = (
    "work assessment allowance",
    "work",
    "disability pension",
    "no information",
    "old-age pension, AFP",
    "unemployment benefit",
)


def main() -> None:
    """Simulate, draw, write."""
    scenario = load_scenario("norway")
    simulated = simulate_for_measures(scenario, n=PEOPLE, seed=SEED, targets=scenario.targets)
    matplotlib.rcParams.update({"svg.hashsalt": "rtwcohort", "svg.fonttype": "none", "font.family": "sans-serif"})
    figure, axes = plt.subplots(3, 1, figsize=(7.2, 10.2), height_ratios=[1.25, 1.25, 1], facecolor=PAPER)
    draw_hazard(axes[0], *return_rates(simulated))
    draw_survival(axes[1], survival(simulated), published(scenario))
    draw_places(axes[2], simulated)
    for axis in axes:
        axis.set_facecolor(PAPER)
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color(MUTED)
        axis.tick_params(colors=MUTED, labelcolor=INK)
    figure.tight_layout(h_pad=2.2)
    figure.savefig(PATH, metadata={"Date": None})


def ended(simulated: Simulated) -> tuple[Any, Any]:
    """Return the length in days of each absence begun in the first four years, and whether it ended in return."""
    spells = absences(simulated)
    person, day, _ = exhausted_then(simulated, np.ones(len(simulated.people), dtype=bool), 1, None, None)
    ran_out = set(zip(person.tolist(), day.tolist(), strict=True))
    opened = day_of(simulated.scenario.enrolment[0], argument="enrolment")
    closed = day_of(simulated.scenario.data_end, argument="data_end") - 365
    chosen = (spells.start >= opened) & (spells.start <= closed)
    keys = zip(spells.person[chosen].tolist(), spells.end[chosen].tolist(), strict=True)
    return (spells.end - spells.start)[chosen], np.asarray([key not in ran_out for key in keys])


def return_rates(simulated: Simulated) -> tuple[Any, Any]:
    """Return the rate of return a day within `EDGES`, and its standard error."""
    length, back = ended(simulated)
    rate, error = [], []
    for low, high in pairwise(EDGES.tolist()):
        events = float((back & (length > low) & (length <= high)).sum())
        days = float(np.clip(length - low, 0, high - low).sum())
        rate.append(events / days)
        error.append(np.sqrt(events) / days)
    return np.asarray(rate), np.asarray(error)


def survival(simulated: Simulated) -> Any:
    """Return the percentage of absences that last more than 0, 1, ... 370 days."""
    length = np.sort(ended(simulated)[0])
    return 100.0 * (1.0 - np.searchsorted(length, np.arange(371), side="right") / len(length))


def published(scenario: Any) -> list[tuple[int, float]]:
    """Return (days, published percentage that lasts longer)."""
    out = []
    for day, name in POINTS:
        value = scenario.target(name).value
        out.append((day, 100.0 - value if "at_most" in scenario.target(name).measure else value))
    return out


def draw_hazard(axis: Any, rate: Any, error: Any) -> None:
    """Draw the return hazard on a logarithmic scale."""
    axis.axvspan(168, 274, color=GRID, alpha=0.55, lw=0)
    axis.axvspan(274, 364, color=SERIES[1], alpha=0.10, lw=0)
    axis.stairs(rate, EDGES, baseline=None, color=SERIES[0], lw=1.8)
    middle = (EDGES[:-1] + EDGES[1:]) / 2
    axis.errorbar(middle, rate, yerr=1.96 * error, fmt="none", ecolor=SERIES[0], elinewidth=0.8)
    axis.set_yscale("log")
    axis.set_yticks([0.001, 0.003, 0.01, 0.03, 0.1], ["0.1", "0.3", "1", "3", "10"])
    axis.set_yticks([], minor=True)
    axis.set_ylim(0.0008, 0.1)
    axis.text(20, 0.066, "highest first", color=MUTED, va="center", ha="left", fontsize=9)
    axis.text(221, 0.066, "flat about\nsix months", color=MUTED, va="center", ha="center", fontsize=9)
    axis.text(319, 0.066, "rising from\nnine months", color=MUTED, va="center", ha="center", fontsize=9)
    days_axis(axis)
    axis.set_ylabel("% of absences that end\nin return, a day", color=INK)
    axis.set_title("Return to work", loc="left", color=INK, fontsize=11, fontweight="bold")


def draw_survival(axis: Any, lasting: Any, points: list[tuple[int, float]]) -> None:
    """Draw the share of absences that goes on, and the published ones."""
    axis.step(np.arange(len(lasting)), lasting, where="post", color=SERIES[0], lw=1.8, label="simulated")
    axis.plot(*zip(*points, strict=True), "o", color=SERIES[1], ms=7, mfc=PAPER, mew=2, label="published")
    for (day, value), text in zip(points, ("16 days", "8 weeks", "half a year", "to the end"), strict=True):
        axis.annotate(
            f"{text}: {value:.3g} %",
            (day, value),
            (-40 if day > 300 else 6, 9),
            textcoords="offset points",
            color=INK,
            fontsize=9,
        )
    axis.set_ylim(0, 100)
    axis.legend(frameon=False, loc="upper right", labelcolor=INK)
    days_axis(axis)
    axis.set_ylabel("% of absences", color=INK)
    axis.set_title("Absences that last longer", loc="left", color=INK, fontsize=11, fontweight="bold")


def draw_places(axis: Any, simulated: Simulated) -> None:
    """Draw where people are half a year after the benefit ran out."""
    targets = [simulated.scenario.target(f"after_exhaustion_{name}") for name in PLACES]
    found = [measure(simulated, target) for target in targets]
    values, errors = zip(*[item for item in found if item is not None], strict=True)
    place = np.arange(len(PLACES))
    axis.barh(place, values, 0.6, color=SERIES[0], xerr=1.96 * np.asarray(errors), ecolor=INK, label="simulated")
    axis.plot(
        [target.value for target in targets], place, "o", color=SERIES[1], ms=7, mfc=PAPER, mew=2, label="published"
    )
    axis.set_yticks(place, WORDS)
    axis.invert_yaxis()
    axis.set_xlim(0, 65)
    axis.set_xlabel("%", color=INK)
    axis.legend(frameon=False, loc="lower right", labelcolor=INK)
    axis.set_title("Six months after the benefit ran out", loc="left", color=INK, fontsize=11, fontweight="bold")


def days_axis(axis: Any) -> None:
    """Mark months on the axis of days."""
    axis.set_xlim(0, 372)
    axis.set_xticks([0, 30, 91, 182, 274, 365], ["0", "1", "3", "6", "9", "12"])
    axis.set_xlabel("months since the first day of absence", color=INK)


if __name__ == "__main__":
    main()
