#!/usr/bin/env python3
"""golden_probing.json: scipy's Shapiro-Wilk test on inputs made by formula."""

import json
import math

import scipy
from scipy.stats import shapiro

assert scipy.__version__ == "1.17.1"
rows = []
for n in (3, 4, 5, 6, 11, 12, 50, 200):
    even = [((i * 37 + 11) % 101) / 101 for i in range(n)]
    for name, values in (
        ("even", even),
        ("exponential", [-math.log(1 - u) for u in even]),
        ("steps", [i % 7 + i * 0.1 for i in range(n)]),
    ):
        found = shapiro(values)
        rows.append([n, name, float(found.statistic), float(found.pvalue)])
print("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]")
