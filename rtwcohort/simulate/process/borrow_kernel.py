"""Arrays lent to a loop: without the counting of references, which costs more than the steps of an event loop."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic


def _borrowed(typing_context: Any, lent: Any) -> Any:
    """Return the same array, or a tuple with the same arrays, without an owner.

    For compiled code only, and only for what Python handed to it: compiled code frees an array of its own after its
    last use, and does not see the use of a borrowed one. Each step that hands arrays on counts a reference up and down
    for each of them, atomically; an array without an owner is not counted.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _without_owner(context, builder, lent, arguments[0])

    return lent(lent), code


def _without_owner(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    is_tuple = isinstance(kind, types.BaseTuple)
    if is_tuple:
        parts = [
            _without_owner(context, builder, part, builder.extract_value(value, k)) for k, part in enumerate(kind.types)
        ]
        return context.make_tuple(builder, kind, parts)
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = array.meminfo.type(None)
        return array._getvalue()
    return value


borrowed: Any = intrinsic(_borrowed)
