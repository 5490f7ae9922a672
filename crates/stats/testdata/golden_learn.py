#!/usr/bin/env python3
"""golden_learn.json: scikit-learn's linear models on inputs made by formula."""

import json

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

assert sklearn.__version__ == "1.9.1"
ROWS = 240


def lcg(n, z):
    found = []
    for _ in range(n):
        z = (1103515245 * z + 12345) & 0x7FFFFFFF
        found.append(z / 2147483648.0)
    return found


columns = np.array([lcg(ROWS, seed) for seed in (3, 5, 7, 11)]).T
columns[:, 1] = columns[:, 1] * 1000 + 50
noise = np.array(lcg(ROWS, 13))
rows = StandardScaler().fit_transform(columns)
place = columns[:, 0] + columns[:, 1] / 1000 - columns[:, 2] + 0.6 * noise
classes = np.digitize(place, [0.6, 1.1])
target = 3 * columns[:, 0] - columns[:, 1] / 100 + noise
weights = 0.5 + np.array(lcg(ROWS, 17))
found = {"versions": {"scikit-learn": sklearn.__version__}, "classes": classes.tolist()}
for ridge in (0.1, 1.0, 30.0):
    settings = {"C": 1 / ridge, "solver": "newton-cholesky", "tol": 1e-14, "max_iter": 10_000}
    model = LogisticRegression(**settings).fit(rows, classes)
    weighted = LogisticRegression(**settings).fit(rows, classes, weights)
    # Ends some 1e-7 before the minimum, whatever the tolerance.
    early = LogisticRegression(**settings | {"solver": "lbfgs", "tol": 1e-10}).fit(rows, classes, weights)
    binary = LogisticRegression(**settings).fit(rows, classes == 2)
    linear = Ridge(ridge, solver="cholesky").fit(rows, target, weights)
    found[str(ridge)] = {
        "multinomial": [[i, *c] for i, c in zip(model.intercept_.tolist(), model.coef_.tolist())],
        "weighted": [[i, *c] for i, c in zip(weighted.intercept_.tolist(), weighted.coef_.tolist())],
        "lbfgs": [[i, *c] for i, c in zip(early.intercept_.tolist(), early.coef_.tolist())],
        "probabilities": model.predict_proba(rows[:5]).tolist(),
        "binary": [float(binary.intercept_[0]), *binary.coef_[0].tolist()],
        "linear": [float(linear.intercept_), *linear.coef_.tolist()],
    }
print("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(part)}" for name, part in found.items()) + "\n}")
