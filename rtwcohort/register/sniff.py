"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rtwcohort.errors import RegisterError

TEXT: Final = "text"

SUFFIXES: Final[dict[str, str]] = {
    ".csv": TEXT,
    ".tsv": TEXT,
    ".txt": TEXT,
    ".tab": TEXT,
    ".csv.gz": TEXT,
    ".tsv.gz": TEXT,
    ".txt.gz": TEXT,
    ".parquet": "parquet",
    ".pq": "parquet",
    ".sav": "spss",
    ".zsav": "spss",
    ".dta": "stata",
    ".sas7bdat": "sas",
    ".xpt": "xpt",
    ".duckdb": "duckdb",
}
"""File name endings that are read, and the format that each promises."""

FORMAT_NAMES: Final[dict[str, str]] = {
    TEXT: "a text file",
    "gzip": "a gzip file",
    "parquet": "a Parquet file",
    "spss": "an SPSS file",
    "stata": "a Stata file",
    "sas": "a SAS data set",
    "xpt": "a SAS transport file",
    "duckdb": "a DuckDB database",
    "sqlite": "an SQLite database",
    "excel": "an Excel workbook",
    "old excel": "an old Excel workbook (.xls) or another Office file",
    "zip": "a zip archive",
    "html": "a web page (HTML)",
    "xml": "an XML file",
    "json": "a JSON file",
    "pdf": "a PDF document",
    "rdata": "an R data file",
    "empty": "an empty file",
    "binary": "a binary file of an unknown kind",
}

_REMEDIES: Final[dict[str, str]] = {
    TEXT: "Give it the ending .csv.",
    "gzip": "Give it the ending .csv.gz if it is compressed text, or unpack it.",
    "excel": "Open it in Excel and save the sheet as 'CSV UTF-8'.",
    "old excel": "Open it in Excel and save the sheet as 'CSV UTF-8'.",
    "zip": "Unpack it first.",
    "html": "It may be a login or error page: download the file again.",
    "sqlite": "Export the tables as CSV or Parquet.",
    "rdata": "Export it from R with arrow::write_parquet or write.csv.",
    "empty": "Export it again.",
}

_MAGIC: Final = (
    (0, b"PAR1", "parquet"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"$FL2", "spss"),
    (0, b"$FL3", "spss"),
    (0, b"<stata_dta>", "stata"),
    (0, b"HEADER RECORD*******", "xpt"),
    (8, b"DUCK", "duckdb"),
    (0, b"SQLite format 3", "sqlite"),
    (0, b"\xd0\xcf\x11\xe0", "old excel"),
    (0, b"%PDF", "pdf"),
    (0, b"RDX", "rdata"),
    (12, b"\xc2\xea\x81\x60", "sas"),
)

_STATA_VERSIONS: Final = frozenset(range(102, 116))


def suffix_of(path: Path) -> str:
    """Return the ending that decides how a file is read: ".csv.gz" for `x.csv.gz`."""
    name = path.name.lower()
    double = "".join(Path(name).suffixes[-2:])
    return double if double in SUFFIXES else Path(name).suffix


def looks_like(head: bytes) -> str:
    """Return what a file is by its first bytes: a key of `FORMAT_NAMES`."""
    if not head:
        return "empty"
    for offset, magic, name in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return name
    if head[:4] == b"PK\x03\x04":
        return "excel" if b"[Content_Types].xml" in head or b"xl/" in head else "zip"
    if len(head) > 3 and head[0] in _STATA_VERSIONS and head[1] in (1, 2) and head[2] == 1:
        return "stata"
    return _kind_of_text(head)


def _kind_of_text(head: bytes) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return TEXT
    if b"\x00" in head:
        return "binary"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "html"
    if start.startswith(b"<?xml"):
        return "xml"
    if start.startswith((b"{", b"[")):
        return "json"
    odd = sum(byte < 9 or 13 < byte < 32 for byte in head[:4096])
    return "binary" if odd > len(head[:4096]) * 0.01 else TEXT


def check_content(path: Path) -> str:
    """Return the format of a file, or raise when its content is not what its name says.

    Raises
    ------
    RegisterError
        For an unknown ending, an unreadable file, or a content that belies the ending.
    """
    suffix = suffix_of(path)
    if suffix not in SUFFIXES:
        raise RegisterError(
            f"'{path.name}' has the ending '{suffix}', which is not read. Known endings are: {', '.join(SUFFIXES)}."
        )
    try:
        with path.open("rb") as file:
            head = file.read(8192)
    except OSError as error:
        raise RegisterError(f"'{path.name}' cannot be read: {error.strerror}.") from error
    promised, found = SUFFIXES[suffix], looks_like(head)
    if found == ("gzip" if suffix.endswith(".gz") else promised):
        return promised
    wanted = "a gzip file" if suffix.endswith(".gz") else FORMAT_NAMES[promised]
    remedy = _REMEDIES.get(found) or _ending_for(found) or "Export the table as CSV or Parquet."
    raise RegisterError(f"'{path.name}' is not {wanted}: it looks like {FORMAT_NAMES[found]}. {remedy}")


def _ending_for(found: str) -> str:
    ending = next((suffix for suffix, name in SUFFIXES.items() if name == found), "")
    return f"Give it the ending {ending}." if ending else ""
