"""Outlier models of scikit-learn and river: jobs of peer.py."""

import os

import numpy as np


def forest_score(folder):
    import sklearn
    from peer import measured, numeric
    from sklearn.ensemble import IsolationForest

    rows = numeric(folder, "reference")
    forest = IsolationForest(n_estimators=100, random_state=1, n_jobs=1).fit(rows)
    forest.score_samples(rows[:1000])
    return {"version": sklearn.__version__, **measured(lambda: float(-forest.score_samples(rows).mean()))}


def half_space_trees(folder):
    import river
    from peer import measured, numeric
    from river import anomaly

    rows = numeric(folder, "reference", 20_000)
    low, high = rows.min(0), rows.max(0)
    events = [{f"n{at:02}": value for at, value in enumerate(row)} for row in (rows - low) / (high - low)]

    def learn():
        trees = anomaly.HalfSpaceTrees(n_trees=25, seed=1)
        scores = 0.0
        for event in events:
            scores += trees.score_one(event)
            trees.learn_one(event)
        return scores

    return {"version": river.__version__, **measured(learn)}


def forest_auc(folder):
    import sklearn
    from peer import column, measured
    from sklearn.ensemble import IsolationForest
    from sklearn.metrics import roc_auc_score

    def areas():
        found = {}
        with open(os.path.join(folder, "sets.txt")) as file:
            for name, width in (line.split() for line in file):
                rows = column(folder, f"set-{name}.f64").reshape(int(width), -1).T
                is_odd = column(folder, f"set-{name}.u32", "<u4")
                found[name] = float(np.mean([
                    roc_auc_score(is_odd, -IsolationForest(random_state=seed).fit(rows).score_samples(rows))
                    for seed in range(1, 21)]))
        return {"auc": found}

    return {"version": sklearn.__version__, **measured(areas)}


JOBS = {"sklearn_forest": forest_score, "river_half_space_trees": half_space_trees, "sklearn_forest_auc": forest_auc}
