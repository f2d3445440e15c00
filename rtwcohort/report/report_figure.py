"""A figure of the report, its style, and how it becomes bytes that are equal from run to run."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rtwcohort.report.report_table import check_key

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_INCHES: Final = 3.54
"""90 mm: one column of a journal, and a phone held upright."""

INK: Final = "#1c2024"
MUTED: Final = "#5b6570"
GRID: Final = "#d9dde1"
PAPER: Final = "#fefefe"
SERIES: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9")
"""Okabe and Ito's colours, told apart by readers with any colour vision; the yellow is darkened for white paper."""

DASHES: Final = ("solid", (0, (5, 1.6)), (0, (1.2, 1.4)), (0, (6, 1.5, 1.2, 1.5)), (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)))
"""Line styles, so that series differ in black and white too."""

ORDERED: Final = ("#c6d8e6", "#6ba3cb", "#0b5a8f")
"""Three steps of one colour for an ordered outcome, light to dark."""

_IDS: Final = re.compile(r'(\bid="|xlink:href="#|url\(#)')
_VARIABLES: Final = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    PAPER: "var(--paper)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(SERIES, start=1)},
    **{colour: f"var(--order-{number})" for number, colour in enumerate(ORDERED, start=1)},
}


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A figure ready to be shown and to be written.

    Attributes
    ----------
    key
        Lower-case letters, digits and hyphens: the anchor in the document and the stem of the files.
    title
        Printed above the figure.
    alt
        What the figure shows, in words, for those who cannot see it.
    caption
        Printed below.
    svg, png
        File contents; the PNG has 300 dots an inch.
    """

    key: str
    title: str
    alt: str
    caption: str
    svg: bytes
    png: bytes

    def __post_init__(self) -> None:
        """Check the key."""
        check_key(self.key)

    def to_html(self) -> str:
        """Return a `<figure>` with the drawing inline, in the colours of the document, light or dark."""
        caption = f'<div class="notes"><p>{html.escape(self.caption)}</p></div>' if self.caption else ""
        return (
            f'<figure class="drawing" id="figure-{self.key}"><figcaption>{html.escape(self.title)}</figcaption>'
            f"{_inline(self)}{caption}</figure>"
        )


def new_figure(height: float) -> Figure:
    """Return an empty figure of the standard width, drawn without pyplot and its global state.

    Parameters
    ----------
    height
        Inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height), facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


@contextmanager
def style() -> Iterator[None]:
    """Set the style of the report inside a `with` block; the user's own settings are back afterwards."""
    import matplotlib as mpl

    settings: Any = {
        "font.family": ["DejaVu Sans"],
        "font.size": 7.5,
        "axes.labelsize": 7.5,
        "xtick.labelsize": 7.5,
        "ytick.labelsize": 7.5,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.facecolor": PAPER,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "text.color": INK,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "lines.linewidth": 1.4,
        "grid.color": GRID,
        "grid.linewidth": 0.5,
        "path.simplify": False,
        "svg.fonttype": "path",
        "svg.hashsalt": "rtwcohort",
        "text.usetex": False,
        "text.parse_math": False,
    }
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(settings)
        yield


def finish(figure: Figure, *, key: str, title: str, alt: str, caption: str) -> ReportFigure:
    """Write a figure to bytes without dates; call it inside `style()`."""
    svg, png = io.BytesIO(), io.BytesIO()
    no_svg: Any = {"Date": None, "Creator": None}
    figure.savefig(svg, format="svg", metadata=no_svg)
    no_png: Any = {"Software": None}
    figure.savefig(png, format="png", dpi=300, metadata=no_png)
    return ReportFigure(key, title, alt, caption, svg.getvalue(), png.getvalue())


def colour_of(at: int) -> str:
    """Return the colour of the series at a position, from 0."""
    return SERIES[at % len(SERIES)]


def dashes_of(at: int) -> Any:
    """Return the line style of the series at a position, from 0."""
    return DASHES[at % len(DASHES)]


def _inline(figure: ReportFigure) -> str:
    """Return the SVG element alone, its ids made unique to the figure and its colours those of the page."""
    text = figure.svg.decode("utf-8")
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    # matplotlib's rule for "*" would reach the whole page; the page's own style sheet has it for drawings.
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", text, count=1, flags=re.DOTALL)
    text = _IDS.sub(rf"\1{figure.key}-", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    head, body = text.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    view = box.group(0) if box else ""
    alt = html.escape(figure.alt)
    body = body.replace('xlink:href="', 'href="')
    return f'<svg {view} role="img" aria-label="{alt}">{body}'
