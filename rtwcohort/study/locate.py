"""Find the line of each key of a TOML text, so that an error can point at it.

`tomllib` reads the values but keeps no positions. This scanner is run on text that `tomllib` has
already accepted, so it need not check the grammar, only follow it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Path = tuple[str | int, ...]


def key_lines(text: str) -> dict[Path, int]:
    """Map each key path to its line number (1-based).

    Parameters
    ----------
    text
        A valid TOML document.

    Returns
    -------
    dict
        Paths such as `("cohort", "eligibility", 0, "min")`.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """Return the line of the longest known beginning of `path`, or None."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


@dataclass(slots=True)
class _Scanner:
    text: str
    at: int = 0
    lines: dict[Path, int] = field(default_factory=dict)
    arrays: dict[Path, int] = field(default_factory=dict)

    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def skip(self, *, newlines: bool = True) -> None:
        blank = " \t\r\n" if newlines else " \t"
        while self.at < len(self.text):
            if self.peek() == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.peek() in blank:
                self.at += 1
            else:
                return

    def document(self) -> None:
        prefix: Path = ()
        self.skip()
        while self.at < len(self.text):
            if self.peek(2) == "[[":
                prefix = self.header(2)
            elif self.peek() == "[":
                prefix = self.header(1)
            else:
                self.pair(prefix)
            self.skip()

    def header(self, brackets: int) -> Path:
        line = self.line()
        self.at += brackets
        parts = self.key()
        self.at = self.text.index("]", self.at) + brackets
        path: Path = ()
        for position, part in enumerate(parts):
            path = (*path, part)
            self.lines.setdefault(path, line)
            last = position == len(parts) - 1
            if last and brackets == 2:
                self.arrays[path] = self.arrays.get(path, -1) + 1
            if path in self.arrays:
                path = (*path, self.arrays[path])
                self.lines.setdefault(path, line)
        return path

    def key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self.skip(newlines=False)
            if self.peek() in "\"'":
                quote = self.peek()
                end = self.text.index(quote, self.at + 1)
                parts.append(self.text[self.at + 1 : end])
                self.at = end + 1
            else:
                start = self.at
                while self.peek() and (self.peek().isalnum() or self.peek() in "_-"):
                    self.at += 1
                parts.append(self.text[start : self.at])
            self.skip(newlines=False)
            if self.peek() != ".":
                return parts
            self.at += 1

    def pair(self, prefix: Path) -> None:
        line = self.line()
        path = prefix
        for part in self.key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self.at = self.text.index("=", self.at) + 1
        self.skip(newlines=False)
        self.value(path)

    def value(self, path: Path) -> None:
        if self.peek() in "\"'":
            self.string()
        elif self.peek() == "[":
            self.sequence(path, "]")
        elif self.peek() == "{":
            self.sequence(path, "}")
        else:
            while self.peek() and self.peek() not in ",]}\n#":
                self.at += 1

    def string(self) -> None:
        quote = self.peek(3) if self.peek(3) in ('"""', "'''") else self.peek()
        self.at += len(quote)
        while self.peek(len(quote)) != quote:
            self.at += 2 if self.peek() == "\\" and quote[0] == '"' else 1
        self.at += len(quote)

    def sequence(self, path: Path, closing: str) -> None:
        self.at += 1
        count = 0
        self.skip()
        while self.peek() != closing:
            if closing == "]":
                self.lines.setdefault((*path, count), self.line())
                self.value((*path, count))
            else:
                self.pair(path)
            count += 1
            self.skip()
            if self.peek() == ",":
                self.at += 1
                self.skip()
        self.at += 1
