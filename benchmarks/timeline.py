"""The timeline against the same job in DuckDB and Polars: canonical columns in, states out.

    python benchmarks/timeline.py [--people 1000000] [--spells 5] [--runs 3]

Each tool gets the register in its own native form in memory: pandas columns with benefit names as text
for rtwcohort, a table with an ENUM and DATEs for DuckDB, a frame with an Enum and Dates for Polars. Each may
use every processor. The job: 2 % of the spells are open, 3 % of the people die; the window is the whole register;
grades of concurrent spells add up (`same_benefit="sum"`) and are capped at 100; the state is the benefit of
highest priority, from one running count a benefit; neighbours with the same content are joined. The three
results are compared row for row before anything is timed. The two peers come in two versions: `plain`
keeps a running sum for each benefit, as one would write it; `packed` squeezes the seven counts into
one 64-bit number, eight bits each, which is the fastest that we found.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl

from rtwcohort.outcomes.timeline import build_timeline
from rtwcohort.register.benefits import BENEFIT_NAMES, DEFAULT_PRIORITY
from rtwcohort.register.register import Register

LAST = dt.date(2019, 12, 31)
AFTER = LAST + dt.timedelta(days=1)
CODES = range(len(BENEFIT_NAMES))
COLUMNS = ["person_id", "start", "end", "state", "present", "grade", "work_share"]


def make_register(n_people: int, spells_each: int, *, seed: int = 1) -> Register:
    """Return people with random 11-digit ids and their spells, both in random order."""
    rng = np.random.default_rng(seed)
    ids = np.unique(rng.integers(10**10, 10**11, n_people + n_people // 50 + 10))[:n_people]
    rng.shuffle(ids)
    n = n_people * spells_each
    start = rng.integers(14_000, 18_000, n).astype("datetime64[D]")
    end = (start + rng.integers(0, 200, n)).astype("datetime64[s]")
    end[rng.random(n) < 0.02] = np.datetime64("NaT")
    death = rng.integers(15_000, 18_200, n_people).astype("datetime64[D]").astype("datetime64[s]")
    death[rng.random(n_people) >= 0.03] = np.datetime64("NaT")
    names = np.array(BENEFIT_NAMES, dtype=object)
    benefits = pd.DataFrame(
        {
            "person_id": ids[rng.integers(0, n_people, n)],
            "benefit": names[rng.choice(len(names), n, p=[0.6, 0.15, 0.1, 0.05, 0.05, 0.03, 0.02])],
            "start": start.astype("datetime64[s]"),
            "end": end,
            "grade": rng.choice([100.0, 50.0, 60.0, 80.0, 40.0], n, p=[0.6, 0.2, 0.1, 0.05, 0.05]),
        }
    )
    persons = pd.DataFrame({"person_id": ids, "death_date": death})
    return Register(persons, benefits, None, None, None, pd.Timestamp(LAST))


def rtwcohort_frame(register: Register) -> pd.DataFrame:
    timeline = build_timeline(register, same_benefit="sum")
    frame = pd.DataFrame({name: getattr(timeline, name) for name in COLUMNS[1:]})
    frame.insert(0, "person_id", np.repeat(timeline.people.person_id, np.diff(timeline.offset)))
    return frame


def duckdb_tables(register: Register) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    names = ", ".join(f"'{name}'" for name in BENEFIT_NAMES)
    connection.execute(f"CREATE TYPE benefit AS ENUM ({names})")
    connection.register("b", register.benefits)
    connection.register("p", register.persons)
    connection.execute(
        'CREATE TABLE benefits AS SELECT person_id, benefit::benefit AS benefit, "start"::DATE AS "start", '
        '"end"::DATE AS "end", grade FROM b'
    )
    connection.execute("CREATE TABLE persons AS SELECT person_id, death_date::DATE AS death_date FROM p")
    connection.unregister("b")
    connection.unregister("p")
    return connection


def duckdb_query(first: dt.date, *, packed: bool) -> str:
    """Deltas summed by person and day, running sums, neighbours with the same content joined."""
    if packed:
        up = "1::BIGINT << (8 * enum_code(benefit)) AS d"
        down = "-(1::BIGINT << (8 * enum_code(benefit))) AS d"
        none = "0::BIGINT AS d"
        daily = "sum(d)::BIGINT AS d"
        running = "(sum(d) OVER w)::BIGINT AS n"
        counts = ", ".join(f"(n >> {8 * k}) & 255 AS n{k}" for k in CODES)
    else:
        # Sums of DOUBLE are faster here than sums of INTEGER, which DuckDB widens to 128 bits.
        up = ", ".join(f"(benefit = '{name}')::INT::DOUBLE AS d{k}" for k, name in enumerate(BENEFIT_NAMES))
        down = ", ".join(f"-(benefit = '{name}')::INT::DOUBLE AS d{k}" for k, name in enumerate(BENEFIT_NAMES))
        none = ", ".join(f"0::DOUBLE AS d{k}" for k in CODES)
        daily = ", ".join(f"sum(d{k}) AS d{k}" for k in CODES)
        running = ", ".join(f"sum(d{k}) OVER w AS n{k}" for k in CODES)
        counts = ", ".join(f"n{k}" for k in CODES)
    order = [BENEFIT_NAMES.index(name) for name in DEFAULT_PRIORITY]
    state = "CASE WHEN dead = 1 THEN 100 " + " ".join(f"WHEN n{k} > 0 THEN {k + 1}" for k in order) + " ELSE 0 END"
    present = " + ".join(f"(n{k} > 0)::INT * {1 << k}" for k in CODES)
    return f"""
    CREATE OR REPLACE TABLE states AS WITH
    spell AS (
      SELECT person_id, benefit, "start", grade, least(
        coalesce("end" + 1, DATE '{AFTER}'), coalesce(death_date, DATE '{AFTER}'), DATE '{AFTER}') AS stop
      FROM benefits JOIN persons USING (person_id)),
    delta AS (
      SELECT person_id, "start" AS day, grade AS dg, {up}, 0 AS dead FROM spell WHERE "start" < stop
      UNION ALL SELECT person_id, stop, -grade, {down}, 0 FROM spell WHERE "start" < stop
      UNION ALL SELECT person_id, DATE '{first}', 0, {none}, 0 FROM persons
      UNION ALL SELECT person_id, death_date, 0, {none}, 1 FROM persons WHERE death_date IS NOT NULL),
    daily AS (
      SELECT person_id, day, sum(dg) AS dg, {daily}, max(dead) AS dead
      FROM delta WHERE day < DATE '{AFTER}' GROUP BY person_id, day),
    running AS (
      SELECT person_id, day, sum(dg) OVER w AS g, {running}, max(dead) OVER w AS dead
      FROM daily WINDOW w AS (PARTITION BY person_id ORDER BY day ROWS UNBOUNDED PRECEDING)),
    counted AS (SELECT person_id, day, g, dead, {counts} FROM running),
    content AS (
      SELECT person_id, day, {state} AS state, {present} AS present, least(g, 100)::FLOAT AS grade,
        CASE WHEN dead = 1 THEN 0 ELSE 100 - least(g, 100) END::FLOAT AS work_share FROM counted),
    marked AS (
      SELECT *, lag(state, 1, -1) OVER w <> state OR lag(present, 1, -1) OVER w <> present
        OR lag(grade, 1, -1) OVER w <> grade AS changed
      FROM content WINDOW w AS (PARTITION BY person_id ORDER BY day))
    SELECT person_id, day AS "start", lead(day, 1, DATE '{AFTER}') OVER (PARTITION BY person_id ORDER BY day) AS "end",
      state::TINYINT AS state, present::USMALLINT AS present, grade, work_share
    FROM marked WHERE changed"""


def polars_frames(register: Register) -> tuple[pl.DataFrame, pl.DataFrame]:
    benefits = pl.from_pandas(register.benefits).with_columns(
        pl.col("benefit").cast(pl.Enum(BENEFIT_NAMES)), pl.col("start", "end").cast(pl.Date)
    )
    return benefits, pl.from_pandas(register.persons).with_columns(pl.col("death_date").cast(pl.Date))


def polars_query(benefits: pl.DataFrame, persons: pl.DataFrame, first: dt.date, *, packed: bool) -> pl.LazyFrame:
    """Return the same plan as the SQL, lazily."""
    code = pl.col("benefit").to_physical()
    if packed:
        deltas = [code.replace_strict({k: 256**k for k in CODES}, return_dtype=pl.Int64).alias("d")]
        counts = [((pl.col("d") // 256**k) % 256).alias(f"n{k}") for k in CODES]
    else:
        deltas = [(code == k).cast(pl.Int32).alias(f"d{k}") for k in CODES]
        counts = [pl.col(f"d{k}").alias(f"n{k}") for k in CODES]
    names = [expression.meta.output_name() for expression in deltas]
    kind = pl.Int64 if packed else pl.Int32
    none = [pl.lit(0, dtype=kind).alias(name) for name in names]
    alive, dead = (pl.lit(number, dtype=pl.Int8).alias("dead") for number in (0, 1))
    spell = (
        benefits.lazy()
        .join(persons.lazy(), on="person_id")
        .with_columns(
            stop=pl.min_horizontal(
                (pl.col("end") + pl.duration(days=1)).fill_null(AFTER), pl.col("death_date").fill_null(AFTER), AFTER
            )
        )
        .filter(pl.col("start") < pl.col("stop"))
        .select("person_id", "start", "stop", "grade", *deltas)
    )
    people = persons.lazy()
    daily = (
        pl.concat(
            [
                spell.select("person_id", pl.col("start").alias("day"), pl.col("grade").alias("g"), *names, alive),
                spell.select(
                    "person_id",
                    pl.col("stop").alias("day"),
                    (-pl.col("grade")).alias("g"),
                    *[-pl.col(name) for name in names],
                    alive,
                ),
                people.select("person_id", pl.lit(first).alias("day"), pl.lit(0.0).alias("g"), *none, alive),
                people.filter(pl.col("death_date").is_not_null()).select(
                    "person_id", pl.col("death_date").alias("day"), pl.lit(0.0).alias("g"), *none, dead
                ),
            ]
        )
        .filter(pl.col("day") < AFTER)
        .group_by("person_id", "day")
        .agg(pl.col("g", *names).sum(), pl.col("dead").max())
        .sort("person_id", "day")
        .with_columns(pl.col("g", *names).cum_sum().over("person_id"), pl.col("dead").cum_max().over("person_id"))
        .with_columns(*counts)
    )
    state = pl.when(pl.col("dead") == 1).then(100)
    for name in DEFAULT_PRIORITY:
        k = BENEFIT_NAMES.index(name)
        state = state.when(pl.col(f"n{k}") > 0).then(k + 1)
    grade = pl.col("g").clip(upper_bound=100).cast(pl.Float32)
    share = pl.when(pl.col("dead") == 1).then(0).otherwise(100 - grade)
    content = daily.select(
        "person_id",
        pl.col("day").alias("start"),
        state.otherwise(0).cast(pl.Int8).alias("state"),
        pl.sum_horizontal((pl.col(f"n{k}") > 0).cast(pl.UInt16) * (1 << k) for k in CODES)
        .cast(pl.UInt16)
        .alias("present"),
        grade.alias("grade"),
        share.cast(pl.Float32).alias("work_share"),
    )
    keys = ("person_id", "state", "present", "grade")
    changed = pl.any_horizontal(pl.col(key) != pl.col(key).shift(1) for key in keys).fill_null(value=True)
    same_person = pl.col("person_id") == pl.col("person_id").shift(-1)
    return content.filter(changed).with_columns(
        pl.when(same_person).then(pl.col("start").shift(-1)).otherwise(AFTER).alias("end")
    )


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return columns in one order and dtype, rows by person and start."""
    out = frame[COLUMNS].copy()
    for name in ("start", "end"):
        if out[name].dtype.kind != "i":
            out[name] = out[name].to_numpy().astype("datetime64[D]").astype(np.int64)
    out = out.astype({"start": "int64", "end": "int64", "state": "int64", "present": "int64"})
    return out.sort_values(["person_id", "start"], ignore_index=True)


