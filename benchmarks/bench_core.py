"""What the model benchmarks share: a job with its peers, runs in turns, medians, and the Markdown table."""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LONG = 15.0  # a peer whose first run takes longer is measured once
QUICK = 0.3  # a tool is run again in its turn, five times at most, until this many seconds are used
OURS = ("arrays", "frame")


class Seconds(NamedTuple):
    """Time on the clock, and time that processors worked (all threads)."""

    clock: float
    worked: float


Result = tuple[Seconds, Floats]  # and the numbers to compare with ours


@dataclass(frozen=True, slots=True)
class Tool:
    """One way to do the job: `run` gives seconds and the numbers; `target` is the ratio asked for, None for none."""

    name: str
    run: Callable[[], Result]
    target: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One table: "arrays" and "frame" are our calls, other tools are peers."""

    title: str
    ours: Mapping[str, Callable[[], Result]]
    peers: Sequence[Tool]
    repeats: int
    close: Callable[[], None] = lambda: None


def timed(run: Callable[[], Any], numbers: Callable[[Any], Any], loops: int = 1) -> Callable[[], Result]:
    """Return a run that measures itself, for Python tools."""

    def measure() -> Result:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()
            begin, working = time.perf_counter(), time.process_time()
            for _ in range(loops):
                result = run()
            seconds = Seconds((time.perf_counter() - begin) / loops, (time.process_time() - working) / loops)
        return seconds, np.asarray(numbers(result), dtype=np.float64)

    return measure


def measure(job: Job) -> str:
    """Run ours and the peers in turn and return the lines of the table."""
    tools = [Tool(name, run) for name, run in job.ours.items()] + list(job.peers)
    seconds: dict[str, list[Seconds]] = {tool.name: [] for tool in tools}
    numbers: dict[str, Floats] = {}
    faults: dict[str, str] = {}
    for run in job.ours.values():
        run()  # compiled kernels are loaded here
    for _ in range(job.repeats):
        for tool in tools:
            taken = seconds[tool.name]
            if tool.name in faults or (tool.name not in job.ours and taken and taken[0].clock > LONG):
                continue
            try:
                times, numbers[tool.name] = _turn(tool)
            except Exception as error:  # a peer that fails is part of the result
                if tool.name in job.ours:
                    raise
                faults[tool.name] = f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
                continue
            taken.extend(times)
            print(
                f"    {tool.name}: {times[0].clock:.4g} s, {times[0].worked:.4g} s of work", file=sys.stderr, flush=True
            )
    job.close()
    lines = [_line(job, tool, seconds, numbers, faults) for tool in tools]
    return "\n".join([f"### {job.title}", "", HEADER, *lines, ""])


def _turn(tool: Tool) -> tuple[list[Seconds], Floats]:
    """Run a tool once, or a few times where it is quick."""
    times: list[Seconds] = []
    numbers = np.zeros(0)
    while not times or (sum(one.clock for one in times) < QUICK and len(times) < 5):
        one, numbers = tool.run()
        times.append(one)
    return times, numbers


def median(times: Sequence[Seconds]) -> Seconds:
    return Seconds(statistics.median(one.clock for one in times), statistics.median(one.worked for one in times))


def _line(
    job: Job, tool: Tool, seconds: Mapping[str, list[Seconds]], numbers: Mapping[str, Floats], faults: Mapping[str, str]
) -> str:
    if tool.name in faults:
        return f"| {tool.name} | fails: {faults[tool.name]} | | | | | | | |"
    middle = {name: median(taken) for name, taken in seconds.items() if taken}
    own, mine = tool.name in job.ours, middle[tool.name]
    ratios = {} if own else {name: mine.clock / middle[name].clock for name in OURS if name in middle}
    once = " (one run)" if len(seconds[tool.name]) == 1 and job.repeats > 1 else ""
    first, theirs = numbers[next(iter(job.ours))], numbers[tool.name]
    cells = [
        NAMES.get(tool.name, tool.name) + (f" ({tool.note})" if tool.note else ""),
        show(mine.clock) + once,
        show(mine.worked),
        *(f"{ratios[key]:.1f}" if key in ratios else "" for key in OURS),
        "" if own else f"{mine.worked / middle['arrays'].worked:.1f}",
        "" if tool.target is None else f"{tool.target:g}",
        verdict(tool.target, list(ratios.values())),
        f"{np.abs(first - theirs).max():.0e}" if not own and first.shape == theirs.shape else "",
    ]
    return "| " + " | ".join(cells) + " |"


def verdict(target: float | None, ratios: Sequence[float]) -> str:
    """Say whether a target is met by every call of ours, by the one on arrays only, or not."""
    if target is None or not ratios:
        return ""
    if min(ratios) >= target:
        return "yes"
    return "on arrays" if ratios[0] >= target else "**no**"


def show(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms" if seconds < 0.1 else f"{seconds:.3g} s"


NAMES = {"arrays": "**rtwcohort, arrays**", "frame": "**rtwcohort, frame and formula**"}
HEADER = (
    "| tool | time | work | x arrays | x frame | x arrays, work | target | met | largest difference |\n"
    + "|---" * 9
    + "|"
)

SERVER = """
options(warn = -1, digits = 17)
input <- file("stdin"); open(input)
read_columns <- function(path, names, n) {
  file <- file(path, "rb"); on.exit(close(file))
  as.data.frame(setNames(lapply(names, function(name) readBin(file, "double", n)), names))
}
while (length(line <- readLines(input, 1)) > 0) {
  answer <- tryCatch({
    part <- parse(text = line)
    if (length(part) == 2) {
      gc(); begin <- proc.time(); result <- eval(part[[1]], globalenv()); taken <- proc.time() - begin
      assign("result", result, globalenv())
      numbers <- eval(part[[2]], globalenv())
      worked <- taken[["user.self"]] + taken[["sys.self"]]
      paste("#DONE", taken[["elapsed"]], worked, paste(format(as.numeric(numbers), digits = 17), collapse = " "))
    } else { eval(part[[1]], globalenv()); "#DONE 0" }
  }, error = function(fault) paste("#FAIL", conditionMessage(fault)))
  cat(gsub("\\n", " ", answer), "\\n", sep = ""); flush(stdout())
}
"""


class RSession:
    """An R process that holds the data and times a call around the fit only (proc.time)."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        script = Path(self.folder.name) / "server.R"
        script.write_text(SERVER)
        self.process = subprocess.Popen(
            ["Rscript", "--vanilla", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def tell(self, line: str) -> Floats:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line.replace("\n", " ") + "\n")
        self.process.stdin.flush()
        for answer in self.process.stdout:
            if answer.startswith("#DONE"):
                return np.array(answer.split()[1:], dtype=np.float64)
            if answer.startswith("#FAIL"):
                raise RuntimeError(answer[6:].strip())
        raise RuntimeError("R has ended")

    def give(self, columns: Mapping[str, Any], name: str = "d") -> None:
        """Pass columns as doubles in a binary file."""
        path = Path(self.folder.name) / f"{name}.bin"
        with path.open("wb") as file:
            for values in columns.values():
                np.ascontiguousarray(values, dtype=np.float64).tofile(file)
        names = ", ".join(f"'{column}'" for column in columns)
        n = len(next(iter(columns.values())))
        self.tell(f"{name} <- read_columns('{path}', c({names}), {n})")
        path.unlink()

    def timed(self, call: str, numbers: str) -> Callable[[], Result]:
        def run() -> Result:
            answer = self.tell(f"{call}; {numbers}")
            return Seconds(float(answer[0]), float(answer[1])), answer[2:]

        return run

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self.folder.cleanup()
