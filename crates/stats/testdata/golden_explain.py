"""SHAP values of trees: prints golden_explain.json. Models are trained on integer formulas; trees are plain arrays."""

import json

import lightgbm
import numpy as np
import shap
import sklearn
import xgboost
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

ROWS, BACKGROUND, FEATURES = 12, 8, 5


def cells(rows, start):
    """Numbers in 0..1 by an integer formula; some are missing in the last column."""
    index = np.arange(rows)[:, None] + start
    column = np.arange(FEATURES)[None, :]
    table = ((index * index * 37 + index * 101 + column * column * 53 + index * column * 29) % 1009) / 1009
    return np.round(table, 4)


def with_missing(table):
    table = table.copy()
    table[::5, FEATURES - 1] = np.nan
    return table


X = cells(600, 0)
Y = X[:, 0] + 2 * X[:, 1] * X[:, 2] - X[:, 3] ** 2
CLASS = np.digitize(Y, np.quantile(Y, [0.35, 0.7]))
# Off the thresholds, which lie halfway between rounded numbers: shap 0.51.0 compares doubles where scikit-learn compares
# single precision, and goes astray on them.
TEST, OTHERS = cells(ROWS, 5000) + 0.00002, cells(BACKGROUND, 9000) + 0.00002


def xgboost_trees(booster):
    """Thresholds are single precision, as the model's: left is value < threshold, in single precision."""
    model = json.loads(booster.save_raw("json"))["learner"]
    trees = []
    for tree, group in zip(model["gradient_booster"]["model"]["trees"], model["gradient_booster"]["model"]["tree_info"]):
        trees.append({"output": group, "left": tree["left_children"], "right": tree["right_children"],
                      "feature": tree["split_indices"], "threshold": tree["split_conditions"],
                      "missing_left": tree["default_left"], "value": [[v] for v in tree["base_weights"]],
                      "cover": tree["sum_hessian"], "rule": "below_single"})
    return trees


def lightgbm_trees(booster, outputs):
    trees = []
    for number, info in enumerate(booster.dump_model()["tree_info"]):
        tree = {key: [] for key in ("left", "right", "feature", "threshold", "missing_left", "value", "cover", "set")}

        def add(node, tree=tree):
            at = len(tree["left"])
            for column in tree.values():
                column.append(None)
            is_leaf = "leaf_value" in node
            tree["value"][at] = [node["leaf_value"] if is_leaf else 0.0]
            tree["cover"][at] = node.get("leaf_count", node.get("internal_count"))
            categories = not is_leaf and node["decision_type"] == "=="
            tree["feature"][at] = 0 if is_leaf else node["split_feature"]
            tree["threshold"][at] = 0.0 if is_leaf or categories else node["threshold"]
            tree["set"][at] = [int(c) for c in node["threshold"].split("||")] if categories else []
            tree["missing_left"][at] = 0 if is_leaf else int(node["default_left"] and not categories)
            tree["left"][at] = -1 if is_leaf else add(node["left_child"])
            tree["right"][at] = -1 if is_leaf else add(node["right_child"])
            return at

        add(info["tree_structure"])
        trees.append({"output": number % outputs, "rule": "at_most", **tree})
    return trees


def sklearn_tree(tree, scale, values):
    """Thresholds are doubles, values are rounded to single precision before they are compared."""
    nodes = tree.node_count
    return {"output": 0, "left": tree.children_left.tolist(), "right": tree.children_right.tolist(),
            "feature": np.maximum(tree.feature, 0).tolist(), "threshold": tree.threshold.tolist(),
            "missing_left": [0] * nodes, "value": (values * scale).tolist(),
            "cover": tree.weighted_n_node_samples.tolist(), "rule": "at_most_single"}


def rounded(values):
    return np.asarray(values, dtype=float).round(12).tolist()


def by_output(values, outputs):
    """Values as output, row, feature(, feature)."""
    if isinstance(values, list):
        return [rounded(v) for v in values]
    values = np.asarray(values)
    return [rounded(values)] if outputs == 1 and values.shape[-1] == FEATURES else [rounded(values[..., k]) for k in range(outputs)]


def case(name, model, trees, margin, outputs, test, others, interactions=True, probability=False):
    """Base values are checked against the mean margin of the background: that of shap 0.51.0 is wrong for the last class
    of XGBoost's multiclass models, and kept beside it."""
    margins = margin(test)
    path, reference = shap.TreeExplainer(model), shap.TreeExplainer(model, others, feature_perturbation="interventional")
    found = {"name": name, "trees": trees, "margins": rounded(margins.reshape(ROWS, -1)),
             "path_dependent": by_output(path.shap_values(test, check_additivity=False), outputs),
             "interventional": by_output(reference.shap_values(test, check_additivity=False), outputs), "outputs": outputs,
             "path_base": rounded(np.atleast_1d(path.expected_value)),
             "background_base": rounded(margin(others).reshape(len(others), -1).mean(0)),
             "background_base_of_shap": rounded(np.atleast_1d(reference.expected_value))}
    found["missing"] = bool(np.isnan(test).any())
    if interactions:
        found["interactions"] = by_output(path.shap_interaction_values(test), outputs)
    if probability:
        bent = shap.TreeExplainer(model, others, feature_perturbation="interventional", model_output="probability")
        found["probability"] = rounded(bent.shap_values(test, check_additivity=False))
        found["probability_base"] = float(np.atleast_1d(bent.expected_value)[0])
    return found


def main():
    missing = with_missing(X)
    test, others = with_missing(TEST), with_missing(OTHERS)
    cases = []
    one = xgboost.XGBClassifier(n_estimators=4, max_depth=4, n_jobs=1, base_score=0.5).fit(missing, CLASS > 0)
    cases.append(case("xgboost", one, xgboost_trees(one.get_booster()), lambda x: one.predict(x, output_margin=True), 1, test, others,
                      probability=True))
    many = xgboost.XGBClassifier(n_estimators=2, max_depth=3, n_jobs=1).fit(X, CLASS)
    cases.append(case("xgboost multiclass", many, xgboost_trees(many.get_booster()), lambda x: many.predict(x, output_margin=True), 3, TEST, OTHERS))
    light = lightgbm.LGBMClassifier(n_estimators=4, num_leaves=12, n_jobs=1, verbose=-1).fit(missing, CLASS > 0)
    cases.append(case("lightgbm", light, lightgbm_trees(light.booster_, 1), lambda x: light.predict(x, raw_score=True), 1, test, others))
    boosted = GradientBoostingClassifier(n_estimators=4, max_depth=4, random_state=0).fit(X, CLASS > 0)
    trees = [sklearn_tree(t[0].tree_, 0.1, t[0].tree_.value[:, 0, :]) for t in boosted.estimators_]
    cases.append(case("scikit-learn boosting", boosted, trees, boosted.decision_function, 1, TEST, OTHERS))
    forest = RandomForestClassifier(n_estimators=3, max_depth=4, random_state=0).fit(X, CLASS)
    trees = [sklearn_tree(t.tree_, 1 / 3, t.tree_.value[:, 0, :]) for t in forest.estimators_]
    cases.append(case("scikit-learn forest", forest, trees, forest.predict_proba, 3, TEST, OTHERS, interactions=False))
    print(json.dumps({"versions": {"shap": shap.__version__, "xgboost": xgboost.__version__, "lightgbm": lightgbm.__version__,
                                   "scikit-learn": sklearn.__version__},
                      "rows": TEST.tolist(), "background": OTHERS.tolist(), "cases": cases}))


main()
