"""The complete scores of the first wave, which hazards may depend on."""

from __future__ import annotations

from collections.abc import Mapping

from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.questionnaires.declaration import Answers


def draw_baseline(answers: Answers, persons: Ints, covariates: Mapping[str, Floats], *, seed: int) -> dict[str, Floats]:
    """Draw every score at the first wave, with no item missing.

    Parameters
    ----------
    answers
        The declaration.
    persons
        Numbers of the people over the whole register, shape (n,).
    covariates
        Name -> values, shape (n,): those that `Score.depends` names.
    seed
        The seed of the register.

    Returns
    -------
    dict
        Score name ("fabq_w") -> scores, shape (n,): what `score` gives for the drawn items of that wave.

    Raises
    ------
    ArgumentError
        When a covariate is missing, or no items can meet the targets.
    """
    raise NotImplementedError
