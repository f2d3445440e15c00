"""Published figures measured on a simulated register, as a user of the package would."""

from rtwcohort.simulate.measures.registry import ESTIMATORS, MEASURES, Estimator, check_measure, measure
from rtwcohort.simulate.measures.simulated import Simulated

__all__ = ["ESTIMATORS", "MEASURES", "Estimator", "Simulated", "check_measure", "measure"]
