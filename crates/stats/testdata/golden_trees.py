#!/usr/bin/env python3
"""Small models of XGBoost, LightGBM and scikit-learn (as ONNX), what they predict, and what shap says of it.

Writes the models to models/ and the values to golden_trees.json. Rows have missing values, zeros of both signs, numbers
on thresholds and huge ones; they stand in the file, a missing value as null.
"""
import json
import os
import pathlib
import re
import warnings

os.environ["OMP_NUM_THREADS"] = "1"
warnings.filterwarnings("ignore")

import lightgbm  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import pandas  # noqa: E402
import shap  # noqa: E402
import skl2onnx  # noqa: E402
import sklearn  # noqa: E402
import xgboost  # noqa: E402
from golden_inputs import lcg, write  # noqa: E402
from skl2onnx.common.data_types import FloatTensorType  # noqa: E402
from sklearn import ensemble, tree  # noqa: E402

MODELS = pathlib.Path(__file__).resolve().parent / "models"
MODELS.mkdir(exist_ok=True)
COLUMNS = 5


def table(rows, seed, missing=True):
    """Even numbers in [-2, 2), the fourth column with four values, the fifth with few and both zeros."""
    x = lcg(rows * COLUMNS, seed).reshape(rows, COLUMNS) * 4 - 2
    x[:, 3] = np.floor(x[:, 3] + 2)
    x[:, 4] = np.round(x[:, 4] * 2) / 2
    if missing:
        x[::7, 0] = np.nan
        x[3::11, 4] = np.nan
    return x


def truth(x):
    z = np.nan_to_num(x)
    return z[:, 0] + z[:, 1] * (z[:, 3] == 2) - 0.5 * z[:, 2] * z[:, 4] + 0.3 * np.sin(3 * z[:, 1])


def judged_rows(missing=True):
    x = table(36, 99, missing)
    x[5], x[6] = 1e30, -1e30
    x[7, 4], x[8, 4] = 0.0, -0.0
    x[9] = np.float32(x[9]) if missing else x[9]
    return x


TRAIN, JUDGED = table(600, 5), judged_rows()
PLAIN, PLAIN_JUDGED = table(600, 5, False).astype(np.float32), judged_rows(False).astype(np.float32)
BACKGROUND = table(15, 31)
SCORE = truth(TRAIN)
BINARY = (SCORE + lcg(600, 3) > 0.5).astype(int)
CLASSES = np.digitize(SCORE, [-0.6, 0.6])
PLAIN_SCORE = truth(PLAIN.astype(float))
PLAIN_BINARY, PLAIN_CLASSES = (PLAIN_SCORE > 0).astype(int), np.digitize(PLAIN_SCORE, [-0.6, 0.6])


def explained(model, rows, background, interactions=False, **more):
    """Values by row, output and column, path-dependent and interventional, and their base values."""
    def of(explainer, what):
        values = np.asarray(getattr(explainer, what)(rows))
        return values if values.ndim == (3 if what == "shap_interaction_values" else 2) else np.moveaxis(values, -1, 1)

    paths = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    out = {"path_dependent": of(paths, "shap_values"), "path_base": np.atleast_1d(paths.expected_value)}
    if background is not None:
        against = shap.TreeExplainer(model, data=background, feature_perturbation="interventional")
        out["interventional"] = of(against, "shap_values")
        out["interventional_base"] = np.atleast_1d(against.expected_value)
    if interactions:
        out["interactions"] = of(paths, "shap_interaction_values")
    return out


out = {"columns": COLUMNS, "rows": JUDGED, "plain_rows": PLAIN_JUDGED.astype(float), "background": BACKGROUND,
       "plain_background": BACKGROUND[~np.isnan(BACKGROUND).any(1)].astype(np.float32).astype(float)}


def xgb(name, target, rounds=5, shap_values=True, categories=False, interactions=False, **parameters):
    frame = lambda x: pandas.DataFrame(x, columns=[f"f{i}" for i in range(COLUMNS)]).astype(
        {"f3": "category"} if categories else {})
    train = frame(TRAIN)
    if categories:
        train["f3"] = pandas.Categorical(TRAIN[:, 3].astype(int), categories=[0, 1, 2, 3])
    rows = frame(JUDGED if not categories else np.where(np.abs(JUDGED) > 1e20, 1.0, JUDGED))
    if categories:
        rows["f3"] = pandas.Categorical(np.nan_to_num(rows["f3"].astype(float)).astype(int), categories=[0, 1, 2, 3])
    settings = {"max_depth": 3, "eta": 0.4, "nthread": 1, "seed": 1, **parameters}
    data = xgboost.DMatrix(train, target, enable_categorical=categories)
    booster = xgboost.train(settings, data, rounds)
    booster.save_model(MODELS / f"xgboost_{name}.json")
    booster.save_model(MODELS / f"xgboost_{name}.ubj")
    judged = xgboost.DMatrix(rows, enable_categorical=categories)
    entry = {"margins": booster.predict(judged, output_margin=True).astype(float),
             "predictions": booster.predict(judged).astype(float)}
    if categories:
        entry["rows"] = np.where(np.abs(JUDGED) > 1e20, 1.0, JUDGED)
    if shap_values:
        entry.update(explained(booster, JUDGED, BACKGROUND, interactions))
    out[f"xgboost_{name}"] = entry


