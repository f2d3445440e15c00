"""The cohort flow as boxes: those who stayed down the left, those who left on the right."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rtwcohort.report.disclosure import SHOWN, SMALL_CELLS, check_threshold, mark, withhold_line
from rtwcohort.report.disclosure_flow import PooledStep, Step, pool_flow
from rtwcohort.report.flow_table import excluded_text, left_text
from rtwcohort.report.numbers import format_count, plural
from rtwcohort.report.report_figure import MUTED, ReportFigure, finish, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE: Final = 0.142
_PAD: Final = 0.075
_GAP: Final = 0.13
_LEFT: Final = (0.0, 1.30)
_RIGHT: Final = (1.56, 3.54)
_CHARACTERS: Final = {"left": 23, "right": 36}


def flow_figure(
    steps: Sequence[Step],
    *,
    arms: Sequence[tuple[str, int]] = (),
    threshold: int = SMALL_CELLS,
    key: str = "flow",
    start: str = "",
    end: str = "In the study",
) -> ReportFigure:
    """Draw the flow chart of the cohort.

    Parameters
    ----------
    steps
        `Cohort.flow`. Steps that excluded nobody are left out of the drawing (the table has them).
    arms
        (name, people) of the final cohort, drawn side by side at the bottom.
    threshold
        As for `flow_table`; the sizes of the arms are withheld as in every table.
    start
        Words in the first box; empty takes the reason of the first step.
    end
        Words in the last box.
    """
    limit = check_threshold(threshold)
    pooled, _ = pool_flow(steps, limit)
    drawn = [step for at, step in enumerate(pooled) if at == 0 or step.n_excluded > 0]
    arm_texts = _arm_texts(arms, limit)
    plan = [_boxes(step, at, drawn, limit, start, end) for at, step in enumerate(drawn)]
    height = sum(_height(left) + (_height(right) if right else 0.0) for left, right in plan)
    height += _GAP * (len(plan) + (1 if arm_texts else 0)) + (max(map(_height, arm_texts)) if arm_texts else 0) + 0.04
    with style():
        figure = new_figure(max(height, 0.4))
        axes = _inches(figure)
        _draw(axes, plan, arm_texts, max(height, 0.4) - 0.02)
        return finish(
            figure, key=key, title="Cohort flow", alt=_alt(drawn, arm_texts, limit), caption=_caption(pooled, limit)
        )


_Box = list[str]


def _boxes(
    step: PooledStep, at: int, drawn: list[PooledStep], threshold: int, start: str, end: str
) -> tuple[_Box, _Box]:
    """Return the text of what remained after a step, and of what left at it (empty for the first)."""
    number = left_text(step, threshold)
    words = (start or step.reasons[0]) if at == 0 else end if at == len(drawn) - 1 else "Remained"
    left = [*textwrap.wrap(words[:1].upper() + words[1:], _CHARACTERS["left"]), f"n = {number}"]
    if at == 0:
        return left, []
    right = [line for reason in step.reasons for line in _reason(reason, len(step.reasons) > 1)]
    return left, [*right, f"n = {excluded_text(step, threshold)}"]


def _reason(reason: str, several: bool) -> list[str]:
    text = reason[:1].upper() + reason[1:]
    marks = ("– ", "  ") if several else ("", "")
    return textwrap.wrap(text, _CHARACTERS["right"], initial_indent=marks[0], subsequent_indent=marks[1])


def _height(box: _Box) -> float:
    return _LINE * len(box) + 2 * _PAD


def _inches(figure: Figure) -> Axes:
    """Return axes over the whole figure whose unit is one inch."""
    axes = figure.add_axes((0, 0, 1, 1))
    width, height = (float(size) for size in figure.get_size_inches())
    axes.set_xlim(-0.02, width + 0.02)
    axes.set_ylim(0, height)
    axes.axis("off")
    return axes


def _draw(axes: Axes, plan: list[tuple[_Box, _Box]], arms: list[_Box], top: float) -> None:
    middle = sum(_LEFT) / 2
    y = top
    for at, (left, right) in enumerate(plan):
        if right:
            box = _height(right)
            _arrow(axes, (middle, y), (middle, y - box - _GAP))
            _arrow(axes, (middle, y - box / 2), (_RIGHT[0], y - box / 2))
            _box(axes, right, _RIGHT, y, align="left")
            y -= box + _GAP
        _box(axes, left, _LEFT, y)
        y -= _height(left)
        if at == len(plan) - 1:
            break
    _draw_arms(axes, arms, y)


def _draw_arms(axes: Axes, arms: list[_Box], y: float) -> None:
    if not arms:
        return
    width = (_RIGHT[1] - _LEFT[0] - 0.16 * (len(arms) - 1)) / len(arms)
    start = sum(_LEFT) / 2
    for at, box in enumerate(arms):
        left = _LEFT[0] + at * (width + 0.16)
        centre = left + width / 2
        axes.plot([start, start, centre], [y, y - _GAP / 2, y - _GAP / 2], color=MUTED, lw=0.8, solid_joinstyle="miter")
        _arrow(axes, (centre, y - _GAP / 2), (centre, y - _GAP))
        _box(axes, box, (left, left + width), y - _GAP)


def _box(axes: Axes, lines: _Box, sides: tuple[float, float], top: float, *, align: str = "center") -> None:
    from matplotlib.patches import Rectangle

    height = _height(lines)
    axes.add_patch(
        Rectangle((sides[0], top - height), sides[1] - sides[0], height, fill=False, edgecolor=MUTED, linewidth=0.8)
    )
    at = sum(sides) / 2 if align == "center" else sides[0] + 0.08
    for place, line in enumerate(lines):
        last = place == len(lines) - 1
        axes.text(at, top - _PAD - _LINE * (place + 0.5), line, va="center", ha=align, fontsize=7,
                  fontweight="bold" if last else "normal")  # fmt: skip


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate(
        "", xy=end, xytext=start,
        arrowprops={"arrowstyle": "-|>", "color": MUTED, "lw": 0.8, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 6},
    )  # fmt: skip


def _arm_texts(arms: Sequence[tuple[str, int]], threshold: int) -> list[_Box]:
    if not arms:
        return []
    codes = withhold_line([n for _, n in arms], threshold)
    width = max(10, int(62 / len(arms)) - 3)
    return [
        [*textwrap.wrap(str(name), width), f"n = {mark(int(code), format_count(n), threshold)}"]
        for (name, n), code in zip(arms, codes, strict=True)
    ]


def _alt(drawn: list[PooledStep], arms: list[_Box], threshold: int) -> str:
    parts = []
    for at, step in enumerate(drawn):
        if at == 0:
            parts.append(f"{left_text(step, threshold)} {step.reasons[0]}")
        else:
            parts.append(f"{excluded_text(step, threshold)} left out: {' or '.join(step.reasons)}")
    if drawn and drawn[-1].left_code == SHOWN:
        parts.append(f"{plural(drawn[-1].n_left, 'person', 'people')} remained")
    parts += [" ".join(box) for box in arms]
    return f"Flow chart. {'; '.join(parts)}."


def _caption(pooled: Sequence[PooledStep], threshold: int) -> str:
    if any(len(step.reasons) > 1 for step in pooled):
        return f"Steps that left out 1 to {threshold - 1} people are drawn together with the steps beside them."
    return ""
