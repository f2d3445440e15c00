"""The model engine against lifelines, statsmodels and R, as ratios measured in one run, ours and theirs in turns.

    python benchmarks/models.py [--rows cox,robust,entry,small,zph,ordinal,gee,odds,growth] [--small] [--repeats 5]
        [--write]

R's tools run where `Rscript` is on the path (survival, MASS, ordinal, rms, sandwich); their time is taken inside R,
around the fit only. Python's is taken around the fit, data in the form that the tool asks for. "x arrays" and "x frame"
say how many times as long a tool takes as our call on arrays, and as our call on a frame with a formula. A tool whose
first run takes over 15 s is measured once. "work" is processor time of all threads, which other load on the machine
changes little; ours runs on every core, so on an idle machine it takes less time than work. The largest difference is
that of estimates and standard errors from ours. `--write` puts the tables into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import bench_cox
import bench_growth
import bench_ordinal
from bench_core import measure

ROWS = ("cox", "robust", "entry", "small", "zph", "ordinal", "gee", "odds", "growth")
SIZES = (100_000, 1_000_000)
SMALL = (10_000, 50_000)
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- models: begin -->", "<!-- models: end -->"
R_PACKAGES = ("survival", "MASS", "ordinal", "rms", "sandwich")


def versions(r: bool) -> str:
    python = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "numba", "lifelines", "statsmodels"))
    text = f"Python {platform.python_version()}, {python}"
    if r:
        code = "; ".join(f'cat("{name}", format(packageVersion("{name}")), "")' for name in R_PACKAGES)
        code = f'cat(as.character(getRversion()), "with "); {code}; cat("and", basename(extSoftVersion()[["BLAS"]]))'
        done = subprocess.run(["Rscript", "--vanilla", "-e", code], capture_output=True, text=True, check=True)
        text += f"; R {done.stdout.strip()}"
    return text


def processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join(ROWS), help="which rows, comma between")
    parser.add_argument("--small", action="store_true", help="small sizes, for a quick pass")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-r", action="store_true", help="leave R's tools out")
    parser.add_argument("--write", action="store_true", help="write the page of the documentation")
    asked = parser.parse_args()
    rows = asked.rows.split(",")
    unknown = [row for row in rows if row not in ROWS]
    if unknown:
        sys.exit(f"no row is named {', '.join(unknown)}; there are: {', '.join(ROWS)}")
    warnings.simplefilter("ignore")
    r = not asked.no_r and shutil.which("Rscript") is not None
    sizes = SMALL if asked.small else SIZES
    text = [f"{os.cpu_count()} cores ({processor()}). {versions(r)}. Load of the machine at the start {load()}", ""]
    print(text[0], "", sep="\n", flush=True)
    for row in rows:
        for family in (bench_cox, bench_ordinal):
            for job in family.jobs(row, sizes, asked.repeats, r):
                print(f"  {job.title}", file=sys.stderr, flush=True)
                text.append(measure(job))
                print(text[-1], flush=True)
    if "growth" in rows:
        text += ["### Growth with the rows", "", bench_growth.growth(sizes[1], min(asked.repeats, 3)), ""]
        print(*text[-4:], sep="\n", flush=True)
    text[0] += f", at the end {load()}."
    print(text[0])
    if asked.write:
        put_on_page("\n".join(text))


def put_on_page(text: str) -> None:
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
