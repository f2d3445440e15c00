"""Run a study: every step in order, then one folder with the report, tables, figures, results and provenance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from rtwcohort.report import Document, ReportFigure, ReportTable, render_html
from rtwcohort.study.analysis import analyse
from rtwcohort.study.document import compose
from rtwcohort.study.output import PROVENANCE_FILE, check_output, json_bytes, write_folder
from rtwcohort.study.parts import read_parts
from rtwcohort.study.population import derive_population, prepare_data
from rtwcohort.study.provenance import provenance
from rtwcohort.study.read import Study
from rtwcohort.study.results import Results

STEPS: Final = (
    "Reading the register",
    "Selecting the cohort",
    "Fitting the models",
    "Drawing tables and figures",
    "Writing the results",
)

Progress = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class Done:
    """A study that has run.

    Attributes
    ----------
    folder
        Where the results are.
    headlines
        The key figures as lines of text, with small cells withheld.
    results
        Everything computed, uncensored: for further analysis in Python, not for publication.
    """

    folder: Path
    headlines: tuple[str, ...]
    results: Results


def run_study(
    study: Study,
    *,
    output: str | Path,
    replace: bool = False,
    progress: Progress | None = None,
    run_at: str | None = None,
) -> Done:
    """Run a study and write its results to one folder, all of it or nothing.

    Parameters
    ----------
    study
        From `read_study`.
    output
        Folder for the results. Results of the same study there are replaced.
    replace
        Also replace the results of another study.
    progress
        Called with the number of steps done and the name of the next.
    run_at
        Time of the run, for the provenance; the library reads no clock.

    Returns
    -------
    Done

    Raises
    ------
    StudyFileError, RegisterError, CohortError, DesignError, ConvergenceError, OutputError
        Nothing is written then.
    """
    folder = Path(output)
    check_output(folder, study=study.file.study.title, replace=replace)
    announce = progress or (lambda _step, _sentence: None)
    parts = read_parts(study)
    announce(0, STEPS[0])
    data = prepare_data(study)
    announce(1, STEPS[1])
    population = derive_population(study, parts, data)
    announce(2, STEPS[2])
    analysis = analyse(study, data, population)
    results = Results(study, parts, data, population, analysis)
    announce(3, STEPS[3])
    record = provenance(study, data.register, run_at=run_at)
    document = compose(results, record)
    files = _files(document, record)
    announce(4, STEPS[4])
    write_folder(folder, files)
    headlines = tuple(" ".join(filter(None, (item.value, item.label, item.detail))) for item in document.summary)
    return Done(folder, headlines, results)


def kernels_ready() -> bool:
    """Tell whether the compiled loops are on disk already; the first run of an installation compiles them."""
    from rtwcohort.core.jit import is_cached
    from rtwcohort.outcomes.rtw_kernel import find_returns

    return is_cached(find_returns)


def _files(document: Document, record: dict[str, Any]) -> dict[str, bytes]:
    files = {
        "report.html": render_html(document).encode("utf-8"),
        "results.json": json_bytes(_results(document)),
        PROVENANCE_FILE: json_bytes(_publishable(record, document)),
    }
    audit = []
    for block in _blocks(document):
        if isinstance(block, ReportTable):
            files[f"tables/{block.key}.csv"] = block.to_csv().encode("utf-8")
            audit.append(block.audit)
        else:
            files[f"figures/{block.key}.svg"] = block.svg
            files[f"figures/{block.key}.png"] = block.png
    files["withheld.csv"] = pd.concat(audit, ignore_index=True).to_csv(index=False).encode("utf-8")
    return files


def _blocks(document: Document) -> list[ReportTable | ReportFigure]:
    found = [
        block
        for section in document.sections
        for block in section.blocks
        if isinstance(block, ReportTable | ReportFigure)
    ]
    for kind in (ReportTable, ReportFigure):
        keys = [block.key for block in found if isinstance(block, kind)]
        if len(set(keys)) < len(keys):
            raise AssertionError(f"two results share a file name: {sorted(keys)}")
    return found


def _results(document: Document) -> dict[str, Any]:
    """Return every table's numbers as they may be published."""
    return {
        "title": document.title,
        "summary": [{"value": item.value, "label": item.label, "detail": item.detail} for item in document.summary],
        "tables": {
            block.key: {
                "title": block.title,
                "notes": list(block.notes),
                "rows": [
                    {str(key): _plain(value) for key, value in row.items()} for row in block.raw.to_dict("records")
                ],
            }
            for block in _blocks(document)
            if isinstance(block, ReportTable)
        },
    }


def _publishable(record: dict[str, Any], document: Document) -> dict[str, Any]:
    """Take the exact row counts out of the provenance: they would give away the few rows that cleaning dropped."""
    inputs = [{key: value for key, value in item.items() if key != "rows"} for item in record["inputs"]]
    return {**record, "inputs": inputs, "withheld": int(sum(len(block.audit) for block in _tables(document)))}


def _tables(document: Document) -> list[ReportTable]:
    return [block for block in _blocks(document) if isinstance(block, ReportTable)]


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else (None if math.isnan(value) else str(value))
    if value is None or value is pd.NA:
        return None
    return value if isinstance(value, bool | int | str) else str(value)
