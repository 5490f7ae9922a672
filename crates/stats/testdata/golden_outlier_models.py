#!/usr/bin/env python3
"""Outlier models of scikit-learn and PyOD on the same rows: golden_outlier_models.json."""
import warnings

warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import pyod.version  # noqa: E402
import sklearn  # noqa: E402
from golden_inputs import lcg, write  # noqa: E402
from pyod.models.copod import COPOD  # noqa: E402
from pyod.models.ecod import ECOD  # noqa: E402
from pyod.models.hbos import HBOS  # noqa: E402
from sklearn.covariance import MinCovDet  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors  # noqa: E402
from sklearn.svm import OneClassSVM  # noqa: E402


def table(rows, seed):
    """Three columns that go together; every eighth row lies elsewhere."""
    u = lcg(3 * rows, seed).reshape(rows, 3)
    u[:, 1] = 0.6 * u[:, 0] + 0.4 * u[:, 1]
    u[:, 2] = u[:, 2] ** 3 - 0.5 * u[:, 0]
    u[::8] = 2.0 * u[::8] + 1.0
    return u


fitted, judged = table(160, 7), table(40, 19)
machine = OneClassSVM(nu=0.15, gamma=1.5, tol=1e-12, shrinking=False).fit(fitted)
factor = LocalOutlierFactor(n_neighbors=10).fit(fitted)
novelty = LocalOutlierFactor(n_neighbors=10, novelty=True).fit(fitted)
neighbours = NearestNeighbors(n_neighbors=5).fit(fitted)
# Random halves get stuck; of many seeds the one with the least determinant is the estimate that is meant.
shape = min((MinCovDet(random_state=seed).fit(fitted[:40]) for seed in range(300)),
            key=lambda shape: np.linalg.det(shape.raw_covariance_))
pca = PCA(2).fit(fitted)
rest = judged - pca.inverse_transform(pca.transform(judged))
one_by_one = lambda model: [float(model.fit(fitted).decision_function(row[None])[0]) for row in judged]
write({
    "fitted": fitted, "judged": judged,
    "one_class": machine.decision_function(judged), "support_vectors": len(machine.support_),
    "local_outlier_factor": -novelty.score_samples(judged),
    "local_outlier_factor_fitted": -factor.negative_outlier_factor_,
    "nearest": neighbours.kneighbors(judged)[0][:, -1], "nearest_fitted": neighbours.kneighbors()[0][:, -1],
    "location": shape.location_, "covariance": shape.covariance_, "squared_distance": shape.mahalanobis(judged),
    "principal_residual": (rest**2).sum(1),
    "hbos": HBOS(n_bins=10, alpha=0.1, tol=0.5).fit(fitted).decision_function(judged),
    "ecod": one_by_one(ECOD()), "copod": one_by_one(COPOD()),
    "ecod_fitted": ECOD().fit(fitted).decision_scores_, "copod_fitted": COPOD().fit(fitted).decision_scores_,
}, **{"scikit-learn": sklearn.__version__, "pyod": pyod.version.__version__})
