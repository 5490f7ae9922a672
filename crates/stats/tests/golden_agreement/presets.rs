//! What Evidently 0.7.23, NannyML 0.13.1 and Alibi Detect 0.13.0 choose and say.

use wardline_stats::drift::preset::{PeerTest, alibi_detect, evidently, nannyml};

use crate::inputs::{lcg, samples, tables};
use crate::values;
use crate::values::close;

#[test]
fn golden_preset_evidently_choices() {
    for choice in values::evidently().items("/choices") {
        let rows = choice.number("/reference_rows") as usize;
        let distinct = choice.number("/distinct") as usize;
        let found = match choice.text("/kind").as_str() {
            "num" => evidently::numeric_test(rows, distinct),
            _ => evidently::categorical_test(rows, distinct),
        };
        let expected = match choice.text("/test").as_str() {
            "ks" => PeerTest::KolmogorovSmirnov,
            "wasserstein" => PeerTest::WassersteinNormalised,
            "jensenshannon" => PeerTest::JensenShannon,
            "chisquare" => PeerTest::ChiSquareGoodnessOfFit,
            "z" => PeerTest::TwoProportions,
            other => panic!("no test {other}"),
        };
        assert_eq!(found, expected, "{rows} rows, {distinct} values");
    }
}

#[test]
fn golden_preset_evidently_scores_of_samples() {
    let all = values::evidently();
    for pair in samples() {
        let (a, b) = (&pair.reference, &pair.current);
        let score = |name: &str| all.number(&format!("/numeric/{}/{name}/score", pair.name));
        close(pair.name, evidently::population_stability(a, b), score("psi"), 1e-9);
        close(pair.name, evidently::kullback_leibler(a, b), score("kl_div"), 1e-9);
        close(pair.name, evidently::numeric_jensen_shannon(a, b), score("jensenshannon"), 1e-9);
        close(pair.name, evidently::wasserstein_normalised(a, b), score("wasserstein"), 1e-9);
        // Below nine values a side scipy counts orders, which ours leaves to the normal limit.
        if pair.name != "tiny" {
            close(pair.name, evidently::mann_whitney(a, b), score("mannw"), 1e-9);
        }
    }
}

#[test]
fn golden_preset_evidently_scores_of_counts() {
    let all = values::evidently();
    for table in tables() {
        let rows: u64 = table.reference.iter().sum();
        let verdict = evidently::categorical(&table.reference, &table.current).unwrap();
        let score = |name: &str| all.at(&format!("/categorical/{}/{name}", table.name));
        match verdict.test {
            PeerTest::ChiSquareGoodnessOfFit => {
                assert!(rows <= 1_000, "{}", table.name);
                close(table.name, verdict.score, score("chisquare").number("/score"), 1e-9);
            }
            PeerTest::JensenShannon => close(table.name, verdict.score, score("jensenshannon").number("/score"), 1e-9),
            // Two values: its z test is not in the list of scores.
            other => assert_eq!((other, table.name), (PeerTest::TwoProportions, "two")),
        }
    }
}

/// The defect, number for number: one value of 1,000 among 5,000 blinds the binned scores, and one of 1e6 in the
/// reference blinds the distance.
#[test]
fn golden_preset_evidently_is_blinded_by_one_row() {
    let golden = values::evidently().at("/one_row_blinds");
    let mut reference = lcg(50_000, 5);
    let mut current: Vec<f64> = lcg(5_000, 9).iter().map(|u| u + 0.3).collect();
    for (path, replaced) in [("clean", None), ("one_row", Some(1_000.0))] {
        if let Some(value) = replaced {
            current[0] = value;
        }
        let score = |name: &str| golden.number(&format!("/{path}/{name}"));
        close(path, evidently::population_stability(&reference, &current), score("psi"), 1e-9);
        close(path, evidently::numeric_jensen_shannon(&reference, &current), score("jensenshannon"), 1e-9);
        close(path, evidently::wasserstein_normalised(&reference, &current), score("wasserstein"), 1e-9);
    }
    current[0] = lcg(1, 9)[0] + 0.3;
    reference[0] = 1e6;
    let blinded = golden.number("/wasserstein_one_row_of_1e6_in_reference");
    close("blinded", evidently::wasserstein_normalised(&reference, &current), blinded, 1e-9);
}

#[test]
fn golden_preset_nannyml_distances() {
    let all = values::nannyml();
    for pair in samples().iter().filter(|pair| pair.name != "tiny") {
        let column = nannyml::NannyMlColumn::numeric(&pair.reference).unwrap();
        let expected = all.number(&format!("/drift/numeric/{}/jensen_shannon", pair.name));
        close(pair.name, column.distance(&pair.current), expected, 1e-9);
    }
    for table in tables() {
        let rows = table.current.iter().sum();
        // NannyML knows the values of the reference only.
        let (reference, current): (Vec<u64>, Vec<u64>) =
            table.reference.iter().zip(&table.current).filter(|(a, _)| **a > 0).unzip();
        let expected = all.number(&format!("/drift/categorical/{}/jensen_shannon", table.name));
        close(table.name, nannyml::categorical_distance(&reference, &current, rows), expected, 1e-9);
    }
}

/// In 32 bits, and without an exact p-value for numbers: near.
#[test]
fn golden_preset_alibi_detect() {
    let all = values::alibi();
    for table in tables() {
        let verdict = alibi_detect::categorical(&table.reference, &table.current, 1).unwrap();
        let expected = all.number(&format!("/categorical/{}/chi_square/p", table.name));
        close(table.name, verdict.score, expected, 1e-4);
    }
    for pair in samples() {
        let verdict = alibi_detect::numeric(&pair.reference, &pair.current, 1).unwrap();
        let expected = all.number(&format!("/numeric/{}/ks/p", pair.name));
        close(pair.name, verdict.score, expected, if pair.name == "tiny" { 0.2 } else { 0.04 });
    }
    close("threshold", alibi_detect::threshold(5), all.number("/corrections/bonferroni/threshold"), 1e-9);
}
