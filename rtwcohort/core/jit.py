"""Compiled loops: numba with a cache where one may be written, and without one elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a kernel on first use, cached on disk when numba finds a folder that it may write.

    The lock of the interpreter is released, so that callers may run blocks of people in threads.
    """
    try:
        return cast(F, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:
        return cast(F, numba.njit(nogil=True)(function))


def summing_kernel(function: F) -> F:
    """Compile as `kernel` does, and let sums be reordered so that they run on vector registers.

    For inner products only: results differ between machines in the last digits, as those of BLAS do. NaN and infinity
    keep their meaning.
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": {"reassoc", "contract"}}
    try:
        compiled: F = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        compiled = numba.njit(**options)(function)
    return compiled


def ieee_kernel(function: F) -> F:
    """Compile as `kernel` does, with division by zero giving infinity or NaN as in numpy.

    Without the check of each divisor loops full of divisions run two to three times as fast. The kernel must see to it
    that no divisor is zero, or that infinity is handled.
    """
    try:
        return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:
        return cast(F, numba.njit(nogil=True, error_model="numpy")(function))


def inlined_kernel(function: F) -> F:
    """Compile as `ieee_kernel` does, as part of each kernel that calls it.

    For short steps of an inner loop that take many arrays: passing those costs more than the step.
    """
    return cast(F, numba.njit(nogil=True, error_model="numpy", inline="always")(function))


def is_cached(compiled: Any) -> bool:
    """Tell whether a kernel has a compiled version on disk, so that the next call need not compile."""
    from pathlib import Path

    cache = getattr(compiled, "_cache", None)
    folder = getattr(cache, "cache_path", None)
    if not folder:
        return False
    name = f"{compiled.py_func.__qualname__}-"
    return any(name in path.name for path in Path(folder).glob("*.nbi"))
