#!/usr/bin/env python3
"""Drift detectors of Alibi Detect: golden_alibi.json. It computes in 32 bits: 1e-6 is what to expect.

Alibi Detect is under a licence that forbids use in production without a contract; this only reads its numbers.
"""
import warnings

warnings.filterwarnings("ignore")
import alibi_detect
import numpy as np
from alibi_detect.cd import ChiSquareDrift, CVMDrift, FETDrift, KSDrift, TabularDrift
from golden_inputs import lcg, samples, tables, write


def pair(result):
    data = result["data"]
    return {"statistic": float(data["distance"][0]), "p": float(data["p_val"][0])}


def numeric(a, b):
    column = lambda x: x.reshape(-1, 1).astype(np.float32)
    return {"ks": pair(KSDrift(column(a)).predict(column(b))), "cvm": pair(CVMDrift(column(a)).predict(column(b)))}


def categorical(x, y):
    spell = lambda counts: np.repeat(np.arange(len(counts)), counts).reshape(-1, 1)
    out = {"chi_square": pair(ChiSquareDrift(spell(x)).predict(spell(y)))}
    if len(x) == 2:
        out["fisher_greater"] = pair(FETDrift(spell(x), alternative="greater").predict(spell(y)))
        out["fisher_two_sided"] = pair(FETDrift(spell(x), alternative="two-sided").predict(spell(y)))
    return out


def corrections():
    """Five columns, one of which moved: the threshold of both corrections."""
    reference = np.stack([lcg(200, 101 + 2 * k) for k in range(5)], 1).astype(np.float32)
    current = np.stack([lcg(150, 201 + 2 * k) for k in range(5)], 1).astype(np.float32)
    current[:, 2] += np.float32(0.2)
    out = {}
    for correction in ("bonferroni", "fdr"):
        data = TabularDrift(reference, correction=correction).predict(current)["data"]
        out[correction] = {"is_drift": int(data["is_drift"]), "threshold": float(data["threshold"]), "p": data["p_val"]}
    return out


write({"numeric": {k: numeric(a, b) for k, (a, b) in samples().items()},
       "categorical": {k: categorical(x, y) for k, (x, y) in tables().items()},
       "corrections": corrections()}, **{"alibi-detect": alibi_detect.__version__})
