#!/usr/bin/env python3
"""Two-sample tests and distances of numpy and scipy, on several pairs of samples: golden_tests.json."""
import warnings

import numpy as np
import scipy
from golden_inputs import rows, samples, shift_stream, tables, write
from scipy import stats
from scipy.spatial.distance import jensenshannon


def numeric(a, b):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exact = len(a) * len(b) <= 1_000_000
        ks = stats.ks_2samp(a, b, method="exact" if exact else "asymp")
        cvm = stats.cramervonmises_2samp(a, b, method="asymptotic")
        mann = stats.mannwhitneyu(a, b, alternative="two-sided", method="asymptotic")
        anderson = stats.anderson_ksamp([a, b])
        welch = stats.ttest_ind(a, b, equal_var=False)
        student = stats.ttest_ind(a, b)
        # Five values a side are scipy's least.
        es = stats.epps_singleton_2samp(a, b) if min(len(a), len(b)) >= 5 else None
    return {
        "n": len(a), "m": len(b), "sum_a": a.sum(), "sum_b": b.sum(),
        "ks": {"statistic": ks.statistic, "location": ks.statistic_location, "sign": ks.statistic_sign,
               "p_exact" if exact else "p_limit": ks.pvalue},
        "cramer_von_mises": {"statistic": cvm.statistic, "p": cvm.pvalue},
        "mann_whitney": {"u": mann.statistic, "p": mann.pvalue},
        "anderson_darling": {"statistic": anderson.statistic, "p_between_0.001_and_0.25": anderson.pvalue},
        "welch": {"t": welch.statistic, "p": welch.pvalue, "df": welch.df},
        "student": {"t": student.statistic, "p": student.pvalue, "df": student.df},
        "epps_singleton": es and {"statistic": es.statistic, "p": es.pvalue},
        "wasserstein": stats.wasserstein_distance(a, b),
        "wasserstein_by_std_of_a": stats.wasserstein_distance(a, b) / a.std(),
        "energy_distance": stats.energy_distance(a, b),
        "moments": {"mean": a.mean(), "variance": a.var(ddof=1), "variance_population": a.var(),
                    "median": np.median(a), "mad": stats.median_abs_deviation(a)},
        "deciles": deciles(a, b),
    }


def deciles(a, b):
    """Distances over bins between the deciles of the reference; bins are [l, r)."""
    edges = np.quantile(a, np.linspace(0, 1, 11))
    inner = np.unique(edges[1:-1])
    outer = np.r_[-np.inf, inner, np.inf]
    x, y = np.histogram(a, outer)[0], np.histogram(b, outer)[0]
    return {"inner_edges": inner, "counts_a": x, "counts_b": y, **distances(x, y)}


def distances(x, y):
    p, q = np.asarray(x) / np.sum(x), np.asarray(y) / np.sum(y)
    f, g = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    return {"psi_floor_1e-4": ((f - g) * np.log(f / g)).sum(), "kl_floor_1e-4": (f * np.log(f / g)).sum(),
            "jensen_shannon_nats": jensenshannon(p, q), "jensen_shannon_base2": jensenshannon(p, q, 2),
            "hellinger": np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2),
            "total_variation": np.abs(p - q).sum() / 2, "l_infinity": np.abs(p - q).max()}


def categorical(x, y):
    table = np.array([x, y])
    chi = stats.chi2_contingency(table, correction=False)
    g = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    out = {"reference": x, "current": y, "chi_square": {"statistic": chi.statistic, "p": chi.pvalue, "df": chi.dof},
           "g": {"statistic": g.statistic, "p": g.pvalue},
           "cramers_v": stats.contingency.association(table, method="cramer"), **distances(x, y)}
    if len(x) == 2:
        out["fisher_p"] = stats.fisher_exact(table)[1]
    return out


def kernel():
    """The squared discrepancy with k = exp(-d^2 / w), for several w; unbiased and biased."""
    a, b = rows()
    z = np.r_[a, b]
    d = ((z[:, None] - z[None]) ** 2).sum(2)
    n, m = len(a), len(b)
    median = np.median(d[np.triu_indices(n + m, 1)])
    out = {"median": median}
    for name, width in (("at_median", median), ("at_half", median / 2), ("at_double", median * 2), ("at_one", 1.0)):
        k = np.exp(-d / width)
        xx, yy, xy = k[:n, :n], k[n:, n:], k[:n, n:].mean()
        out[name] = {"width": width, "biased": xx.mean() + yy.mean() - 2 * xy,
                     "unbiased": (xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1)) - 2 * xy}
    return out


def summaries():
    """What a stream looks like: moments, correlations, rolling medians, slopes."""
    values = np.array(shift_stream())
    a, _ = rows()
    centred = values - values.mean()
    r = [(centred[lag:] * centred[:len(centred) - lag]).sum() / (centred ** 2).sum() for lag in range(13)]
    n = len(values)
    box = n * (n + 2) * sum(r[lag] ** 2 / (n - lag) for lag in range(1, 13))
    windows = np.lib.stride_tricks.sliding_window_view(values, 25)[::97]
    line = stats.theilslopes(a[:, 1], a[:, 0], method="joint")
    return {"covariance": np.cov(a.T), "correlation": np.corrcoef(a.T)[0, 1], "autocorrelations": r,
            "ljung_box_12": {"statistic": box, "p": stats.chi2.sf(box, 12)},
            "rolling_25_each_97th": {"median": np.median(windows, 1), "mad": stats.median_abs_deviation(windows, 1)},
            "theil_sen": {"slope": line.slope, "intercept": line.intercept}}


def multiplicity():
    out = []
    for p in ([0.041, 0.001, 0.216, 0.008, 0.06, 0.205], [0.01, 0.01, 0.02, 0.5, 1.0], [0.2],
              [((i * 37) % 101 + 1) / 2020 for i in range(60)]):
        order, n = np.argsort(p), len(p)
        holm = np.empty(n)
        holm[order] = np.minimum(1, np.maximum.accumulate([(n - k) * p[i] for k, i in enumerate(order)]))
        out.append({"p": p, "bh": stats.false_discovery_control(p),
                    "by": stats.false_discovery_control(p, method="by"), "holm": holm})
    return out


write({"numeric": {k: numeric(a, b) for k, (a, b) in samples().items()},
       "categorical": {k: categorical(x, y) for k, (x, y) in tables().items()},
       "kernel": kernel(), "multiplicity": multiplicity(), "summaries": summaries()}, scipy=scipy.__version__)
