"""Draws that are functions of (seed, purpose, person, counter), with the same bits on every machine.

No generator is carried along, so a person's draws do not depend on who else is drawn, in what order, in which
partition or by how many threads; and two scenarios with the same seed share their random numbers, which is what
calibration and comparisons of scenarios want. A purpose is a name: a change in one leaves the others alone.

The bits come from two rounds of the 64-bit finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014; constants of
its variant 13) over key, person and counter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from rtwcohort.simulate.portable import Floats, Ints, exp, log

_PERSON: Final = np.uint64(0x9E3779B97F4A7C15)
_COUNTER: Final = np.uint64(0xD1B54A32D192ED03)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)

# Wichura's AS 241 (PPND16), Applied Statistics 37 (1988) 477-484: about 16 figures.
_CENTRE: Final = (
    (
        3.3871328727963666080e0,
        1.3314166789178437745e2,
        1.9715909503065514427e3,
        1.3731693765509461125e4,
        4.5921953931549871457e4,
        6.7265770927008700853e4,
        3.3430575583588128105e4,
        2.5090809287301226727e3,
    ),
    (
        1.0,
        4.2313330701600911252e1,
        6.8718700749205790830e2,
        5.3941960214247511077e3,
        2.1213794301586595867e4,
        3.9307895800092710610e4,
        2.8729085735721942674e4,
        5.2264952788528545610e3,
    ),
)
_NEAR: Final = (
    (
        1.42343711074968357734e0,
        4.63033784615654529590e0,
        5.76949722146069140550e0,
        3.64784832476320460504e0,
        1.27045825245236838258e0,
        2.41780725177450611770e-1,
        2.27238449892691845833e-2,
        7.74545014278341407640e-4,
    ),
    (
        1.0,
        2.05319162663775882187e0,
        1.67638483018380384940e0,
        6.89767334985100004550e-1,
        1.48103976427480074590e-1,
        1.51986665636164571966e-2,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    ),
)
_FAR: Final = (
    (
        6.65790464350110377720e0,
        5.46378491116411436990e0,
        1.78482653991729133580e0,
        2.96560571828504891230e-1,
        2.65321895265761230930e-2,
        1.24266094738807843860e-3,
        2.71155556874348757815e-5,
        2.01033439929228813265e-7,
    ),
    (
        1.0,
        5.99832206555887937690e-1,
        1.36929880922735805310e-1,
        1.48753612908506148525e-2,
        7.86869131145613259100e-4,
        1.84631831751005468180e-5,
        1.42151175831644588870e-7,
        2.04426310338993978564e-15,
    ),
)
# Hart's algorithm 5666 in the form of West, Wilmott Magazine, May 2005: about 15 figures.
_HART: Final = (
    (
        220.206867912376,
        221.213596169931,
        112.079291497871,
        33.912866078383,
        6.37396220353165,
        0.700383064443688,
        3.52624965998911e-2,
    ),
    (
        440.413735824752,
        793.826512519948,
        637.333633378831,
        296.564248779674,
        86.7807322029461,
        16.064177579207,
        1.75566716318264,
        8.83883476483184e-2,
    ),
)


def key(seed: int, purpose: str) -> np.uint64:
    """Return the key of one purpose under one seed."""
    digest = hashlib.blake2b(f"{int(seed)}:{purpose}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def uniform(stream_key: np.uint64, persons: Ints, counter: int | Ints = 0) -> Floats:
    """Draw uniforms strictly between 0 and 1.

    Parameters
    ----------
    stream_key
        From `key`.
    persons
        Numbers of people, counted over the whole register, any shape.
    counter
        Which draw of that person: one number, or one each.
    """
    with np.errstate(over="ignore"):
        bits = _mix(stream_key + (np.asarray(persons).astype(np.uint64) + np.uint64(1)) * _PERSON)
        bits = _mix(bits + (np.asarray(counter).astype(np.uint64) + np.uint64(1)) * _COUNTER)
    out: Floats = ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    return out


def normal(stream_key: np.uint64, persons: Ints, counter: int | Ints = 0) -> Floats:
    """Draw standard normal values."""
    return normal_quantile(uniform(stream_key, persons, counter))


def exponential(stream_key: np.uint64, persons: Ints, counter: int | Ints = 0) -> Floats:
    """Draw unit exponentials."""
    return -log(uniform(stream_key, persons, counter))


def whole(stream_key: np.uint64, persons: Ints, least: int | Ints, most: int | Ints, counter: int | Ints = 0) -> Ints:
    """Draw whole numbers from `least` to `most`, both included."""
    low = np.asarray(least, dtype=np.int64)
    span = np.asarray(most, dtype=np.int64) - low + 1
    drawn: Ints = low + np.floor(uniform(stream_key, persons, counter) * span).astype(np.int64)
    return drawn


def choose(stream_key: np.uint64, persons: Ints, shares: Sequence[float], counter: int | Ints = 0) -> Ints:
    """Draw positions 0..k-1 with probability proportional to `shares`."""
    edges: list[float] = []
    total = 0.0
    for share in shares:
        total += float(share)
        edges.append(total)
    point = uniform(stream_key, persons, counter) * total
    return np.searchsorted(np.asarray(edges[:-1]), point, side="right").astype(np.int64)


def normal_quantile(share: Floats) -> Floats:
    """Return the standard normal quantile of shares between 0 and 1 (Wichura's AS 241)."""
    share = np.asarray(share, dtype=np.float64)
    middle = share - 0.5
    inner = 0.180625 - middle * middle
    tail = np.minimum(share, 1.0 - share)
    depth = np.sqrt(-log(np.maximum(tail, 1e-300)))
    outer = np.where(depth <= 5.0, _ratio(_NEAR, depth - 1.6), _ratio(_FAR, depth - 5.0))
    central = np.abs(middle) <= 0.425
    out: Floats = np.where(
        central, middle * _ratio(_CENTRE, np.where(central, inner, 0.0)), np.where(middle < 0.0, -outer, outer)
    )
    return out


def normal_cdf(value: Floats) -> Floats:
    """Return the standard normal distribution function (Hart's algorithm 5666)."""
    value = np.asarray(value, dtype=np.float64)
    size = np.minimum(np.abs(value), 37.0)
    density = exp(-0.5 * size * size)
    near = np.minimum(size, 7.07106781186547)
    beyond = size + 0.65
    for k in range(4, 0, -1):
        beyond = size + k / beyond
    upper = density * np.where(size < 7.07106781186547, _ratio(_HART, near), 1.0 / (beyond * 2.506628274631))
    out: Floats = np.where(value > 0.0, 1.0 - upper, upper)
    return out


def _mix(bits: Any) -> Any:
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], at: Floats) -> Floats:
    return _polynomial(coefficients[0], at) / _polynomial(coefficients[1], at)


def _polynomial(coefficients: tuple[float, ...], at: Floats) -> Floats:
    total = np.full_like(at, coefficients[-1])
    for value in reversed(coefficients[:-1]):
        total = total * at + value
    return total
