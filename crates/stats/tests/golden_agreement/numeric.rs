//! Tests and distances of two numeric samples, against scipy 1.17.1, Evidently and Alibi Detect.

use wardline_stats::two_sample::{
    anderson_darling, cramer_von_mises, energy_distance, epps_singleton, kolmogorov_smirnov, mann_whitney, student_t,
    wasserstein, wasserstein_normalised, welch_t,
};

use crate::inputs::{Pair, samples};
use crate::values::{Golden, alibi, close, evidently, tests};

/// Every pair of samples with its values.
fn each(check: impl Fn(&Pair, &Golden)) {
    let all = tests();
    all.is_from("scipy", "1.17.1");
    for pair in samples() {
        let values = all.at(&format!("/numeric/{}", pair.name));
        close("sum of a", pair.reference.iter().sum::<f64>(), values.number("/sum_a"), 1e-12);
        close("sum of b", pair.current.iter().sum::<f64>(), values.number("/sum_b"), 1e-12);
        check(&pair, &values);
    }
}

/// The p-value is exact up to a million pairs of different values. With ties the lattice paths bound
/// it from above, and scipy counts the same paths.
#[test]
fn golden_kolmogorov_smirnov() {
    each(|pair, values| {
        let test = kolmogorov_smirnov(&pair.reference, &pair.current).unwrap();
        close(pair.name, test.statistic, values.number("/ks/statistic"), 1e-9);
        if values.has("/ks/p_exact") {
            close(pair.name, test.p_value, values.number("/ks/p_exact"), 1e-9);
        } else {
            // Beyond, scipy takes the limit law as it stands; ours has Stephens' correction for n.
            close(pair.name, test.p_value, values.number("/ks/p_limit"), 0.02);
        }
    });
}

#[test]
fn golden_cramer_von_mises() {
    each(|pair, values| {
        let test = cramer_von_mises(&pair.reference, &pair.current).unwrap();
        close(pair.name, test.statistic, values.number("/cramer_von_mises/statistic"), 1e-9);
        close(pair.name, test.p_value, values.number("/cramer_von_mises/p"), 1e-9);
    });
}

#[test]
fn golden_mann_whitney() {
    each(|pair, values| {
        let test = mann_whitney(&pair.reference, &pair.current).unwrap();
        close(pair.name, test.u, values.number("/mann_whitney/u"), 1e-9);
        close(pair.name, test.p_value, values.number("/mann_whitney/p"), 1e-9);
    });
}

#[test]
fn golden_anderson_darling() {
    each(|pair, values| {
        let test = anderson_darling(&pair.reference, &pair.current).unwrap();
        close(pair.name, test.statistic, values.number("/anderson_darling/statistic"), 1e-9);
        close(pair.name, test.p_value, values.number("/anderson_darling/p_between_0.001_and_0.25"), 1e-9);
    });
}

#[test]
fn golden_epps_singleton() {
    each(|pair, values| {
        let test = epps_singleton(&pair.reference, &pair.current);
        if values.has("/epps_singleton") {
            let test = test.unwrap();
            close(pair.name, test.statistic, values.number("/epps_singleton/statistic"), 1e-9);
            close(pair.name, test.p_value, values.number("/epps_singleton/p"), 1e-9);
        } else {
            assert_eq!(test, None, "{}", pair.name);
        }
    });
}

/// scipy's `t` has the reference first, ours the current values.
#[test]
fn golden_means() {
    each(|pair, values| {
        for (name, test) in
            [("welch", welch_t(&pair.reference, &pair.current)), ("student", student_t(&pair.reference, &pair.current))]
        {
            let (test, at) = (test.unwrap(), |field: &str| values.number(&format!("/{name}/{field}")));
            close(pair.name, -test.t, at("t"), 1e-9);
            close(pair.name, test.p_value, at("p"), 1e-9);
            close(pair.name, test.degrees_of_freedom, at("df"), 1e-9);
        }
    });
}

#[test]
fn golden_distances_of_samples() {
    each(|pair, values| {
        let (a, b) = (&pair.reference, &pair.current);
        close(pair.name, wasserstein(a, b), values.number("/wasserstein"), 1e-9);
        close(pair.name, wasserstein_normalised(a, b), values.number("/wasserstein_by_std_of_a"), 1e-9);
        close(pair.name, energy_distance(a, b), values.number("/energy_distance"), 1e-9);
    });
}

/// Evidently 0.7.23 calls scipy for these, so they are the same numbers.
#[test]
fn golden_evidently_scores_of_samples() {
    let all = evidently();
    all.is_from("evidently", "0.7.23");
    for pair in samples() {
        let (a, b) = (&pair.reference, &pair.current);
        let score = |test: &str| all.number(&format!("/numeric/{}/{test}/score", pair.name));
        if pair.name != "large" {
            close(pair.name, kolmogorov_smirnov(a, b).unwrap().p_value, score("ks"), 1e-9);
        }
        close(pair.name, energy_distance(a, b), score("ed"), 1e-9);
        close(pair.name, anderson_darling(a, b).unwrap().p_value, score("anderson"), 1e-9);
        close(pair.name, wasserstein_normalised(a, b), score("wasserstein"), 1e-9);
        close(pair.name, student_t(a, b).unwrap().p_value, score("t_test"), 1e-9);
    }
}

/// Evidently's Mann-Whitney test is one-sided: it asks only whether the current values are the greater. Where they are,
/// it is half of ours; where they fall, it sees nothing.
#[test]
fn golden_evidently_mann_whitney_is_one_sided() {
    let all = evidently();
    let small = samples().into_iter().find(|pair| pair.name == "small").unwrap();
    let ours = mann_whitney(&small.reference, &small.current).unwrap().p_value;
    close("half", 0.5 * ours, all.number("/numeric/small/mannw/score"), 1e-9);
    let fall = mann_whitney(&small.current, &small.reference).unwrap();
    assert!(fall.p_value < 0.05 && fall.z < 0.0);
}

/// Alibi Detect 0.13.0 computes in 32 bits, where different values become ties, and without an exact p-value.
#[test]
fn golden_alibi_scores_of_samples() {
    let all = alibi();
    all.is_from("alibi-detect", "0.13.0");
    for pair in samples() {
        let value = |path: &str| all.number(&format!("/numeric/{}{path}", pair.name));
        let ks = kolmogorov_smirnov(&pair.reference, &pair.current).unwrap();
        close(pair.name, ks.statistic, value("/ks/statistic"), 1e-6);
        let cvm = cramer_von_mises(&pair.reference, &pair.current).unwrap();
        close(pair.name, cvm.statistic, value("/cvm/statistic"), 3e-4);
    }
}
