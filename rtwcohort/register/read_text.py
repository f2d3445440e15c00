"""Delimited text as it is found: separator, encoding, compression and line numbers are worked out."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.errors import RegisterError

SEPARATORS: Final = {";": "';'", ",": "','", "\t": "tab", "|": "'|'"}
_EXCEL_HINT: Final = re.compile(rb"^(?:\xef\xbb\xbf)?\"?sep=(.)\"?\r?\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TextTable:
    """A delimited text file, every value as text.

    Attributes
    ----------
    frame
        Columns as in the file, Arrow strings; index `row` holds line numbers (the header is line 1).
    sha256
        Of the file's bytes.
    format
        In words.
    """

    frame: pd.DataFrame
    sha256: str
    format: str


def read_text(path: Path) -> TextTable:
    """Read a CSV, TSV or other delimited file, possibly compressed with gzip.

    Raises
    ------
    RegisterError
        When lines differ in their number of fields, or a quote is never closed.
    """
    raw = path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    packed = raw[:2] == b"\x1f\x8b"
    data, encoding = _to_utf8(_unpack(raw, path) if packed else raw)
    skipped, separator = _excel_hint(data)
    data = data[skipped:] if skipped else data
    first_line = 2 if skipped else 1
    separator = separator or _find_separator(data)
    lines = _record_lines(data, path) + first_line - 1
    frame = _parse(data, separator, path, lines)
    frame.index = pd.Index(lines[1 : len(frame) + 1], name="row")
    words = f"text, separator {SEPARATORS.get(separator, repr(separator))}, encoding {encoding}"
    return TextTable(frame, digest, words + (", gzip" if packed else ""))


def _unpack(raw: bytes, path: Path) -> bytes:
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise RegisterError(f"'{path.name}' is damaged: its gzip stream cannot be unpacked. Copy it again.") from error


def _to_utf8(data: bytes) -> tuple[bytes, str]:
    """Return the text as UTF-8 without a byte order mark, and the name of its encoding."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace").encode("utf-8"), "UTF-16"
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:], "UTF-8 with BOM"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _from_mixed(data)
    return data, "UTF-8"


def _from_mixed(data: bytes) -> tuple[bytes, str]:
    """Decode line by line: files put together from several sources are UTF-8 in one part only."""
    lines = data.split(b"\n")
    n_utf8 = 0
    for place, line in enumerate(lines):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            n_utf8 += 1
        except UnicodeDecodeError:
            lines[place] = _from_latin(line).encode("utf-8")
    return b"\n".join(lines), "UTF-8 and ISO-8859-1 by line" if n_utf8 else "ISO-8859-1"


def _from_latin(data: bytes) -> str:
    """Decode Windows-1252, the superset of ISO-8859-1 that Norwegian files are written in."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("iso-8859-1")


def _excel_hint(data: bytes) -> tuple[int, str]:
    """Return the length of a first line such as `sep=;`, and its separator."""
    found = _EXCEL_HINT.match(data)
    return (found.end(), found[1].decode("ascii", errors="replace")) if found else (0, "")


def _find_separator(data: bytes) -> str:
    """Return the separator that splits the header most often, outside quotes; a comma when none does."""
    header = data[:65536].split(b"\n", 1)[0].decode("utf-8", errors="replace").strip("\r")
    outside = re.sub(r'"[^"]*"', "", header)
    counts = {mark: outside.count(mark) for mark in SEPARATORS}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else ","


def _record_lines(data: bytes, path: Path) -> npt.NDArray[np.int64]:
    """Return the line number of each record that is not blank, the header included.

    A line break inside quotes does not end a record: the number of quotes before it is odd.
    """
    if not data.endswith(b"\n"):
        data += b"\n"
    array = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(array == ord("\n"))
    starts = np.concatenate([[0], breaks[:-1] + 1])
    numbers = np.arange(1, len(breaks) + 1)
    if b'"' in data:
        quotes = np.flatnonzero(array == ord('"'))
        before = np.searchsorted(quotes, breaks)
        if before[-1] % 2:
            raise RegisterError(
                f"'{path.name}' has a quote (\") that is never closed. Close it, or export the file again."
            )
        inside = np.concatenate([[False], before[:-1] % 2 == 1])
        starts, numbers = starts[~inside], numbers[~inside]
        ends = breaks[before % 2 == 0]
    else:
        ends = breaks
    length = ends - starts
    blank = (length == 0) | ((length == 1) & (array[starts] == ord("\r")))
    return np.asarray(numbers[~blank], dtype=np.int64)


def _parse(data: bytes, separator: str, path: Path, lines: npt.NDArray[np.int64]) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = _header(data, separator)
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(column_names=[str(place) for place in range(len(names))], skip_rows=0),
            parse_options=arrow_csv.ParseOptions(
                delimiter=separator, newlines_in_values=b'"' in data, ignore_empty_lines=True
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={str(place): pa.string() for place in range(len(names))},
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise RegisterError(_ragged(data, separator, path, lines, len(names))) from error
    if len(table) != len(lines):
        raise RegisterError(
            f"'{path.name}' has quotes (\") inside fields that are not doubled, so that its lines cannot be told "
            "apart. Export it with every quote doubled, or without."
        )
    frame = table.slice(1).to_pandas(types_mapper=pd.ArrowDtype)
    frame.columns = pd.Index(names)
    unnamed = [place for place, name in enumerate(names) if not name]
    return _drop_unnamed(frame, unnamed) if unnamed else frame


def _header(data: bytes, separator: str) -> list[str]:
    reader = csv.reader(io.StringIO(data[:1_000_000].decode("utf-8", errors="replace")), delimiter=separator)
    for record in reader:
        if record:
            return [name.strip() for name in record]
    return []


def _drop_unnamed(frame: pd.DataFrame, unnamed: list[int]) -> pd.DataFrame:
    """Leave out columns without a name: a separator at the end of lines, or R's row names."""
    return frame.iloc[:, [place for place in range(frame.shape[1]) if place not in unnamed]]


def _ragged(data: bytes, separator: str, path: Path, lines: npt.NDArray[np.int64], width: int) -> str:
    """Say which line has another number of fields than the header."""
    reader: Any = csv.reader(io.StringIO(data.decode("utf-8", errors="replace")), delimiter=separator)
    records = (record for record in reader if record)
    for line, record in zip(lines, records, strict=False):
        if len(record) != width:
            why = (
                " A decimal comma in a file with commas between the fields does this: export it with semicolons."
                if separator == ","
                else ""
            )
            return (
                f"'{path.name}' line {line} has {len(record)} fields where the header has {width} "
                f"(separator {SEPARATORS.get(separator, repr(separator))}).{why}"
            )
    return f"'{path.name}' cannot be read as text with separator {SEPARATORS.get(separator, repr(separator))}."
