"""Outlier models of scikit-learn and PyOD: jobs of peer.py. Each fits rows and scores the same rows."""

import numpy as np

NU = 0.05
CHUNK = 50_000


def job(rows, version, work, small=500):
    """`work` gets rows and answers with their scores."""

    def run(folder):
        from peer import measured, numeric

        table = np.ascontiguousarray(numeric(folder, "reference", rows))
        work(table[:small])
        return {"version": version(), **measured(lambda: {"mean": float(np.mean(work(table)))})}

    return run


def scikit():
    import sklearn

    return f"scikit-learn {sklearn.__version__}"


def pyod():
    import pyod.version

    return f"PyOD {pyod.version.__version__}"


def one_class(rows):
    from sklearn.svm import OneClassSVM

    return -OneClassSVM(nu=NU).fit(rows).decision_function(rows)


def linear_one_class(rows):
    """Random features and stochastic steps, in parts: all features at once would take 2 GB."""
    from sklearn.kernel_approximation import RBFSampler
    from sklearn.linear_model import SGDOneClassSVM

    sampler = RBFSampler(gamma=1 / (rows.shape[1] * rows.var()), n_components=256, random_state=1).fit(rows[:1])
    machine = SGDOneClassSVM(nu=NU, random_state=1, average=True)
    parts = [rows[start:start + CHUNK] for start in range(0, len(rows), CHUNK)]
    for part in parts:
        machine.partial_fit(sampler.transform(part))
    return np.concatenate([-machine.decision_function(sampler.transform(part)) for part in parts])


def local_outlier_factor(rows):
    from sklearn.neighbors import LocalOutlierFactor

    return -LocalOutlierFactor(n_neighbors=20, n_jobs=1).fit(rows).negative_outlier_factor_


def nearest(rows):
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=5, n_jobs=1).fit(rows).kneighbors()[0][:, -1]


def histograms(rows):
    from pyod.models.hbos import HBOS

    return HBOS().fit(rows).decision_scores_


def ecod(rows):
    from pyod.models.ecod import ECOD

    return ECOD(n_jobs=1).fit(rows).decision_scores_


def copod(rows):
    from pyod.models.copod import COPOD

    return COPOD(n_jobs=1).fit(rows).decision_scores_


def robust_distance(rows):
    from sklearn.covariance import MinCovDet

    return MinCovDet(random_state=1).fit(rows).mahalanobis(rows)


JOBS = {"sklearn_one_class": job(10_000, scikit, one_class),
        "sklearn_linear_one_class": job(1_000_000, scikit, linear_one_class),
        "sklearn_local_outlier_factor": job(10_000, scikit, local_outlier_factor),
        "sklearn_nearest": job(10_000, scikit, nearest), "pyod_histograms": job(100_000, pyod, histograms),
        "pyod_ecod": job(100_000, pyod, ecod), "pyod_copod": job(100_000, pyod, copod),
        "sklearn_robust_distance": job(100_000, scikit, robust_distance)}
