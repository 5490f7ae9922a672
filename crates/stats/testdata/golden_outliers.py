#!/usr/bin/env python3
"""Trees of scikit-learn's isolation forest, and its scores: golden_outliers.json."""
import numpy as np
import sklearn
from golden_inputs import lcg, write
from sklearn.ensemble import IsolationForest


def table(rows, columns, seed):
    """Numbers in [0, 1), the last column a multiple of the first: ties, and values on thresholds."""
    values = lcg(rows * columns, seed).reshape(rows, columns)
    values[:, -1] = np.floor(values[:, 0] * 8) / 4
    return values


def parts(tree, columns):
    """Nodes as [feature, threshold, left, right], leaves as [rows]."""
    tree = tree.tree_
    return [[int(columns[tree.feature[at]]), float(tree.threshold[at]), int(tree.children_left[at]),
             int(tree.children_right[at])] if tree.children_left[at] >= 0 else [int(tree.n_node_samples[at])]
            for at in range(tree.node_count)]


out = {}
for name, sample, trees in (("small", 32, 12), ("usual", 256, 3)):
    rows = table(400, 4, sample)
    forest = IsolationForest(n_estimators=trees, max_samples=sample, random_state=3).fit(rows)
    judged = table(120, 4, 77)
    judged[::10] *= 3
    out[name] = {
        "sample": sample,
        "trees": [parts(tree, columns) for tree, columns in zip(forest.estimators_, forest.estimators_features_)],
        "scores": [float(score) for score in -forest.score_samples(judged)]}
write(out, **{"scikit-learn": sklearn.__version__})
