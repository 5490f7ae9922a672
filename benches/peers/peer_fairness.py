"""Metrics by group of Fairlearn: a job of peer.py."""

import numpy as np

ROWS = 1_000_000


def unit(place, rows=ROWS):
    """In [0, 1), by SplitMix64 of row and place, as examples/peers/fairness.rs."""
    z = (np.arange(rows, dtype=np.uint64) * np.uint64(64) + np.uint64(place + 1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) / 9007199254740992.0


def metric_frame(_):
    import fairlearn
    import pandas as pd
    from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate
    from peer import measured

    level = lambda place, levels: (levels * unit(place) ** 2).astype(int)
    groups = pd.DataFrame({"a": level(0, 2), "b": level(1, 3), "c": level(2, 2)})
    labels = unit(3) < 0.3
    decisions = 0.6 * unit(4) + 0.3 * labels - 0.05 * groups["b"].to_numpy() >= 0.4
    metrics = {"selection_rate": selection_rate, "true_positive_rate": true_positive_rate}

    def judge(rows=ROWS):
        frame = MetricFrame(metrics=metrics, y_true=labels[:rows], y_pred=decisions[:rows],
                            sensitive_features=groups[:rows])
        return {name: frame.by_group[name].tolist() for name in metrics}

    judge(10_000)
    return {"version": fairlearn.__version__, **measured(judge)}


JOBS = {"fairlearn_metric_frame": metric_frame}
