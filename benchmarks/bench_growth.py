"""How time and memory of our fits grow with the rows."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_data import three_levels, three_waves, varying, whole_days

from rtwcohort.models.cox import fit_cox_arrays
from rtwcohort.models.ordinal import fit_ordinal_arrays
from rtwcohort.models.ordinal_gee import fit_ordinal_gee_arrays


def cox(n: int) -> tuple[int, Callable[[], Any]]:
    X, day, event = whole_days(n, 10)
    return X.nbytes, lambda: fit_cox_arrays(X, day, event)


def cox_cluster(n: int) -> tuple[int, Callable[[], Any]]:
    X, day, event = whole_days(n, 10)
    cluster = (day * 0.0).astype("int64")
    cluster[:] = range(n)
    cluster //= 5
    return X.nbytes, lambda: fit_cox_arrays(X, day, event, cluster=cluster)


def cox_entry(n: int) -> tuple[int, Callable[[], Any]]:
    X, start, stop, event, _ = varying(n // 2, 10)
    return X.nbytes, lambda: fit_cox_arrays(X, stop, event, entry=start)


def ordinal(n: int) -> tuple[int, Callable[[], Any]]:
    X, y = three_levels(n, 10)
    return X.nbytes, lambda: fit_ordinal_arrays(X, y)


def gee(n: int) -> tuple[int, Callable[[], Any]]:
    X, y, person, wave = three_waves(n // 3, 10)
    return X.nbytes, lambda: fit_ordinal_gee_arrays(X, y, id=person, wave=wave)


def gee_odds(n: int) -> tuple[int, Callable[[], Any]]:
    X, y, person, wave = three_waves(n // 3, 10)
    return X.nbytes, lambda: fit_ordinal_gee_arrays(X, y, id=person, wave=wave, association="global_odds_ratio")


FAMILIES: dict[str, tuple[str, Callable[[int], tuple[int, Callable[[], Any]]]]] = {
    "cox": ("Cox, Efron", cox),
    "cox_cluster": ("Cox, cluster variance", cox_cluster),
    "cox_entry": ("Cox, time-varying rows", cox_entry),
    "ordinal": ("Ordinal regression", ordinal),
    "gee": ("Ordinal GEE, independence", gee),
    "gee_odds": ("Ordinal GEE, global odds ratio", gee_odds),
}

MEMORY = """
import gc, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
import bench_growth
make = bench_growth.FAMILIES[sys.argv[2]][1]
make(3000)[1]()
matrix, run = make(int(sys.argv[3]))
gc.collect()
status = lambda key: int(next(line for line in open("/proc/self/status") if line.startswith(key)).split()[1])
open("/proc/self/clear_refs", "w").write("5")
before = status("VmRSS")
fit = run()
print((status("VmHWM") - before) * 1024 / matrix, matrix)
"""


def least_work(run: Callable[[], Any], repeats: int) -> float:
    """Return the least processor time, all threads together: other load changes it little."""
    taken = []
    for _ in range(repeats):
        begin = time.process_time()
        run()
        taken.append(time.process_time() - begin)
    return min(taken)


def growth(large: int, repeats: int) -> str:
    """Return the table: least processor time at four sizes, and peak memory above the matrix at the largest."""
    sizes = [large // 8, large // 4, large // 2, large]
    lines = [
        "| processor time of a fit on arrays, rows x 10 | "
        + " | ".join(f"{n:,}" for n in sizes)
        + " | ratio for 8 times the rows | peak memory above the matrix |",
        "|---" * (len(sizes) + 3) + "|",
    ]
    for name, (title, make) in FAMILIES.items():
        make(3000)[1]()
        seconds = [least_work(make(n)[1], repeats) for n in sizes]
        lines.append(
            f"| {title} | "
            + " | ".join(f"{one:.3g} s" for one in seconds)
            + f" | {seconds[-1] / seconds[0]:.1f} | {peak(name, large)} |"
        )
    return "\n".join(lines)


def peak(name: str, rows: int) -> str:
    """Return the peak memory of a fit in a fresh process above what was there before it, in matrices."""
    if not Path("/proc/self/clear_refs").exists():
        return "not measured"
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, here, name, str(rows)], capture_output=True, text=True, check=True
    )
    share, matrix = done.stdout.split()
    return f"{float(share):.2f} x {float(matrix) / 1e6:.0f} MB"
