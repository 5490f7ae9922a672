//! What a sample or a stream looks like, against numpy 2.4.6 and scipy 1.17.1.

use wardline_stats::robust::{RollingMedian, median, median_absolute_deviation, theil_sen};
use wardline_stats::season::{autocorrelations, ljung_box};
use wardline_stats::sketch::{Covariance, Moments};

use crate::inputs::{rows, samples, stream};
use crate::values::{close, tests};

#[test]
fn golden_moments_and_medians() {
    let all = tests();
    for pair in samples() {
        let values = all.at(&format!("/numeric/{}/moments", pair.name));
        let mut moments = Moments::new();
        assert_eq!(moments.insert_slice(&pair.reference), 0);
        close(pair.name, moments.mean(), values.number("/mean"), 1e-9);
        close(pair.name, moments.variance(), values.number("/variance"), 1e-9);
        close(pair.name, median(&pair.reference), values.number("/median"), 1e-9);
        close(pair.name, median_absolute_deviation(&pair.reference), values.number("/mad"), 1e-9);
    }
}

#[test]
fn golden_covariance() {
    let golden = tests().at("/summaries");
    let mut covariance = Covariance::new(2).unwrap();
    for row in rows().0.chunks(2) {
        assert!(covariance.insert(row));
    }
    for (i, j) in [(0, 0), (0, 1), (1, 1)] {
        close("covariance", covariance.covariance(i, j), golden.number(&format!("/covariance/{i}/{j}")), 1e-9);
    }
    close("correlation", covariance.correlation(0, 1), golden.number("/correlation"), 1e-9);
}

#[test]
fn golden_autocorrelation() {
    let golden = tests().at("/summaries");
    let values = stream("shift");
    for (found, expected) in autocorrelations(&values, 12).unwrap().iter().zip(golden.numbers("/autocorrelations")) {
        close("autocorrelation", *found, expected, 1e-9);
    }
    let test = ljung_box(&values, 12).unwrap();
    close("statistic", test.statistic, golden.number("/ljung_box_12/statistic"), 1e-9);
    close("p", test.p_value, golden.number("/ljung_box_12/p"), 1e-9);
}

#[test]
fn golden_rolling_medians() {
    let golden = tests().at("/summaries/rolling_25_each_97th");
    let (medians, deviations) = (golden.numbers("/median"), golden.numbers("/mad"));
    let mut window = RollingMedian::new(25).unwrap();
    let mut checked = 0;
    for (index, value) in stream("shift").iter().enumerate() {
        assert!(window.insert(*value));
        if index >= 24 && (index - 24) % 97 == 0 {
            close("median", window.median(), medians[checked], 1e-9);
            close("deviation", window.median_absolute_deviation(), deviations[checked], 1e-9);
            checked += 1;
        }
    }
    assert_eq!(checked, medians.len());
}

#[test]
fn golden_slope() {
    let golden = tests().at("/summaries/theil_sen");
    let points: Vec<(f64, f64)> = rows().0.chunks(2).map(|row| (row[0], row[1])).collect();
    let line = theil_sen(&points).unwrap();
    close("slope", line.slope, golden.number("/slope"), 1e-9);
    close("intercept", line.intercept, golden.number("/intercept"), 1e-9);
}
