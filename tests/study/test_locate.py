"""Every key of a study file is found on its own line."""

import tomllib

from rtwcohort.study.locate import key_lines, line_of

TEXT = '''# a comment with [brackets] and = signs
[study]
title = "a # in a string" # and a comment
authors = ['A "quoted" name', "B"]

[register.columns.benefits]
start = "fom"
"end" = "tom"

[cohort]
eligibility = [
  { require = "age_at_index", min = 18, max = 66 },
  # between
  { require = "on_benefit_at_index", benefits = ["a",
    "b"] },
]
labels.age = """Age
over two lines"""
last = 2024-12-31

[[contrasts]]
kind = "x"

[[contrasts]]
kind = "y"
[contrasts.where]
state = "ky"
'''


def paths(value, path=()):
    """Naive list of every path that tomllib's own result holds."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += paths(item, (*path, key))
    return found


def test_every_path_has_a_line():
    assert set(paths(tomllib.loads(TEXT))) <= set(key_lines(TEXT))


def test_lines_are_the_lines_of_the_keys():
    lines = key_lines(TEXT)
    rows = TEXT.splitlines()
    for path, line in lines.items():
        if isinstance(path[-1], str):
            assert path[-1] in rows[line - 1], path
    assert lines[("cohort", "eligibility", 0, "min")] == 12
    assert lines[("cohort", "eligibility", 1, "benefits")] == 14
    assert lines[("cohort", "eligibility", 1, "benefits", 1)] == 15
    assert lines[("cohort", "labels", "age")] == 17
    assert lines[("cohort", "last")] == 19
    assert lines[("contrasts", 1, "kind")] == 25
    assert lines[("contrasts", 1, "where", "state")] == 27


def test_line_of_falls_back_to_the_nearest_section():
    lines = key_lines(TEXT)
    assert line_of(lines, ("study", "titel")) == 2
    assert line_of(lines, ("outcome",)) is None
