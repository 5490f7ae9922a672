//! Tests and distances of two rows of counts, against scipy 1.17.1, NannyML, Evidently and Alibi Detect.

use wardline_stats::two_sample::{
    chi_square, fisher_exact, g_test, hellinger, jensen_shannon, kullback_leibler, l_infinity, population_stability,
    total_variation,
};

use crate::inputs::{samples, tables};
use crate::values::{Golden, alibi, close, evidently, nannyml, tests};

#[test]
fn golden_tests_of_counts() {
    let all = tests();
    for table in tables() {
        let values = all.at(&format!("/categorical/{}", table.name));
        let chi = chi_square(&table.reference, &table.current, 0.0).unwrap();
        close(table.name, chi.statistic, values.number("/chi_square/statistic"), 1e-9);
        close(table.name, chi.p_value, values.number("/chi_square/p"), 1e-9);
        close(table.name, f64::from(chi.degrees_of_freedom), values.number("/chi_square/df"), 0.0);
        close(table.name, chi.cramers_v, values.number("/cramers_v"), 1e-9);
        let g = g_test(&table.reference, &table.current, 0.0).unwrap();
        close(table.name, g.statistic, values.number("/g/statistic"), 1e-9);
        close(table.name, g.p_value, values.number("/g/p"), 1e-9);
        check_distances(table.name, &table.reference, &table.current, &values);
        if let ([a, b], [c, d]) = (&table.reference[..], &table.current[..]) {
            close(table.name, fisher_exact([[*a, *b], [*c, *d]]), values.number("/fisher_p"), 1e-9);
        }
    }
}

/// The same distances over bins between the deciles of the reference.
#[test]
fn golden_distances_over_deciles() {
    let all = tests();
    for pair in samples() {
        let values = all.at(&format!("/numeric/{}/deciles", pair.name));
        let counts = |path: &str| values.numbers(path).iter().map(|count| *count as u64).collect::<Vec<u64>>();
        let edges = values.numbers("/inner_edges");
        assert_eq!(between(&pair.reference, &edges), counts("/counts_a"), "{}", pair.name);
        assert_eq!(between(&pair.current, &edges), counts("/counts_b"), "{}", pair.name);
        check_distances(pair.name, &counts("/counts_a"), &counts("/counts_b"), &values);
    }
}

/// How many values lie in each bin `[left, right)`.
fn between(values: &[f64], edges: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; edges.len() + 1];
    values.iter().for_each(|value| counts[edges.partition_point(|edge| edge <= value)] += 1);
    counts
}

fn check_distances(name: &str, reference: &[u64], current: &[u64], values: &Golden) {
    let check = |found: Option<f64>, path: &str| close(name, found, values.number(path), 1e-9);
    let js = jensen_shannon(reference, current);
    check(js, "/jensen_shannon_nats");
    check(js.map(|js| js / 2.0_f64.ln().sqrt()), "/jensen_shannon_base2");
    check(hellinger(reference, current), "/hellinger");
    check(total_variation(reference, current), "/total_variation");
    check(l_infinity(reference, current), "/l_infinity");
    check(population_stability(reference, current, 1e-4), "/psi_floor_1e-4");
    check(kullback_leibler(reference, current, 1e-4), "/kl_floor_1e-4");
}

/// NannyML 0.13.1 takes the distance to base 2, and chi-square with Yates' correction for two categories.
#[test]
fn golden_nannyml_distances_of_counts() {
    let all = nannyml();
    all.is_from("nannyml", "0.13.1");
    for table in tables() {
        let (a, b) = (&table.reference, &table.current);
        let value = |name: &str| all.number(&format!("/drift/categorical/{}/{name}", table.name));
        close(table.name, jensen_shannon(a, b).map(|js| js / 2.0_f64.ln().sqrt()), value("jensen_shannon"), 1e-9);
        close(table.name, hellinger(a, b), value("hellinger"), 1e-9);
        close(table.name, l_infinity(a, b), value("l_infinity"), 1e-9);
        if a.len() > 2 {
            close(table.name, chi_square(a, b, 0.0).unwrap().statistic, value("chi2"), 1e-9);
        }
    }
}

/// Evidently 0.7.23: its chi-square test takes the reference's shares as exact, so its p-value is far too small. It is
/// shown here beside the right one.
#[test]
fn golden_evidently_chi_square_is_wrong() {
    let all = evidently();
    let ours = chi_square(&[50, 30, 15, 5], &[30, 30, 25, 15], 0.0).unwrap().p_value;
    close("two-sample", ours, 0.005_852_662_593_326_735, 1e-9);
    close("as if exact", all.number("/categorical/four/chisquare/score"), 1.432_685_540_306_753_3e-7, 1e-9);
    close("g", all.number("/categorical/four/g_test/score"), 3.904_882_845_449_204_4e-6, 1e-9);
}

#[test]
fn golden_evidently_distances_of_counts() {
    let all = evidently();
    for table in tables() {
        let (a, b) = (&table.reference, &table.current);
        let value = |name: &str| all.number(&format!("/categorical/{}/{name}/score", table.name));
        close(table.name, jensen_shannon(a, b), value("jensenshannon"), 1e-9);
        close(table.name, hellinger(a, b), value("hellinger"), 1e-9);
        // A share of zero is raised to 1e-4 there only if no share is smaller than that.
        if !a.contains(&0) && !b.contains(&0) {
            close(table.name, population_stability(a, b, 1e-12), value("psi"), 1e-9);
            close(table.name, kullback_leibler(a, b, 1e-12), value("kl_div"), 1e-9);
        }
    }
}

/// Alibi Detect 0.13.0, in 32 bits.
#[test]
fn golden_alibi_scores_of_counts() {
    let all = alibi();
    for table in tables().into_iter().filter(|table| table.reference.len() > 2) {
        let chi = chi_square(&table.reference, &table.current, 0.0).unwrap();
        let value = |path: &str| all.number(&format!("/categorical/{}/chi_square{path}", table.name));
        close(table.name, chi.statistic, value("/statistic"), 1e-6);
    }
    let two = alibi().number("/categorical/two/fisher_two_sided/p");
    close("two", fisher_exact([[450, 550], [600, 400]]), two, 1e-4);
}
