"""The package's front door: every verb it names exists, and unknown names say so."""

import pytest

import rtwcohort


def test_every_verb_exists():
    for name in rtwcohort.__all__:
        assert getattr(rtwcohort, name) is not None
        assert name in dir(rtwcohort)


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'fit_coxx'"):
        rtwcohort.fit_coxx  # noqa: B018 - the access is the test
