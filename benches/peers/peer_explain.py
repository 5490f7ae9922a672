"""SHAP values of boosted trees, by shap itself and by our job on the same trees: 10,000 rows of 20 columns, XGBoost, 100
trees of depth 6, a background of 100 rows. The model is learned once and kept in the folder, with its trees as JSON."""

import os

import numpy as np
import peer

ROWS, BACKGROUND, INTERACTIONS = 10_000, 100, 1_000


def learned(folder):
    """The booster, the explained rows and the background."""
    import xgboost

    table = peer.numeric(folder, "reference", 20_000)
    place, booster = os.path.join(folder, "explain-model.json"), xgboost.Booster(params={"nthread": 1})
    if not os.path.exists(place):
        noise = np.random.default_rng(9).standard_normal(len(table))
        target = table[:, 0] + 0.5 * table[:, 1] * table[:, 4] - table[:, 7] + noise > 0.3
        parameters = {"objective": "binary:logistic", "max_depth": 6, "nthread": 1, "seed": 1}
        xgboost.train(parameters, xgboost.DMatrix(table, target), 100).save_model(place)
    booster.load_model(place)
    return booster, table[:ROWS], table[-BACKGROUND:]


def job(kind):
    def work(folder):
        import shap

        booster, rows, background = learned(folder)
        if kind == "interventional":
            explainer = shap.TreeExplainer(booster, background, feature_perturbation="interventional")
            # Through shap's own code: for path-dependent values it would call XGBoost's.
            call = lambda table: explainer.shap_values(table, check_additivity=False)
        elif kind == "interactions":
            explainer, rows = shap.TreeExplainer(booster), rows[:INTERACTIONS]
            call = explainer.shap_interaction_values
        else:
            explainer = shap.TreeExplainer(booster)
            call = lambda table: explainer.shap_values(table, check_additivity=False)
        call(rows[:20])
        found = {}
        cost = peer.measured(lambda: found.update(sum=float(np.abs(call(rows)).sum())))
        return {"version": shap.__version__, **cost, "said": found}

    return work


def predict(folder):
    import xgboost

    booster = learned(folder)[0]
    rows = peer.numeric(folder, "current", 100_000)
    data = xgboost.DMatrix(rows, nthread=1)
    booster.predict(xgboost.DMatrix(rows[:100]), output_margin=True)
    return {"version": xgboost.__version__,
            **peer.measured(lambda: float(booster.predict(data, output_margin=True).sum(dtype=float)))}


def prepare(folder):
    learned(folder)
    return {"cpu_s": 0.0}


JOBS = {f"shap_{kind}": job(kind) for kind in ("path_dependent", "interventional", "interactions")}
JOBS.update(xgboost_predict=predict, shap_prepare=prepare)
