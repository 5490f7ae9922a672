//! Rows of a class that pull its embeddings along a direction of their own.

use serde::{Deserialize, Serialize};

use super::LabelledRows;
use super::outside_neighbours::numbered;
use crate::random::{SplitMix, permutation_p};

/// Steps of the power iteration at most.
const MOST_STEPS: usize = 300;

/// A class with fewer rows has no direction to speak of.
const FEWEST_ROWS: usize = 20;

/// The most classes.
const MOST_CLASSES: usize = 10_000;

/// The most multiplications: rows, columns, steps and permutations.
const MOST_WORK: u128 = 20_000_000_000_000;

/// The strongest direction of one class's embeddings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassSignature {
    /// The class.
    pub class: u32,
    /// The largest singular value of the centred embeddings.
    pub singular_value: f64,
    /// Row and score, `(embedding - mean) . direction` squared, the largest first.
    pub scores: Vec<(usize, f64)>,
    /// Whether the columns share a direction at all: the singular value against columns permuted each by itself.
    pub p_value: f64,
}

/// For each class, how far each row lies along the class's top singular direction.
///
/// Poisoned rows of a class tend to be those with the largest scores: Tran, Li and Madry remove the highest
/// `1.5 * (suspected share) * rows`. Classes of fewer than 20 rows are left out. Rows that weigh equally may trade
/// places; the direction is found by power iteration from a fixed start, to a relative change of 10^-12 or 300 steps.
///
/// *What it says, and not.* `p_value` is parallel analysis: how often columns permuted each by itself, which keeps
/// every column's law and breaks all dependence, have as large a singular value; `permutations` of them, zero for
/// none (then it is one). Columns of honest embeddings depend on each other, so a small p-value is *no sign of
/// poison*: a large one says that the scores order noise. Nothing here raises an alarm; use the scores to sort rows
/// that [`super::OutsideNeighbours`] accuses.
///
/// `None` if lengths are uneven, a value is missing, there are more than 10,000 classes, 10^5 permutations, or too much
/// work. Cost: `O(rows * columns * steps * (1 + permutations))`.
///
/// Sources: Tran, Li, Madry, "Spectral Signatures in Backdoor Attacks", NeurIPS (2018), algorithm 1; Horn,
/// Psychometrika 30 (1965), with permutations by Buja, Eyuboglu (1992).
#[must_use]
pub fn spectral_signatures(rows: LabelledRows<'_>, permutations: u32, seed: u64) -> Option<Vec<ClassSignature>> {
    let (n, width) = (rows.features.rows(), rows.features.width());
    let work = n as u128 * width as u128 * MOST_STEPS as u128 * (1 + u128::from(permutations));
    let complete = rows.features.columns().iter().all(|column| column.iter().all(|value| value.is_finite()));
    if rows.labels.len() != n || !complete || work > MOST_WORK || permutations > 100_000 {
        return None;
    }
    let (classes, label_of) = numbered(rows.labels, MOST_CLASSES)?;
    let mut of_classes = vec![Vec::new(); classes.len()];
    label_of.iter().enumerate().for_each(|(row, label)| of_classes[*label].push(row));
    let mut random = SplitMix::new(seed);
    let mut found = Vec::new();
    for (class, of_class) in classes.iter().zip(of_classes).filter(|(_, of_class)| of_class.len() >= FEWEST_ROWS) {
        let mut columns: Vec<Vec<f64>> =
            rows.features.columns().iter().map(|column| centred(column, &of_class)).collect();
        let (singular_value, along) = top_direction(&columns);
        let mut scores: Vec<(usize, f64)> = of_class.into_iter().zip(along.iter().map(|x| x * x)).collect();
        scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let permuted = (0..permutations).map(|_| {
            columns.iter_mut().for_each(|column| random.shuffle(column));
            top_direction(&columns).0
        });
        let p_value = permutation_p(singular_value, permuted);
        found.push(ClassSignature { class: *class, singular_value, scores, p_value });
    }
    Some(found)
}

