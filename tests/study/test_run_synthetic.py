"""The whole job on the packaged synthetic register: true effects recovered, everything written, nothing leaked."""

import html
import itertools
import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from rtwcohort.simulate import load_scenario, true_values
from rtwcohort.study import read_study, run_study
from rtwcohort.study.demo import demo_data

COUNTS = re.compile(r"^(n|n_.*|events|left|excluded|remained|rows|people|returned)$")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic") / "results"
    return run_study(read_study(demo_data() / "study.toml"), output=folder)


@pytest.fixture(scope="module")
def texts(done):
    """Every text that left: file name -> content."""
    return {
        str(path.relative_to(done.folder)): path.read_text(encoding="utf-8")
        for path in done.folder.rglob("*")
        if path.suffix in {".csv", ".json", ".html", ".svg"}
    }


def test_true_hazard_ratios_lie_in_their_intervals(done):
    fit = done.results.analysis.multivariable
    tidy = fit.tidy().set_index("term")
    terms = {"arm[workplace_visit]": "arm: workplace visit", "sex=male": "sex: male", "fabq_w": "fabq_work"}
    truth = true_values(load_scenario("demo"))
    checked = 0
    for row in truth[truth["outcome"] == "return"].itertuples():
        term, _, per = row.term.partition("/")
        unit, found = float(per or 1), tidy.loc[terms.get(term, term)]
        assert found["conf_low"] * unit <= row.value <= found["conf_high"] * unit, row.term
        assert found["std_error"] * unit < 0.2, f"{row.term}: an interval so wide would hold anything"
        checked += 1
    assert checked == 6


def test_everything_is_written(done):
    names = {str(path.relative_to(done.folder)) for path in done.folder.rglob("*") if path.is_file()}
    assert {"report.html", "results.json", "provenance.json", "withheld.csv"} <= names
    for figure in ("flow", "curves", "status", "forest"):
        assert {f"figures/{figure}.svg", f"figures/{figure}.png"} <= names
    tables = {name for name in names if name.startswith("tables/")}
    wanted = {
        "flow",
        "baseline",
        "curve-estimates",
        "incidence",
        "follow-up",
        "status",
        "hazard-ratios",
        "arms",
        "effects",
    }
    assert {f"tables/{name}.csv" for name in wanted} <= tables


def test_flow_adds_up_to_the_people_analysed(done):
    flow = done.results.population.cohort.flow
    for before, step in itertools.pairwise(flow):
        assert before.n_left - step.n_excluded == step.n_left
    assert (
        flow[-1].n_left
        == len(done.results.population.frame)
        == done.results.analysis.curves.frame.groupby("group")["at_risk"].first().sum()
    )


def test_provenance_names_the_inputs_and_repeats_the_study_file(done):
    record = json.loads((done.folder / "provenance.json").read_text(encoding="utf-8"))
    assert record["study"]["text"] == (demo_data() / "study.toml").read_text(encoding="utf-8")
    assert {item["file"] for item in record["inputs"]} == {path.name for path in demo_data().glob("*.csv")}
    assert all(re.fullmatch(r"[0-9a-f]{64}", item["sha256"]) for item in record["inputs"])
    assert record["run_at"] is None
    assert record["software"]["rtwcohort"]


def test_a_second_run_gives_the_same_bytes(done, tmp_path):
    again = run_study(read_study(demo_data() / "study.toml"), output=tmp_path / "again")
    names = sorted(path.relative_to(done.folder) for path in done.folder.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(again.folder) for path in again.folder.rglob("*") if path.is_file())
    for name in names:
        assert (done.folder / name).read_bytes() == (again.folder / name).read_bytes(), name


def test_no_identifier_and_no_folder_leaves(done, texts):
    ids = {str(value) for value in done.results.data.register.persons["person_id"]}
    folder = str(demo_data().parent)
    for name, text in texts.items():
        assert folder not in text, name
        if name.endswith(".svg"):
            text = " ".join(re.findall(r">([^<]+)<", text))
        elif name.endswith(".html"):
            text = re.sub(r"<svg.*?</svg>", " ", text, flags=re.S)
        assert not ids & set(re.findall(r"(?<![\w.])\d{5}(?![\w.])", text)), name


def test_no_small_count_leaves(done, texts):
    tables = {name: text for name, text in texts.items() if name.startswith("tables/")}
    seen = 0
    for name in tables:
        frame = pd.read_csv(done.folder / name)
        for column in frame.columns:
            if COUNTS.match(str(column)) and pd.api.types.is_numeric_dtype(frame[column]):
                values = frame[column].dropna()
                seen += len(values)
                assert not values.between(1, 4).any(), f"{name}, column {column}"
    assert seen > 50
    assert (pd.read_csv(done.folder / "withheld.csv").shape[0]) > 0


class Outline(HTMLParser):
    """Collects tags, addresses and the alternative texts of figures."""

    def __init__(self):
        super().__init__()
        self.tags, self.addresses, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for key, value in attrs:
            if key in {"src", "href", "xlink:href", "action"}:
                self.addresses.append(value)
            if key == "id":
                self.ids.append(value)


def test_the_page_stands_alone(texts):
    page = Outline()
    page.feed(texts["report.html"])
    assert all(address.startswith("#") for address in page.addresses)
    assert len(set(page.ids)) == len(page.ids)
    assert {address[1:] for address in page.addresses} <= set(page.ids)
    assert page.tags.count("h1") == 1
    assert "script" not in page.tags
    assert "@import" not in texts["report.html"]
    assert "url(http" not in texts["report.html"]


def test_the_page_says_what_was_done(texts):
    text = html.unescape(re.sub(r"<[^>]+>", " ", texts["report.html"]))
    for words in (
        "without any sickness benefit, work assessment allowance",
        "Efron's method",
        "Counts from 1 to 4 are withheld",
        "workplace visit against ordinary",
        "age outside 18 to 66 years",
        "People with a missing value of a predictor were left out",
        "Log-rank test",
    ):
        assert words in text, words


def test_headlines_are_the_key_figures(done):
    assert any("people in the cohort" in line for line in done.headlines)
    assert any("workplace visit against ordinary" in line for line in done.headlines)
