"""Arrays to estimates: Cox regression, survival curves, log-rank test, cumulative incidence."""

from rtwcohort.core.control import Control
from rtwcohort.models.concordance_index import Concordance, concordance
from rtwcohort.models.count import fit_count
from rtwcohort.models.cox import CoxFit, fit_cox, fit_cox_arrays
from rtwcohort.models.cox_baseline import BaselineHazard, baseline_hazard
from rtwcohort.models.cox_curves import PredictedCurves, predict_curves
from rtwcohort.models.cox_profile import profile_intervals
from rtwcohort.models.cox_residuals import SchoenfeldResiduals, cox_residuals, schoenfeld_residuals
from rtwcohort.models.cox_standardised import StandardisedCurves, standardised_curves
from rtwcohort.models.cox_zph import ProportionalHazardsTest, proportional_hazards_test
from rtwcohort.models.curve_input import RiskSetGapWarning
from rtwcohort.models.curves import Curves, kaplan_meier
from rtwcohort.models.gee_binary import fit_gee
from rtwcohort.models.glm import fit_logistic
from rtwcohort.models.glm_fit import GlmFit
from rtwcohort.models.hazard import HazardCurves, nelson_aalen
from rtwcohort.models.incidence import CumulativeIncidence, cumulative_incidence
from rtwcohort.models.logrank import LogRank, TrendTest, log_rank
from rtwcohort.models.newton import MonotoneLikelihoodWarning
from rtwcohort.models.ordinal import CrossingCurvesWarning, EmptyCategoryWarning, fit_ordinal, fit_ordinal_arrays
from rtwcohort.models.ordinal_brant import BrantTest, brant_test
from rtwcohort.models.ordinal_gee import fit_ordinal_gee, fit_ordinal_gee_arrays
from rtwcohort.models.ordinal_gee_margins import MarginalProbabilities, marginal_probabilities
from rtwcohort.models.ordinal_gee_result import OrdinalGeeFit
from rtwcohort.models.ordinal_gee_warnings import FewClustersWarning, WaveWeightsWarning
from rtwcohort.models.ordinal_margins import (
    AdjustedPredictions,
    MarginalEffects,
    adjusted_predictions,
    marginal_effects,
)
from rtwcohort.models.ordinal_predict import predict_ordinal
from rtwcohort.models.ordinal_profile import compare_ordinal_fits, ordinal_profile_intervals, ordinal_ratio_tests
from rtwcohort.models.ordinal_result import OrdinalFit
from rtwcohort.models.ordinal_score_test import ParallelTest, parallel_lr_test, parallel_score_test
from rtwcohort.models.quantile import fit_quantile
from rtwcohort.models.rmst import RestrictedMean, restricted_mean
from rtwcohort.models.screening import Screening, screen_predictors

__all__ = [
    "AdjustedPredictions",
    "BaselineHazard",
    "BrantTest",
    "Concordance",
    "Control",
    "CoxFit",
    "CrossingCurvesWarning",
    "CumulativeIncidence",
    "Curves",
    "EmptyCategoryWarning",
    "FewClustersWarning",
    "GlmFit",
    "HazardCurves",
    "LogRank",
    "MarginalEffects",
    "MarginalProbabilities",
    "MonotoneLikelihoodWarning",
    "OrdinalFit",
    "OrdinalGeeFit",
    "ParallelTest",
    "PredictedCurves",
    "ProportionalHazardsTest",
    "RestrictedMean",
    "RiskSetGapWarning",
    "SchoenfeldResiduals",
    "Screening",
    "StandardisedCurves",
    "TrendTest",
    "WaveWeightsWarning",
    "adjusted_predictions",
    "baseline_hazard",
    "brant_test",
    "compare_ordinal_fits",
    "concordance",
    "cox_residuals",
    "cumulative_incidence",
    "fit_count",
    "fit_cox",
    "fit_cox_arrays",
    "fit_gee",
    "fit_logistic",
    "fit_ordinal",
    "fit_ordinal_arrays",
    "fit_ordinal_gee",
    "fit_ordinal_gee_arrays",
    "fit_quantile",
    "kaplan_meier",
    "log_rank",
    "marginal_effects",
    "marginal_probabilities",
    "nelson_aalen",
    "ordinal_profile_intervals",
    "ordinal_ratio_tests",
    "parallel_lr_test",
    "parallel_score_test",
    "predict_curves",
    "predict_ordinal",
    "profile_intervals",
    "proportional_hazards_test",
    "restricted_mean",
    "schoenfeld_residuals",
    "screen_predictors",
    "standardised_curves",
]
