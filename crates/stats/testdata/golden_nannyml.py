#!/usr/bin/env python3
"""Estimated performance and univariate drift of NannyML: golden_nannyml.json."""
import os
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.filterwarnings("ignore")
import nannyml
import numpy as np
import pandas as pd
from golden_inputs import lcg, probabilities, samples, scorer, tables, write
from nannyml.drift.univariate.methods import FeatureType, MethodFactory
from nannyml.chunk import DefaultChunker
from nannyml.thresholds import ConstantThreshold

BINARY = ["roc_auc", "average_precision", "f1", "precision", "recall", "specificity", "accuracy"]
RESAMPLED = ("sampling_error", "upper_confidence_boundary", "lower_confidence_boundary")
VALUE = [[1.0, -2.0], [-5.0, 10.0]]


def estimates(frame, metric):
    table = frame[metric]
    out = {"value": table["value"].tolist()}
    for column in ("sampling_error", "upper_confidence_boundary", "lower_confidence_boundary", "lower_threshold",
                   "upper_threshold", "realized", "alert"):
        # The error of average precision is resampled without a seed: it is another in each run.
        if column in table and not (metric == "average_precision" and column in RESAMPLED):
            out[column] = table[column].tolist()
    return out


def cbpe(chunks):
    p, y, q = scorer()
    reference = pd.DataFrame({"s": p, "p": (p >= 0.5).astype(int), "y": y})
    current = pd.DataFrame({"s": q, "p": (q >= 0.5).astype(int)})
    estimator = nannyml.CBPE(
        y_pred_proba="s", y_pred="p", y_true="y", metrics=BINARY + ["confusion_matrix", "business_value"],
        business_value_matrix=VALUE, problem_type="classification_binary", chunk_number=chunks)
    estimator.fit(reference)
    frame = estimator.estimate(current).filter(period="analysis").to_df()
    names = BINARY + ["true_positive", "true_negative", "false_positive", "false_negative", "business_value"]
    return {"needs_calibration": bool(estimator.needs_calibration), **{m: estimates(frame, m) for m in names}}


def formulas():
    """The bare formulas on scores taken as probabilities, without calibration."""
    from nannyml.performance_estimation.confidence_based import metrics as m
    _, _, q = scorer()
    decided = (q >= 0.5).astype(int)
    return {"roc_auc": m.estimate_roc_auc(q, q), "average_precision": m.estimate_ap(q, q), "f1": m.estimate_f1(decided, q),
            "precision": m.estimate_precision(decided, q), "recall": m.estimate_recall(decided, q),
            "specificity": m.estimate_specificity(decided, q), "accuracy": m.estimate_accuracy(decided, q),
            "business_value": m.estimate_business_value(decided, q, None, np.array(VALUE)),
            "business_value_per_prediction": m.estimate_business_value(decided, q, "per_prediction", np.array(VALUE))}


def multiclass(calibrate):
    """600 reference rows of three classes, 300 without labels. Left to itself NannyML calibrates a class only if a
    seeded cross-validation says that it helps; here all or none are."""
    from nannyml.calibration import IsotonicCalibrator, NoopCalibrator
    from nannyml.performance_estimation.confidence_based import cbpe
    cbpe.needs_calibration = lambda *_, **__: calibrate
    p, q = probabilities(600, 41), probabilities(300, 71)
    draw = lcg(600, 47)
    y = np.where(draw < p[:, 0], 0, np.where(draw < p[:, 0] + p[:, 1], 1, 2))
    frame = lambda v: pd.DataFrame({"p0": v[:, 0], "p1": v[:, 1], "p2": v[:, 2], "d": v.argmax(1)})
    estimator = nannyml.CBPE(
        y_pred_proba={0: "p0", 1: "p1", 2: "p2"}, y_pred="d", y_true="y", metrics=BINARY + ["confusion_matrix"],
        problem_type="classification_multiclass", chunk_number=1,
        calibrator=IsotonicCalibrator() if calibrate else NoopCalibrator())
    estimator.fit(frame(p).assign(y=y))
    out = estimator.estimate(frame(q)).filter(period="analysis").to_df()
    confusion = [[out[(f"true_{i}_pred_{j}", "value")].iloc[0] for j in range(3)] for i in range(3)]
    return {"labels": np.bincount(y), "confusion": confusion, **{m: estimates(out, m) for m in BINARY}}


def drift():
    """Univariate distances: the reference fits, the current is one chunk."""
    def value(key, kind, reference, current):
        method = MethodFactory.create(key=key, feature_type=kind, chunker=DefaultChunker(), threshold=ConstantThreshold())
        try:
            method.fit(pd.Series(reference, name="x"))
            return method.calculate(pd.Series(current, name="x"))
        except Exception as error:
            return type(error).__name__
    numeric = {}
    for name, (a, b) in samples().items():
        edges = np.histogram_bin_edges(a, bins="doane")
        numeric[name] = {"doane_edges": edges, **{key: value(key, FeatureType.CONTINUOUS, a, b) for key in
                         ("jensen_shannon", "kolmogorov_smirnov", "wasserstein", "hellinger")}}
    spell = lambda counts: np.repeat([f"k{i:03d}" for i in range(len(counts))], counts)
    categorical = {name: {key: value(key, FeatureType.CATEGORICAL, spell(x), spell(y)) for key in
                          ("jensen_shannon", "chi2", "l_infinity", "hellinger")} for name, (x, y) in tables().items()}
    return {"numeric": numeric, "categorical": categorical}


write({"formulas_without_calibration": formulas(), "cbpe_one_chunk": cbpe(1), "cbpe_two_chunks": cbpe(2),
       "business_value_matrix": VALUE, "multiclass_uncalibrated": multiclass(False),
       "multiclass_isotonic": multiclass(True), "drift": drift()}, nannyml=nannyml.__version__)