fn centred(column: &[f64], rows: &[usize]) -> Vec<f64> {
    let mean = rows.iter().map(|row| column[*row]).sum::<f64>() / rows.len() as f64;
    rows.iter().map(|row| column[*row] - mean).collect()
}

/// The largest singular value, and each row's place along its direction.
pub(super) fn top_direction(columns: &[Vec<f64>]) -> (f64, Vec<f64>) {
    let rows = columns.first().map_or(0, Vec::len);
    let mut random = SplitMix::new(1);
    let mut direction: Vec<f64> = columns.iter().map(|_| random.normal()).collect();
    let mut along = vec![0.0; rows];
    let mut value = 0.0_f64;
    for _ in 0..MOST_STEPS {
        let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
        along.fill(0.0);
        if length <= 0.0 || !length.is_finite() {
            return (0.0, along);
        }
        for (column, weight) in columns.iter().zip(&direction) {
            along.iter_mut().zip(column).for_each(|(sum, x)| *sum += weight / length * x);
        }
        let next = along.iter().map(|x| x * x).sum::<f64>().sqrt();
        let settled = (next - value).abs() <= 1e-12 * next;
        value = next;
        if settled {
            break;
        }
        for (weight, column) in direction.iter_mut().zip(columns) {
            *weight = column.iter().zip(&along).map(|(x, place)| x * place).sum();
        }
    }
    (value, along)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Features;

    /// By formula: `sin((row + 1) (column + 1)) * (4 - column)`.
    fn table() -> Vec<Vec<f64>> {
        (0..4).map(|c| (0..24).map(|r| f64::from((r + 1) * (c + 1)).sin() * f64::from(4 - c)).collect()).collect()
    }

    /// numpy 2.4.6, `linalg.svd` of the centred table.
    #[test]
    fn scores_are_those_of_numpy() {
        let columns = table();
        let features = Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
        let rows = LabelledRows { features: &features, labels: &[3; 24] };
        let found = spectral_signatures(rows, 0, 1).unwrap();
        assert_eq!((found.len(), found[0].class, found[0].p_value), (1, 3, 1.0));
        assert!((found[0].singular_value - 14.161550704077).abs() < 1e-8, "{}", found[0].singular_value);
        for (score, expected) in found[0].scores.iter().zip([
            (10, 16.195295283),
            (7, 15.696401831),
            (13, 15.657076562),
            (16, 15.024027239),
            (4, 14.786090330),
        ]) {
            assert!(score.0 == expected.0 && (score.1 - expected.1).abs() < 1e-4, "{score:?}, {expected:?}");
        }
    }

    #[test]
    fn planted_rows_score_highest_and_noise_has_no_direction() {
        let mut random = SplitMix::new(6);
        let mut columns: Vec<Vec<f64>> = (0..8).map(|_| (0..400).map(|_| random.normal()).collect()).collect();
        let signature = |columns: &[Vec<f64>]| {
            let features = Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
            spectral_signatures(LabelledRows { features: &features, labels: &[0; 400] }, 99, 1).unwrap().remove(0)
        };
        assert!(signature(&columns).p_value > 0.05);
        columns.iter_mut().for_each(|column| column[..12].iter_mut().for_each(|x| *x += 4.0));
        let found = signature(&columns);
        assert_eq!(found.p_value, 0.01);
        assert!(found.scores[..12].iter().filter(|(row, _)| *row < 12).count() >= 11, "{:?}", &found.scores[..12]);
    }

    #[test]
    fn bad_input_is_refused_and_constant_rows_have_no_direction() {
        let (constant, missing) = ([1.0; 30], [f64::NAN; 30]);
        let (good, bad) = (Features::new(vec![&constant]).unwrap(), Features::new(vec![&missing]).unwrap());
        assert!(spectral_signatures(LabelledRows { features: &bad, labels: &[0; 30] }, 0, 1).is_none());
        assert!(spectral_signatures(LabelledRows { features: &good, labels: &[0; 3] }, 0, 1).is_none());
        let found = spectral_signatures(LabelledRows { features: &good, labels: &[0; 30] }, 9, 1).unwrap();
        assert!(found[0].singular_value.abs() < 1e-12 && found[0].p_value == 1.0);
    }
}
