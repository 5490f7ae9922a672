//! All laws against scipy 1.17.1 (`testdata/golden.json`).

use super::*;
use crate::golden::{close, rows};

#[test]
fn beta_agrees_with_scipy() {
    for row in rows("/distribution/beta") {
        close(beta::cdf(row[0], row[1], row[2]), row[3], 1e-9);
        close(beta::sf(row[0], row[1], row[2]), row[4], 1e-9);
    }
    for row in rows("/distribution/beta_quantile") {
        close(beta::quantile(row[0], row[1], row[2]), row[3], 1e-9);
    }
}

#[test]
fn gamma_agrees_with_scipy() {
    for row in rows("/distribution/gamma") {
        close(gamma::cdf(row[0], row[1]), row[2], 1e-9);
        close(gamma::sf(row[0], row[1]), row[3], 1e-9);
    }
    for row in rows("/distribution/gamma_quantile") {
        close(gamma::quantile(row[0], row[1]), row[2], 1e-9);
    }
    for row in rows("/distribution/chi_square_upper_quantile") {
        close(chi_square::upper_quantile(row[0], row[1]), row[2], 1e-9);
        close(chi_square::sf(row[2], row[1]), row[0], 1e-9);
    }
}

#[test]
fn normal_agrees_with_scipy() {
    for row in rows("/distribution/normal") {
        close(Some(normal::cdf(row[0])), row[1], 1e-12);
        close(Some(normal::sf(row[0])), row[2], 1e-12);
    }
    for row in rows("/distribution/normal_quantile") {
        close(normal::quantile(row[0]), row[1], 1e-12);
    }
}

#[test]
fn counts_agree_with_scipy() {
    for row in rows("/distribution/binomial") {
        let (k, n, p) = (row[0] as u64, row[1] as u64, row[2]);
        close(binomial::probability(k, n, p), row[3], 1e-9);
        close(binomial::at_most(k, n, p), row[4], 1e-9);
        close(binomial::at_least(k, n, p), row[5], 1e-9);
    }
    for row in rows("/distribution/poisson") {
        close(poisson::at_most(row[0] as u64, row[1]), row[2], 1e-9);
        close(poisson::at_least(row[0] as u64, row[1]), row[3], 1e-9);
    }
    for row in rows("/distribution/negative_binomial") {
        let (k, mean, dispersion) = (row[0] as u64, row[1], row[2]);
        close(negative_binomial::at_most(k, mean, dispersion), row[3], 1e-9);
        close(negative_binomial::at_least(k, mean, dispersion), row[4], 1e-9);
    }
}

#[test]
fn other_laws_agree_with_scipy() {
    for row in rows("/distribution/student_t") {
        close(student_t::two_sided(row[0], row[1]), row[2], 1e-9);
    }
    for row in rows("/distribution/kolmogorov") {
        close(Some(kolmogorov::sf(row[0])), row[1], 1e-9);
    }
    let x = kolmogorov::upper_quantile(0.05).unwrap();
    close(Some(kolmogorov::sf(x)), 0.05, 1e-9);
}

#[test]
fn parameters_out_of_range_give_nothing() {
    assert_eq!(beta::cdf(0.5, 0.0, 1.0), None);
    assert_eq!(beta::cdf(1.5, 1.0, 1.0), None);
    assert_eq!(beta::quantile(f64::NAN, 1.0, 1.0), None);
    assert_eq!(gamma::cdf(-1.0, 1.0), None);
    assert_eq!(gamma::sf(f64::NAN, 1.0), None);
    assert_eq!(normal::quantile(0.0), None);
    assert_eq!(binomial::at_most(1, 2, f64::NAN), None);
    assert_eq!(poisson::at_least(1, f64::INFINITY), None);
    assert_eq!(negative_binomial::at_most(1, 1.0, -1.0), None);
    assert_eq!(student_t::two_sided(1.0, 0.0), None);
    assert_eq!(chi_square::sf(1.0, 0.0), None);
}

#[test]
fn edges_are_exact() {
    assert_eq!(binomial::at_most(5, 5, 0.3), Some(1.0));
    assert_eq!(binomial::at_least(0, 5, 0.0), Some(1.0));
    assert_eq!(binomial::at_least(1, 5, 0.0), Some(0.0));
    assert_eq!(binomial::probability(0, 0, 1.0), Some(1.0));
    assert_eq!(binomial::probability(2, 5, 1.0), Some(0.0));
    assert_eq!(poisson::at_most(0, 0.0), Some(1.0));
    assert_eq!(beta::quantile(0.0, 2.0, 3.0), Some(0.0));
}