xgb("binary", BINARY, objective="binary:logistic", interactions=True)
xgb("regression", SCORE, objective="reg:squarederror", base_score=0.7)
xgb("multiclass", CLASSES, 3, objective="multi:softprob", num_class=3)
xgb("poisson", np.floor(np.exp(np.clip(SCORE, -2, 2))), objective="count:poisson")
xgb("dart", SCORE, booster="dart", rate_drop=0.4, shap_values=False)
# shap 0.51.0 refuses boosted random forests.
xgb("forest", SCORE, 2, num_parallel_tree=3, subsample=0.7, shap_values=False)
xgb("categories", SCORE, categories=True, shap_values=False, max_cat_to_onehot=2)
xgb("one_hot", SCORE, categories=True, shap_values=False, max_cat_to_onehot=9)


def lgb(name, target, rounds=5, shap_values=True, categories=(), **parameters):
    settings = {"num_leaves": 7, "learning_rate": 0.4, "num_threads": 1, "verbose": -1, "min_data_in_leaf": 10,
                "deterministic": True, "seed": 1, **parameters}
    data = lightgbm.Dataset(TRAIN, target, categorical_feature=list(categories), free_raw_data=False)
    booster = lightgbm.train(settings, data, rounds)
    text = booster.model_to_string()
    # The parameters of the training are long and say nothing of the model.
    (MODELS / f"lightgbm_{name}.txt").write_text(re.sub(r"\nparameters:.*?end of parameters\n", "\n", text, flags=re.S))
    (MODELS / f"lightgbm_{name}.json").write_text(json.dumps(booster.dump_model()))
    entry = {"margins": booster.predict(JUDGED, raw_score=True), "predictions": booster.predict(JUDGED)}
    if shap_values:
        entry.update(explained(booster, JUDGED, BACKGROUND))
    out[f"lightgbm_{name}"] = entry


lgb("binary", BINARY, objective="binary")
lgb("regression", SCORE, objective="regression")
lgb("multiclass", CLASSES, 3, objective="multiclass", num_class=3)
lgb("poisson", np.floor(np.exp(np.clip(SCORE, -2, 2))), objective="poisson")
lgb("forest", SCORE, 4, objective="regression", boosting="rf", bagging_freq=1, bagging_fraction=0.6, shap_values=False)
lgb("categories", SCORE, objective="regression", categories=[3], shap_values=False, min_data_per_group=5,
    max_cat_to_onehot=1, cat_smooth=1.0)
lgb("zero_as_missing", SCORE, objective="regression", zero_as_missing=True, shap_values=False)
lgb("no_missing", SCORE, objective="regression", use_missing=False, shap_values=False)


def onnx(name, model, target, classes=False, background=True):
    model.fit(PLAIN, target)
    options = {id(model): {"zipmap": False}} if classes else None
    made = skl2onnx.convert_sklearn(model, initial_types=[("x", FloatTensorType([None, COLUMNS]))], options=options,
                                    target_opset={"": 17, "ai.onnx.ml": 3})
    (MODELS / f"onnx_{name}.onnx").write_bytes(made.SerializeToString())
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = session.run(None, {"x": PLAIN_JUDGED})
    entry = {"predictions": np.asarray(answers[-1], float).reshape(len(PLAIN_JUDGED), -1)}
    entry.update(explained(model, PLAIN_JUDGED, out["plain_background"] if background else None))
    out[f"onnx_{name}"] = entry


small = {"max_depth": 3, "random_state": 1}
onnx("boosted_regression", ensemble.GradientBoostingRegressor(n_estimators=5, **small), PLAIN_SCORE)
onnx("boosted_binary", ensemble.GradientBoostingClassifier(n_estimators=5, **small), PLAIN_BINARY, classes=True)
onnx("forest_regression", ensemble.RandomForestRegressor(n_estimators=5, **small), PLAIN_SCORE)
onnx("forest_multiclass", ensemble.RandomForestClassifier(n_estimators=4, **small), PLAIN_CLASSES, classes=True)
onnx("tree_regression", tree.DecisionTreeRegressor(max_depth=4, random_state=1), PLAIN_SCORE)

write(out, xgboost=xgboost.__version__, lightgbm=lightgbm.__version__, onnxruntime=onnxruntime.__version__,
      shap=shap.__version__, **{"skl2onnx": skl2onnx.__version__, "scikit-learn": sklearn.__version__})