def check_equal(ours: pd.DataFrame, theirs: pd.DataFrame, name: str) -> None:
    try:
        pd.testing.assert_frame_equal(comparable(ours), comparable(theirs), check_exact=True)
    except AssertionError as error:
        sys.exit(f"{name} gives other states than rtwcohort: {error}")


def time_all(jobs: dict[str, Callable[[], Any]], runs: int) -> dict[str, list[tuple[float, float]]]:
    """Time the jobs in turn, so that a slow minute of the machine meets all of them, each twice in a row.

    The first run after another tool pays for memory that the system has to fetch anew, the second does not.
    """
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for _ in range(runs):
        for name, job in jobs.items():
            seconds[name].append((time_one(job), time_one(job)))
    return seconds


def time_one(job: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    result = job()
    taken = time.perf_counter() - begin
    del result
    return taken


def print_times(seconds: dict[str, list[tuple[float, float]]]) -> None:
    """Print medians in seconds of the first and the second run, and how many times ours each takes."""
    middle = {name: [statistics.median(run) for run in zip(*taken, strict=True)] for name, taken in seconds.items()}
    print(f"{'tool':16}{'again s':>10}{'least s':>10}{'x ours':>9}{'first s':>12}{'x ours':>9}")
    for name, (first, again) in middle.items():
        least = min(run for pair in seconds[name] for run in pair)
        ours_first, ours_again = middle["rtwcohort"]
        print(f"{name:16}{again:10.2f}{least:10.2f}{again / ours_again:9.1f}{first:12.2f}{first / ours_first:9.1f}")


def peak_of_ours(people: int, spells: int) -> tuple[float, float]:
    """Return the peak memory of a process with the register alone, and with the timeline too, in MB."""
    code = (
        "import sys, resource; sys.path.insert(0, sys.argv[1]); import timeline as t; "
        "t.build_timeline(t.make_register(1000, 5)); r = t.make_register(int(sys.argv[2]), int(sys.argv[3])); "
        "now = lambda: int(next(l for l in open('/proc/self/status') if l.startswith('VmRSS')).split()[1]); "
        "open('/proc/self/clear_refs', 'w').write('5'); before = now(); x = t.build_timeline(r, same_benefit='sum'); "
        "peak = int(next(l for l in open('/proc/self/status') if l.startswith('VmHWM')).split()[1]); "
        "print(before / 1024, peak / 1024)"
    )
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(
        [sys.executable, "-c", code, here, str(people), str(spells)], capture_output=True, text=True, check=True
    )
    before, peak = done.stdout.split()
    return float(before), float(peak)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the timeline against DuckDB and Polars.")
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--spells", type=int, default=5, help="spells a person, on average")
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    register = make_register(asked.people, asked.spells)
    first = register.benefits["start"].min().date()
    connection = duckdb_tables(register)
    benefits, persons = polars_frames(register)

    def sql(*, packed: bool) -> Callable[[], Any]:
        query = duckdb_query(first, packed=packed)
        return lambda: connection.execute(query)

    def lazy(*, packed: bool) -> Callable[[], Any]:
        return lambda: polars_query(benefits, persons, first, packed=packed).collect()

    jobs = {
        "rtwcohort": lambda: build_timeline(register, same_benefit="sum"),
        "DuckDB, plain": sql(packed=False),
        "DuckDB, packed": sql(packed=True),
        "Polars, plain": lazy(packed=False),
        "Polars, packed": lazy(packed=True),
    }
    ours = rtwcohort_frame(register)
    n_states = len(ours)
    for name in list(jobs)[1:]:
        result = jobs[name]()
        theirs = result.to_pandas() if name.startswith("Polars") else connection.execute("FROM states").df()
        check_equal(ours, theirs, name)
        del result, theirs
    del ours
    print(f"{asked.people:,} people, {len(register.benefits):,} spells, {n_states:,} states; {os.cpu_count()} cores")
    print(f"numpy {np.__version__}, pandas {pd.__version__}, DuckDB {duckdb.__version__}, Polars {pl.__version__}")
    print("All results are equal row for row.\n")
    print_times(time_all(jobs, asked.runs))
    if os.path.exists("/proc/self/clear_refs"):
        before, peak = peak_of_ours(asked.people, asked.spells)
        print(f"\nPeak memory of rtwcohort: {peak:,.0f} MB, of which {before:,.0f} MB are the register and Python.")
    peak_here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"Peak memory of this process with all three tools: {peak_here:,.0f} MB.")


if __name__ == "__main__":
    main()
