"""Numbers as Norwegian files write them: decimal comma, spaces between thousands, percent signs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

_SPACES: Final = re.compile(r"(?<=\d)[\s\u00a0\u202f'](?=\d{3}(?:\D|$))")
_PLAIN: Final = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")
_MAYBE_THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}")
_DOT_GROUPS: Final = re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})")
_COMMA_GROUPS: Final = re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})")


def numbers_of_text(
    texts: Sequence[str | None], *, percent: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Read numbers from text.

    Whether "450.000" is 450 or 450 000 is decided by the other values of the column: by one that can
    only be read one way. Without such a value it is unreadable, save for percentages.

    Parameters
    ----------
    texts
        Distinct values; None is missing.
    percent
        The values are percentages, so that a separator before three digits is a decimal one.

    Returns
    -------
    numbers : numpy.ndarray of float64, shape (len(texts),)
    unread : numpy.ndarray of bool, shape (len(texts),)
    """
    cleaned = [None if text is None else _strip(text) for text in texts]
    meaning = {mark: _meaning(mark, cleaned, percent=percent) for mark in ".,"}
    numbers = np.full(len(texts), np.nan)
    unread = np.zeros(len(texts), dtype=bool)
    for place, text in enumerate(cleaned):
        if text is None:
            continue
        number = _one_number(text, meaning)
        if number is None:
            unread[place] = True
        else:
            numbers[place] = number
    return numbers, unread


def _strip(text: str) -> str:
    without_sign = text.removesuffix("%").rstrip().replace("\u2212", "-")
    return _SPACES.sub("", without_sign)


def _meaning(mark: str, texts: Sequence[str | None], *, percent: bool) -> str:
    """Return what a mark before three digits is in this column: "decimal", "thousands" or "unknown"."""
    groups, other_groups = (_DOT_GROUPS, _COMMA_GROUPS) if mark == "." else (_COMMA_GROUPS, _DOT_GROUPS)
    doubtful = False
    for text in texts:
        if text is None:
            continue
        if groups.fullmatch(text):
            return "thousands"
        if other_groups.fullmatch(text) or (mark in text and not _MAYBE_THOUSANDS.fullmatch(text)):
            return "decimal"
        doubtful = doubtful or mark in text
    return "unknown" if doubtful and not percent else "decimal"


def _one_number(text: str, meaning: dict[str, str]) -> float | None:
    if _DOT_GROUPS.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    if _COMMA_GROUPS.fullmatch(text):
        return float(text.replace(",", ""))
    if not _PLAIN.fullmatch(text):
        return None
    doubtful = _MAYBE_THOUSANDS.fullmatch(text)
    if doubtful and meaning[doubtful[1]] == "unknown":
        return None
    if doubtful and meaning[doubtful[1]] == "thousands":
        return float(text.replace(doubtful[1], ""))
    return float(text.replace(",", "."))
