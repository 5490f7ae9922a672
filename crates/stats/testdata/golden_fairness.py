#!/usr/bin/env python3
"""Fairlearn's metrics by group and its gaps over crossed groups, some tiny or one-sided: golden_fairness.json."""
import fairlearn
import numpy as np
import pandas as pd
from fairlearn import metrics
from golden_inputs import lcg, write
from sklearn.metrics import accuracy_score, precision_score

SIZES = [400, 300, 200, 150, 100, 80, 60, 40, 25, 12, 3, 1]
BY_GROUP = {"selection_rate": metrics.selection_rate, "true_positive_rate": metrics.true_positive_rate,
            "false_positive_rate": metrics.false_positive_rate,
            "precision": lambda y, d: precision_score(y, d, zero_division=np.nan), "accuracy": accuracy_score}
GAPS = ["demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference",
        "equalized_odds_ratio", "equal_opportunity_difference", "equal_opportunity_ratio"]

groups = np.repeat(np.arange(12), SIZES)
draw, other = lcg(len(groups), 5), lcg(len(groups), 29)
labels = draw < 0.35 + 0.02 * (groups % 5)
labels[groups == 8] = False
labels[groups == 10] = True
decisions = other < 0.2 + 0.45 * labels - 0.03 * (groups % 4)
decisions[groups == 7] = True
decisions[groups == 9] = False
crossed = pd.DataFrame({"a": groups // 6, "b": groups // 2 % 3, "c": groups % 2})


def gaps(chosen):
    return {name: getattr(metrics, name)(labels[chosen], decisions[chosen], sensitive_features=crossed[chosen])
            for name in GAPS}


frame = metrics.MetricFrame(metrics=BY_GROUP, y_true=labels, y_pred=decisions, sensitive_features=crossed)
write({"by_group": {name: frame.by_group[name].to_numpy() for name in BY_GROUP},
       # Where each metric counts somebody in every group; and more, where Fairlearn takes nobody as zero.
       "two_sided": gaps(groups < 7), "nine": gaps(groups < 9), "all": gaps(groups < 12)},
      fairlearn=fairlearn.__version__)
