#!/usr/bin/env python3
"""Metrics and calibration of scikit-learn: golden_metrics.json."""
import numpy as np
import scipy
import sklearn
from golden_inputs import lcg, probabilities, scorer, write
from sklearn import metrics as m
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression


def binary():
    """400 scores on a grid of 40, so that many tie; labels likelier where the score is high."""
    scores = np.floor(lcg(400, 31) * 40) / 40
    labels = (lcg(400, 33) < 0.15 + 0.7 * scores).astype(int)
    weights = 1.0 + np.floor(lcg(400, 35) * 4)
    decided = (scores >= 0.5).astype(int)
    out = {"n": 400, "positive": labels.sum(), "decided_positive": decided.sum(), "sum_scores": scores.sum()}
    for name, w in (("plain", None), ("weighted", weights)):
        tn, fp, fn, tp = m.confusion_matrix(labels, decided, sample_weight=w).ravel()
        inside = np.clip(scores, 0.025, 0.975)
        out[name] = {
            "confusion": {"tp": tp, "fp": fp, "fn": fn, "tn": tn},
            "accuracy": m.accuracy_score(labels, decided, sample_weight=w),
            "balanced_accuracy": m.balanced_accuracy_score(labels, decided, sample_weight=w),
            "precision": m.precision_score(labels, decided, sample_weight=w),
            "recall": m.recall_score(labels, decided, sample_weight=w),
            "specificity": m.recall_score(labels, decided, sample_weight=w, pos_label=0),
            "f1": m.f1_score(labels, decided, sample_weight=w),
            "f_half": m.fbeta_score(labels, decided, beta=0.5, sample_weight=w),
            "f2": m.fbeta_score(labels, decided, beta=2.0, sample_weight=w),
            "matthews": m.matthews_corrcoef(labels, decided, sample_weight=w),
            "kappa": m.cohen_kappa_score(labels, decided, sample_weight=w),
            "roc_auc": m.roc_auc_score(labels, scores, sample_weight=w),
            "average_precision": m.average_precision_score(labels, scores, sample_weight=w),
            "log_loss_clipped_to_0.025": m.log_loss(labels, inside, sample_weight=w),
            "brier": m.brier_score_loss(labels, scores, sample_weight=w),
        }
    return out


def multiclass():
    """300 rows of three classes with probabilities."""
    p = probabilities(300, 41)
    draw = lcg(300, 47)
    labels = np.where(draw < p[:, 0], 0, np.where(draw < p[:, 0] + p[:, 1], 1, 2))
    decided = p.argmax(1)
    out = {"n": 300, "labels": np.bincount(labels), "decided": np.bincount(decided),
           "confusion": m.confusion_matrix(labels, decided),
           "accuracy": m.accuracy_score(labels, decided),
           "balanced_accuracy": m.balanced_accuracy_score(labels, decided),
           "matthews": m.matthews_corrcoef(labels, decided), "kappa": m.cohen_kappa_score(labels, decided),
           "log_loss": m.log_loss(labels, p),
           "brier_sum_over_classes": ((p - np.eye(3)[labels]) ** 2).sum(1).mean()}
    for average in ("macro", "micro", "weighted"):
        out[average] = {"precision": m.precision_score(labels, decided, average=average),
                        "recall": m.recall_score(labels, decided, average=average),
                        "f1": m.f1_score(labels, decided, average=average)}
    for average in ("macro", "weighted"):
        out[average]["roc_auc_one_vs_rest"] = m.roc_auc_score(labels, p, multi_class="ovr", average=average)
    return out


def regression():
    truth = 1.0 + 9.0 * lcg(250, 51)
    estimate = truth * (0.8 + 0.4 * lcg(250, 53)) + 0.1
    return {"n": 250, "sum_truth": truth.sum(), "sum_estimate": estimate.sum(),
            "mae": m.mean_absolute_error(truth, estimate), "mse": m.mean_squared_error(truth, estimate),
            "rmse": m.root_mean_squared_error(truth, estimate),
            "median_absolute_error": m.median_absolute_error(truth, estimate),
            "mape": m.mean_absolute_percentage_error(truth, estimate),
            "smape_of_mean": np.mean(2 * np.abs(estimate - truth) / (np.abs(truth) + np.abs(estimate))),
            "msle": m.mean_squared_log_error(truth, estimate), "rmsle": m.root_mean_squared_log_error(truth, estimate),
            "r2": m.r2_score(truth, estimate), "bias": (estimate - truth).mean(),
            "pinball_0.1": m.mean_pinball_loss(truth, estimate, alpha=0.1),
            "pinball_0.9": m.mean_pinball_loss(truth, estimate, alpha=0.9)}


def ranking():
    """Lists of 12 items: scores without ties, gains of 0 to 3."""
    lists = []
    for k in range(6):
        scores = lcg(12, 61 + 2 * k)
        gains = np.floor(lcg(12, 91 + 2 * k) * 4)
        relevant = gains >= 2
        order = np.argsort(-scores)
        ranked = relevant[order]
        first = np.flatnonzero(ranked)
        lists.append({
            "scores": scores, "gains": gains,
            "ndcg_5": m.ndcg_score([gains], [scores], k=5), "ndcg": m.ndcg_score([gains], [scores]),
            "dcg_5": m.dcg_score([gains], [scores], k=5),
            "average_precision": m.average_precision_score(relevant, scores) if relevant.any() else None,
            "reciprocal_rank": 1.0 / (first[0] + 1) if len(first) else 0.0,
            "precision_5": ranked[:5].mean(), "recall_5": ranked[:5].sum() / max(1, relevant.sum()),
            "hit_5": float(ranked[:5].any())})
    return lists


def calibration():
    """Platt's logistic curve with his target smoothing, as CalibratedClassifierCV(method="sigmoid") fits it."""
    scores, labels, current = scorer()
    out = {"isotonic": [(x, IsotonicRegression(out_of_bounds="clip").fit(scores, labels).predict([x])[0])
                        for x in (0.0, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)]}
    for name, f in (("scores", scores), ("log_odds", np.log(scores / (1 - scores)))):
        fit = platt(f, labels)
        peer = _SigmoidCalibration().fit(f, labels)
        out["platt_" + name] = {"a": fit[0], "b": fit[1], "sklearn_a": peer.a_, "sklearn_b": peer.b_}
    return out


def platt(f, y):
    """Newton steps to machine precision on scikit-learn's objective: P = 1 / (1 + exp(a f + b))."""
    positive, negative = y.sum(), len(y) - y.sum()
    target = np.where(y == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    w = np.array([0.0, np.log((negative + 1) / (positive + 1))])
    x = np.stack([f, np.ones_like(f)], 1)
    for _ in range(100):
        p = 1 / (1 + np.exp(x @ w))
        gradient = x.T @ (target - p)
        hessian = (x * (p * (1 - p))[:, None]).T @ x
        step = np.linalg.solve(hessian, gradient)
        w = w - step
        if np.abs(step).max() < 1e-15:
            break
    return w


write({"binary": binary(), "multiclass": multiclass(), "regression": regression(), "ranking": ranking(),
       "calibration": calibration()}, scipy=scipy.__version__, **{"scikit-learn": sklearn.__version__})
