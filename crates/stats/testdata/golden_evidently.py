#!/usr/bin/env python3
"""Drift scores of Evidently and which test it chooses by itself: golden_evidently.json."""
import os
import warnings

os.environ["DO_NOT_TRACK"] = "1"
warnings.filterwarnings("ignore")
import evidently
import numpy as np
import pandas as pd
from evidently.legacy.calculations.stattests import registry
from evidently.legacy.core import ColumnType
from golden_inputs import lcg, samples, tables, write

NUMERIC = ("psi", "jensenshannon", "wasserstein", "ks", "kl_div", "hellinger", "anderson", "cramer_von_mises", "ed",
           "mannw", "t_test", "es")
# Its TVD is a permutation test without a seed.
CATEGORICAL = ("psi", "jensenshannon", "chisquare", "hellinger", "kl_div", "g_test")


def score(name, kind, reference, current):
    try:
        test = registry.get_registered_stattest(name, kind)
        result = test(pd.Series(reference), pd.Series(current), kind, None)
        return {"score": float(result.drift_score), "threshold": float(result.actual_threshold),
                "drifted": bool(result.drifted)}
    except Exception as error:
        return {"error": type(error).__name__}


def numeric(a, b):
    edges = np.histogram_bin_edges(np.r_[a, b], bins="sturges")
    return {"bins_of_psi_and_js": {"edges": edges, "counts_a": np.histogram(a, edges)[0], "counts_b": np.histogram(b, edges)[0]},
            **{name: score(name, ColumnType.Numerical, a, b) for name in NUMERIC}}


def categorical(x, y):
    spell = lambda counts: np.repeat([f"k{i:03d}" for i in range(len(counts))], counts)
    return {name: score(name, ColumnType.Categorical, spell(x), spell(y)) for name in CATEGORICAL}


def choices():
    """What it does with a column of so many reference rows and distinct values."""
    out = []
    for rows in (500, 1000, 1001, 5000):
        for distinct in (2, 3, 5, 6, 50, 400):
            values = np.floor(lcg(rows, 5) * distinct)
            for kind in (ColumnType.Numerical, ColumnType.Categorical):
                column = pd.Series(values if kind == ColumnType.Numerical else [f"k{int(v)}" for v in values])
                test = registry.get_stattest(column, column, kind, None)
                out.append({"reference_rows": rows, "distinct": distinct, "kind": kind.value, "test": test.name,
                            "threshold": test.default_threshold})
    return out


def one_row_blinds():
    """A shift by one deviation, and the same with one value of 1,000 among the 5,000."""
    reference, current = lcg(50000, 5), lcg(5000, 9) + 0.3
    out = {}
    for name, values in (("clean", current), ("one_row", np.r_[1000.0, current[1:]])):
        out[name] = {test: score(test, ColumnType.Numerical, reference, values)["score"]
                     for test in ("psi", "jensenshannon", "wasserstein", "ks")}
    out["wasserstein_one_row_of_1e6_in_reference"] = score(
        "wasserstein", ColumnType.Numerical, np.r_[1e6, reference[1:]], current)["score"]
    return out


write({"numeric": {k: numeric(a, b) for k, (a, b) in samples().items()},
       "categorical": {k: categorical(x, y) for k, (x, y) in tables().items()},
       "choices": choices(), "one_row_blinds": one_row_blinds()}, evidently=evidently.__version__)
