"""Time, memory and growth of simulating a register: paths of people between benefits, and the rows of the table.

    python benchmarks/simulate.py            one million people over five years
    python benchmarks/simulate.py 100000     fewer

The process is like Norway's in shape (U-shaped return, rules of sickness benefit, allowance, pension), not calibrated.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time

import numpy as np

from rtwcohort.core.days import day_of
from rtwcohort.simulate import draws
from rtwcohort.simulate.process import (
    Certificates,
    EarlierSpells,
    Effect,
    Entitlement,
    Frailty,
    Inputs,
    Paths,
    Process,
    Transition,
    benefit_rows,
    simulate_paths,
    state_code,
)

SEASON = (1.25, 1.2, 1.15, 1.0, 0.95, 0.85, 0.6, 0.9, 1.0, 1.05, 1.1, 1.0)
RETURN = ((0, 0.09), (8, 0.07), (16, 0.035), (28, 0.02), (56, 0.011), (91, 0.008), (182, 0.0055))
LEFT = ((0, 4.0), (7, 2.5), (30, 1.6), (91, 1.0))
SICK = ("sick_full", "sick_graded")


def move(origin: str | tuple[str, ...], to: str, rate: object, group: str = "", **more: object) -> Transition:
    pieces = rate if isinstance(rate, tuple) else ((0, rate),)
    return Transition(origin=origin, to=to, group=group or to, per_day=pieces, **more)


def norway() -> Process:
    living = ("work", *SICK, "aap", "aap_work", "disability_full", "disability_partial", "unemployed", "outside")
    return Process(
        transitions=(
            move("work", "sick_full", 0.0011, "onset", season=SEASON),
            move("work", "sick_graded", 0.00006, "onset", season=SEASON),
            move("sick_full", "work", RETURN, "return", left=LEFT),
            move("sick_graded", "work", RETURN, "return", left=LEFT),
            move("sick_full", "sick_graded", ((0, 0.001), (28, 0.006), (182, 0.003)), "grading"),
            move("sick_graded", "sick_full", 0.002, "grading"),
            move("sick_graded", "sick_graded", 0.005, "regrade"),
            move("work", "unemployed", 0.0001, "job_loss"),
            move("unemployed", "work", ((0, 0.006), (182, 0.002)), "job"),
            move("unemployed", "outside", 0.0005, "leave"),
            move("outside", "work", 0.001, "job"),
            move("aap", "aap_work", 0.0008, "job"),
            move("aap_work", "aap", 0.0005, "fall_back"),
            move(("aap", "aap_work"), "work", ((0, 0.0004), (730, 0.0008)), "return_aap"),
            move(("aap", "aap_work"), "disability_full", ((0, 0.0001), (730, 0.0008)), "disability", clock="absence"),
            move(("aap", "aap_work"), "disability_partial", ((0, 0.00005), (730, 0.0003)), "disability"),
            move(("aap", "aap_work"), "outside", 0.0002, "leave"),
            move("disability_partial", "disability_full", 0.0002, "disability"),
            move(("work", "unemployed", "outside"), "retired", 0.0007, "afp", age=((0, 0), (62, 1))),
            move((*living, "retired"), "dead", 0.0000055, "death"),
            move(living, "emigrated", 0.00001, "emigration"),
        ),
        effects=(
            Effect(on="return", term="age", log_hr=-0.15, per=10, centre=45),
            Effect(on="onset", term="female", log_hr=0.35),
            Effect(on=("disability", "death"), term="age_now", log_hr=0.8, per=10, centre=45),
        ),
        frailty=(Frailty(on="onset", variance=0.8), Frailty(on="return", variance=0.3)),
        earlier=EarlierSpells(on="onset", log_hr=0.08),
        entitlement=Entitlement(
            after=(("aap", 0.45), ("aap_work", 0.2), ("work", 0.22), ("disability_full", 0.05), ("unemployed", 0.08))
        ),
    )


def people(n: int) -> Inputs:
    persons = np.arange(n, dtype=np.int64)
    start = day_of("2015-01-01", argument="start")
    age = draws.whole(draws.key(1, "age"), persons, 18 * 365, 66 * 365)
    return Inputs(
        persons=persons,
        start_day=np.full(n, start, dtype=np.int32),
        start_state=np.full(n, state_code("work"), dtype=np.int8),
        end_day=np.full(n, start + 1826, dtype=np.int32),
        birth_day=(start - age).astype(np.int32),
        covariates={
            "age": age / 365.25,
            "female": (draws.uniform(draws.key(1, "sex"), persons) < 0.48).astype(np.float64),
        },
    )


def written() -> Certificates:
    return Certificates(diagnoses=(("L03", 0.35), ("P76", 0.2), ("R74", 0.17), ("A04", 0.28)), same_again=0.3)


def run(n: int, threads: int | None = None) -> tuple[float, float, Paths, int]:
    """Return seconds for paths, seconds for rows, the paths and the number of rows."""
    process, inputs = norway(), people(n)
    begin = time.perf_counter()
    paths = simulate_paths(process, inputs, seed=1, threads=threads)
    middle = time.perf_counter()
    rows = benefit_rows(paths, written(), entitlement=process.entitlement, seed=1, threads=threads)
    return middle - begin, time.perf_counter() - middle, paths, len(rows)


def digest(paths: Paths) -> str:
    found = hashlib.sha256()
    for values in (paths.person, paths.state, paths.start, paths.end, paths.grade, paths.cause):
        found.update(values.tobytes())
    return found.hexdigest()[:16]


PEAK = """
import sys
sys.path.insert(0, sys.argv[1])
import resource, simulate
simulate.run(2000)
import time
before = time.process_time()
paths, rows, made, n_rows = simulate.run(int(sys.argv[2]), int(sys.argv[3]))
work = time.process_time() - before
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(paths, rows, len(made.person), n_rows, work, peak, simulate.digest(made))
"""


def measured(n: int, threads: int) -> list[str]:
    from pathlib import Path

    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", PEAK, here, str(n), str(threads)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def main() -> None:
    large = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print("| people, 5 years | paths | benefit rows | together | processor time | spells | rows | peak memory |")
    print("|---|---|---|---|---|---|---|---|")
    bits = ""
    for n in (large // 8, large // 4, large // 2, large):
        paths, rows, spells, n_rows, work, peak, bits = measured(n, 2)
        total = float(paths) + float(rows)
        print(
            f"| {n:,} | {float(paths):.2f} s | {float(rows):.2f} s | {total:.2f} s | {float(work):.1f} s | "
            f"{int(spells):,} | {int(n_rows):,} | {float(peak):.2f} GB |",
            flush=True,
        )
    alone = measured(large, 1)
    same = "equal" if alone[-1] == bits else "DIFFERENT"
    print(f"\nOne thread: {float(alone[0]) + float(alone[1]):.2f} s; bytes with 1 and 2 threads: {same}.")


if __name__ == "__main__":
    main()
