//! Can a classifier tell the samples apart?

use serde::{Deserialize, Serialize};

use super::mann_whitney::mann_whitney;
use crate::distribution::normal;
use crate::learn::{BoostSettings, DomainScores, Features, Loss};

/// How the classifier is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassifierSettings {
    /// The boosted trees.
    pub boost: BoostSettings,
    /// Parts of the data; each is scored by a model of the others. At least 2.
    pub folds: u32,
    /// Deals the rows into folds.
    pub seed: u64,
}

impl Default for ClassifierSettings {
    /// Thirty trees of depth three in five folds: enough to see a change of a mean, a spread or a
    /// dependence of two or three columns.
    fn default() -> Self {
        let boost = BoostSettings { trees: 30, depth: 3, learning_rate: 0.2, ..BoostSettings::new(Loss::Logistic) };
        Self { boost, folds: 5, seed: 1 }
    }
}

/// How well a classifier tells the samples apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassifierTest {
    /// The chance that a current row gets a higher score than a reference row, scored by models that
    /// have seen neither: 0.5 is no difference, 1 perfect separation.
    pub area_under_curve: f64,
    /// The area in standard errors above 0.5.
    pub z: f64,
    /// One-sided: the chance of an area at least as large when nothing changed.
    pub p_value: f64,
    /// How much each column tells the samples apart, as shares: what changed.
    pub importance: Vec<f64>,
}

/// The classifier two-sample test: boosted trees learn reference from current, and the area under the
/// curve of their out-of-fold scores is tested by ranks.
///
/// Sees any change that shallow trees can learn: of means, spreads, shapes and dependences, in columns
/// of any scale. The p-value is that of Mann-Whitney, one-sided: held-out scores of unchanged samples
/// are exchangeable within a fold. Rows must be independent; for rows that hang together (sessions,
/// users) it finds the sessions. Weaker than a kernel test below some 200 rows a side.
/// Cost: `folds` trainings, `O(rows columns trees)` each.
/// `None` for fewer than 20 rows a side, differing widths, or settings that no model can be made with.
/// Reference: Lopez-Paz, Oquab, "Revisiting Classifier Two-Sample Tests", ICLR (2017).
#[must_use]
pub fn classifier_test(
    reference: &Features<'_>,
    current: &Features<'_>,
    settings: &ClassifierSettings,
) -> Option<ClassifierTest> {
    if reference.rows().min(current.rows()) < LEAST_ROWS {
        return None;
    }
    let scores = DomainScores::fit(reference, current, &settings.boost, settings.folds, settings.seed)?;
    let sorted = |mut values: Vec<f64>| {
        values.sort_unstable_by(f64::total_cmp);
        values
    };
    let importance = scores.importance;
    let (of_reference, of_current) = (sorted(scores.reference), sorted(scores.current));
    let Some(ranks) = mann_whitney(&of_reference, &of_current) else {
        // All scores are equal: the classifier found nothing to split by.
        return Some(ClassifierTest { area_under_curve: 0.5, z: 0.0, p_value: 1.0, importance });
    };
    Some(ClassifierTest { area_under_curve: ranks.superiority, z: ranks.z, p_value: normal::sf(ranks.z), importance })
}

/// Rows a side below which nothing can be learned and still be tested.
const LEAST_ROWS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    fn columns(seed: u64, rows: usize, make: impl Fn(&mut SplitMix) -> Vec<f64>) -> Vec<Vec<f64>> {
        let mut random = SplitMix::new(seed);
        let rows: Vec<Vec<f64>> = (0..rows).map(|_| make(&mut random)).collect();
        (0..rows[0].len()).map(|column| rows.iter().map(|row| row[column]).collect()).collect()
    }

    fn features(columns: &[Vec<f64>]) -> Option<Features<'_>> {
        Features::new(columns.iter().map(Vec::as_slice).collect())
    }

    fn test(a: &[Vec<f64>], b: &[Vec<f64>]) -> Option<ClassifierTest> {
        classifier_test(&features(a)?, &features(b)?, &ClassifierSettings::default())
    }

    fn plain(random: &mut SplitMix) -> Vec<f64> {
        (0..4).map(|_| random.normal()).collect()
    }

    #[test]
    fn sees_a_shift_and_names_the_column() {
        let shifted = |random: &mut SplitMix| {
            let mut row = plain(random);
            row[2] += 0.5;
            row
        };
        let found = test(&columns(1, 600, plain), &columns(2, 600, shifted)).unwrap();
        assert!(found.p_value < 1e-6 && found.area_under_curve > 0.58, "{found:?}");
        let others = [0, 1, 3].map(|column| found.importance[column]);
        assert!(others.iter().all(|share| *share < found.importance[2]), "{found:?}");
    }

    /// Goal: a dependence is seen where every single column is unchanged.
    #[test]
    fn sees_a_dependence() {
        let together = |random: &mut SplitMix| {
            let mut row = plain(random);
            row[1] = row[0] * 0.8 + row[1] * 0.6;
            row
        };
        assert!(test(&columns(3, 800, plain), &columns(4, 800, together)).unwrap().p_value < 1e-6);
    }

    /// Goal: unchanged rows alarm at the stated rate.
    /// Method: 200 pairs of 100 against 60 rows; at 5 % ten are expected, 20 are four errors more.
    #[test]
    fn unchanged_rows_keep_the_rate() {
        let alarms = (0..200)
            .filter(|seed| {
                let (a, b) = (columns(2 * seed + 10, 100, plain), columns(2 * seed + 11, 60, plain));
                test(&a, &b).unwrap().p_value < 0.05
            })
            .count();
        assert!(alarms <= 20, "{alarms} of 200");
    }

    #[test]
    fn too_little_or_equal_rows() {
        let few = columns(5, 10, plain);
        assert_eq!(test(&few, &columns(6, 100, plain)), None);
        let constant = vec![vec![1.0; 50]; 2];
        assert!(test(&constant, &constant).is_none_or(|found| found.p_value > 0.4));
    }
}
