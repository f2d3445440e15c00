"""Terms as text: formulas made from lists, the columns that they use, and the names that readers see."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rtwcohort.errors import DesignError

_OPERATORS = re.compile(r"[()\[\]{}:*+^/`]|\s-\s")
_LEVEL = re.compile(r"^(?P<factor>.+?)\[(?:T\.(?P<treated>.*)|(?P<level>[^\[\]]*))\]$")
_BACKTICKED = re.compile(r"`([^`]+)`")


def formula_from_terms(
    terms: Sequence[str], response: str = "Surv(time, event)", *, columns: Iterable[str] = ()
) -> str:
    """Join terms to a formula, with odd column names in backticks.

    Parameters
    ----------
    terms
        Column names ("age", "sick days") or formula terms ("arm:sex", "bs(age, df=4)").
    response
        Left side.
    columns
        Names of the columns of the data: a term that is one of them is taken as that column whatever it looks like.
        Without them a text with an operator or a bracket is taken as a formula term.

    Returns
    -------
    str
        "Surv(time, event) ~ age + `sick days`".

    Raises
    ------
    DesignError
        When there is no term, or one is empty or twice there.
    """
    if isinstance(terms, str):
        raise DesignError(f"`terms` must be a list of terms; got one text {terms!r}. Write [{terms!r}].")
    known = {str(column) for column in columns}
    texts = [str(term).strip() for term in terms]
    if not texts:
        raise DesignError("`terms` is empty: a model needs at least one predictor.")
    for text in texts:
        if not text:
            raise DesignError("`terms` holds an empty term: give the name of a column.")
        if texts.count(text) > 1:
            raise DesignError(f"`terms` names '{text}' twice: leave one out.")
    return f"{response} ~ " + " + ".join(quote_name(text) if _is_column(text, known) else text for text in texts)


def quote_name(name: str) -> str:
    """Put a column name in backticks unless it is a plain identifier."""
    if name.isidentifier() and not keyword.iskeyword(name):
        return name
    if "`" in name:
        raise DesignError(f"A column name may not hold a backtick; got {name!r}. Rename the column.")
    return f"`{name}`"


def _is_column(text: str, known: set[str]) -> bool:
    return text in known or not _OPERATORS.search(text)


def split_formula(formula: str) -> tuple[str, str]:
    """Return the left and the right side.

    Raises
    ------
    DesignError
        When there is not exactly one `~` or a side is empty.
    """
    sides = formula.split("~")
    if len(sides) != 2 or not all(side.strip() for side in sides):
        raise DesignError(f"`formula` must look like 'Surv(time, event) ~ age + sex'; got {formula!r}.")
    return sides[0].strip(), sides[1].strip()


def quote_dotted(side: str, columns: Iterable[str]) -> str:
    """Put column names with dots, such as `ph.ecog`, in backticks where they stand bare."""
    dotted = sorted((name for name in columns if "." in name and "`" not in name), key=len, reverse=True)
    for name in dotted:
        parts = side.split("`")
        bare = rf"(?<![\w.]){re.escape(name)}(?![\w.(])"
        parts[::2] = [re.sub(bare, lambda found: f"`{found.group()}`", part) for part in parts[::2]]
        side = "`".join(parts)
    return side


def columns_of(expression: str, columns: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names of columns that a factor such as `bs(age, df=4)` uses, in order.

    A bare factor (`sick days` without its backticks, as the formula parser gives it) is itself a column.
    """
    if expression in set(columns):
        return (expression,)
    quoted: list[str] = []

    def replace(found: re.Match[str]) -> str:
        quoted.append(found.group(1))
        return f"_quoted_{len(quoted) - 1}_"

    try:
        tree = ast.parse(_BACKTICKED.sub(replace, expression).strip(), mode="eval")
    except SyntaxError:
        return (expression.strip("`"),)
    skip = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    skip |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and id(node) in skip}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in skip]
    found.sort(key=lambda node: node.col_offset)
    names = [node.id for node in found]
    return tuple(dict.fromkeys(quoted[int(n[8:-1])] if n.startswith("_quoted_") else n for n in names))


@lru_cache(maxsize=4096)
def display_name(column: str) -> str:
    """Turn a formula column such as `C(sex)[T.male]:age` into "sex: male x age".

    Terms keep their order; a plain number at a spline or polynomial column stays in brackets.
    """
    return " x ".join(_display_factor(part) for part in split_interaction(column))


def split_interaction(column: str) -> list[str]:
    """Split at the colons that stand outside brackets and backticks."""
    parts, depth, quoted = [""], 0, False
    for character in column:
        quoted ^= character == "`"
        depth += 0 if quoted else (character in "([{") - (character in ")]}")
        if character == ":" and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _display_factor(text: str) -> str:
    found = _LEVEL.match(text)
    if not found:
        return columns_of(text)[0] if text.startswith("C(") else text.strip("`")
    factor, level = found["factor"], found["treated"] or found["level"] or ""
    if "(" in factor and not factor.startswith("C("):
        return f"{factor}[{level}]"
    names = columns_of(factor, [factor]) if not factor.startswith("C(") else columns_of(factor)
    return f"{names[0].strip('`')}: {level_text(level)}"


def level_text(level: object) -> str:
    """Print a category level; whole floats without their decimal."""
    text = str(level)
    return text[:-2] if re.fullmatch(r"-?\d+\.0", text) else text
