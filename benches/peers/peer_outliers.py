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


def labelled(folder, kind):
    """Name, rows, labels, and seeds to average over, of each set or stream."""
    from peer import column

    with open(os.path.join(folder, f"{kind}s.txt")) as file:
        for name, width, seeds in (line.split() for line in file):
            rows = column(folder, f"{kind}-{name}.f64").reshape(int(width), -1).T
            yield name, rows, column(folder, f"{kind}-{name}.u32", "<u4"), range(1, int(seeds) + 1)


def half_space_trees_auc(folder):
    """Each row is scored before it is learned; the first 500 are not judged. These trees want numbers in [0, 1]: they get
    the range of the whole stream, which nobody knows beforehand."""
    import river
    from peer import measured
    from river import anomaly
    from sklearn.metrics import roc_auc_score

    def area(rows, is_odd, seed):
        low, width = rows.min(0), np.ptp(rows, 0)
        trees = anomaly.HalfSpaceTrees(n_trees=25, seed=seed)
        scores = []
        for row in (rows - low) / np.where(width > 0, width, 1):
            event = dict(enumerate(row))
            scores.append(trees.score_one(event))
            trees.learn_one(event)
        return roc_auc_score(is_odd[500:], scores[500:])

    streams = list(labelled(folder, "stream"))
    areas = lambda: {"auc": {name: float(np.mean([area(rows, is_odd, seed) for seed in seeds]))
                             for name, rows, is_odd, seeds in streams}}
    return {"version": river.__version__, **measured(areas)}


def forest_auc(folder):
    import sklearn
    from peer import measured
    from sklearn.ensemble import IsolationForest
    from sklearn.metrics import roc_auc_score

    def areas():
        found = {}
        for name, rows, is_odd, seeds in labelled(folder, "set"):
            found[name] = float(np.mean([
                roc_auc_score(is_odd, -IsolationForest(random_state=seed).fit(rows).score_samples(rows))
                for seed in seeds]))
        return {"auc": found}

    return {"version": sklearn.__version__, **measured(areas)}


JOBS = {"sklearn_forest": forest_score, "river_half_space_trees": half_space_trees, "sklearn_forest_auc": forest_auc,
        "river_half_space_trees_auc": half_space_trees_auc}
