#!/usr/bin/env python3
"""Regenerates golden.json, what the tests compare with.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    venv/bin/python golden.py > golden.json

Every input is made of integers, so that any language gets the same numbers.
"""
import json

import numpy as np
import scipy
import sklearn
from scipy import special, stats


def samples():
    a = np.array([((i * 37) % 101) / 101.0 for i in range(40)])
    b = np.array([((j * 53 + 7) % 101) / 101.0 * 0.8 + 0.3 for j in range(30)])
    return a, b


def lcg(n, z):
    out = []
    for _ in range(n):
        z = (1103515245 * z + 12345) % 2147483648
        out.append(z / 2147483648.0)
    return np.array(out)


def distributions():
    """Rows of arguments and the value."""
    beta = [(x, a, b, special.betainc(a, b, x), special.betaincc(a, b, x))
            for x, a, b in ((0.5, 2, 3), (0.01, 0.5, 0.5), (0.9, 10, 1.5), (1e-4, 3, 40000),
                            (0.30, 3e5, 7e5), (0.302, 3e5, 7e5), (0.1, 50, 30), (0.999, 5, 0.01))]
    beta_quantile = [(p, a, b, stats.beta.ppf(p, a, b))
                     for p, a, b in ((0.025, 3, 48), (0.975, 4, 47), (0.5, 0.5, 0.5), (1e-9, 2, 5),
                                     (0.975, 1, 10), (0.3, 2000, 9000))]
    gamma = [(x, a, special.gammainc(a, x), special.gammaincc(a, x))
             for x, a in ((0.5, 0.5), (10, 3), (3, 10), (1000, 1010), (1e6, 1e6), (0.001, 5), (60, 7))]
    gamma_quantile = [(p, a, stats.gamma.ppf(p, a)) for p, a in ((0.025, 7), (0.975, 8), (0.5, 0.1), (0.01, 1e5))]
    chi2 = [(al, k, stats.chi2.isf(al, k)) for al, k in ((0.05, 1), (0.001, 9), (1e-12, 19), (0.5, 300))]
    normal = [(z, stats.norm.cdf(z), stats.norm.sf(z)) for z in (-8.0, -1.96, 0.0, 0.5, 3.0, 10.0)]
    normal_quantile = [(p, stats.norm.ppf(p)) for p in (1e-10, 0.025, 0.5, 0.8, 0.995)]
    binomial = [(k, n, p, stats.binom.pmf(k, n, p), stats.binom.cdf(k, n, p), stats.binom.sf(k - 1, n, p))
                for k, n, p in ((3, 50, 0.1), (0, 10, 0.3), (10, 10, 0.3), (40, 100, 0.5), (12, 100000, 1e-5),
                                (501000, 1000000, 0.5))]
    poisson = [(k, m, stats.poisson.cdf(k, m), stats.poisson.sf(k - 1, m))
               for k, m in ((0, 2.5), (20, 10.0), (3, 10.0), (1100, 1000.0), (150, 20.0))]
    nb = []
    for k, m, d in ((20, 10.0, 0.1), (0, 3.0, 2.0), (300, 100.0, 0.5), (1200, 1000.0, 0.001)):
        r, p = 1 / d, 1 / (1 + d * m)
        nb.append((k, m, d, stats.nbinom.cdf(k, r, p), stats.nbinom.sf(k - 1, r, p)))
    t = [(x, v, 2 * stats.t.sf(x, v)) for x, v in ((2.0, 5), (3.0025, 67.8656), (0.1, 1), (12.0, 30))]
    kolmogorov = [(x, special.kolmogorov(x)) for x in (0.3, 0.8276, 1.0, 1.36, 2.5)]
    return {"beta": beta, "beta_quantile": beta_quantile, "gamma": gamma, "gamma_quantile": gamma_quantile,
            "chi_square_upper_quantile": chi2, "normal": normal, "normal_quantile": normal_quantile,
            "binomial": binomial, "poisson": poisson, "negative_binomial": nb, "student_t": t,
            "kolmogorov": kolmogorov}


def intervals():
    share = []
    for k, n, c in ((3, 50, 0.95), (0, 10, 0.95), (10, 10, 0.99), (517, 100000, 0.95)):
        w = stats.binomtest(k, n).proportion_ci(c, "wilson")
        # The exact interval from beta quantiles: binomtest's own root finder stops at 2e-12 absolute.
        low = 0.0 if k == 0 else stats.beta.ppf((1 - c) / 2, k, n - k + 1)
        high = 1.0 if k == n else stats.beta.ppf((1 + c) / 2, k + 1, n - k)
        share.append((k, n, c, w.low, w.high, low, high))
    rate = [(k, c, 0.0 if k == 0 else stats.chi2.ppf((1 - c) / 2, 2 * k) / 2, stats.chi2.ppf((1 + c) / 2, 2 * k + 2) / 2)
            for k, c in ((7, 0.95), (0, 0.95), (400, 0.99))]
    return {"share": share, "poisson": rate}


def two_sample():
    a, b = samples()
    x, y = np.arange(30), np.arange(10, 40)
    ks = stats.ks_2samp(x, y, method="exact")
    far = stats.ks_2samp(np.arange(60), np.arange(60) + 40, method="exact")
    uneven = stats.ks_2samp(lcg(200, 5), lcg(37, 9) ** 1.5, method="exact")
    cvm = stats.cramervonmises_2samp(a, b, method="asymptotic")
    ds = np.abs
    energy = (2 * ds(a[:, None] - b).mean() - ds(a[:, None] - a).mean() - ds(b[:, None] - b).mean())
    return {"ks_30": [ks.statistic, ks.pvalue], "ks_far": [far.statistic, far.pvalue],
            "ks_uneven": [uneven.statistic, uneven.pvalue],
            "cramer_von_mises": [cvm.statistic, cvm.pvalue],
            "anderson_darling": anderson(a, b),
            "welch": list(stats.ttest_ind(a, b, equal_var=False)) ,
            "energy_statistic": float(energy), "scipy_energy_distance": stats.energy_distance(a, b),
            "fisher": [(t, float(stats.fisher_exact(t)[1])) for t in
                       ([[45, 55], [60, 40]], [[0, 10], [5, 5]], [[1, 999], [12, 988]], [[3, 0], [0, 3]])]}


def anderson(a, b):
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = stats.anderson_ksamp([a, b])
    return [float(r.statistic), float(r.pvalue)]


def calibration():
    """Isotonic regression and the scores of the golden CBPE data."""
    from sklearn.isotonic import IsotonicRegression
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
    p = np.array([((i * 67) % 200 + 0.5) / 200.0 for i in range(200)])
    y = (lcg(200, 7) < p ** 1.5).astype(int)
    iso = IsotonicRegression(out_of_bounds="clip").fit(p, y)
    at = [0.0, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0]
    bins = np.minimum((p * 10).astype(int), 9)
    ece = sum(abs(p[bins == k].mean() - y[bins == k].mean()) * (bins == k).mean() for k in range(10) if (bins == k).any())
    return {"isotonic_at": [(x, float(iso.predict([x])[0])) for x in at], "ece_10": float(ece),
            "brier": float(brier_score_loss(y, p)), "log_loss": float(log_loss(y, p)), "auc": float(roc_auc_score(y, p))}


def plain(x):
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple, np.ndarray)):
        return [plain(v) for v in x]
    return int(x) if isinstance(x, (int, np.integer)) else float(x)


print(json.dumps({"versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
                  **plain({"distribution": distributions(), "interval": intervals(), "two_sample": two_sample(),
                           "calibration": calibration()})}, indent=1))
