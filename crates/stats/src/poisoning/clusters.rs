//! Classes whose embeddings fall into two groups.

use serde::{Deserialize, Serialize};

use super::LabelledRows;
use super::outside_neighbours::numbered;
use super::spectral::top_direction;
use crate::random::SplitMix;

/// Moves of the two means at most.
const MOST_MOVES: usize = 50;

/// More columns need more rows than a class has; reduce embeddings first.
const MOST_COLUMNS: usize = 64;

/// A class with fewer rows than this, or than three a column, is left out.
const FEWEST_ROWS: usize = 30;
const MOST_CLASSES: usize = 10_000;

/// The most multiplications: rows, columns, columns and moves, simulations.
const MOST_WORK: u128 = 20_000_000_000_000;

/// The two groups of one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassClusters {
    /// The class.
    pub class: u32,
    /// The rows of the smaller group, ascending.
    pub smaller: Vec<usize>,
    /// The smaller group's share of the class.
    pub share: f64,
    /// Squares within the groups over squares in all, `0..=1`; small where the groups are apart.
    pub cluster_index: f64,
    /// How often one normal cloud of the same covariance splits as well.
    pub p_value: f64,
}

/// Activation clustering: the two groups of each class, and whether one cloud would split as well.
///
/// Two means, started by the sign along the class's strongest direction. The null is one normal law with the class's
/// own covariance, simulated `simulations` times and split the same way; the p-value is
/// `(1 + as small an index) / (1 + simulations)`.
///
/// *False alarms.* The p-value holds for classes that are one normal cloud, and by the covariance that holds the
/// split itself it is cautious for others of that shape. Honest classes that have kinds (two ways to write a seven),
/// or heavy tails, are split as well: a small p-value says "two groups", and only a look at the smaller one, its
/// channels and labels, says which. Groups below some 10 % do not attract a mean of their own and are missed; use
/// [`super::spectral_signatures`] and [`super::OutsideNeighbours`] for those. Two means want few columns that matter,
/// so embeddings should be reduced first.
///
/// Classes of fewer than 30 rows, or three rows a column, are left out. `None` if lengths are uneven, a value is
/// missing, there are more than 64 columns, 10,000 classes or 10^5 simulations, or too much work.
/// Cost: `O(simulations * rows * columns * (columns + moves))`.
///
/// Sources: Chen et al., "Detecting Backdoor Attacks on Deep Neural Networks by Activation Clustering" (2018); null:
/// Liu et al., "Statistical Significance of Clustering", JASA 103 (2008).
#[must_use]
pub fn activation_clusters(rows: LabelledRows<'_>, simulations: u32, seed: u64) -> Option<Vec<ClassClusters>> {
    let (n, width) = (rows.features.rows(), rows.features.width());
    let work = n as u128 * width as u128 * (width + MOST_MOVES) as u128 * (1 + u128::from(simulations));
    let complete = rows.features.columns().iter().all(|column| column.iter().all(|value| value.is_finite()));
    let sized = width <= MOST_COLUMNS && simulations <= 100_000 && work <= MOST_WORK;
    if rows.labels.len() != n || !complete || !sized {
        return None;
    }
    let (classes, label_of) = numbered(rows.labels, MOST_CLASSES)?;
    let mut of_classes = vec![Vec::new(); classes.len()];
    label_of.iter().enumerate().for_each(|(row, label)| of_classes[*label].push(row));
    let mut random = SplitMix::new(seed);
    let mut found = Vec::new();
    let least = FEWEST_ROWS.max(3 * width);
    for (class, of_class) in classes.iter().zip(of_classes).filter(|(_, of_class)| least <= of_class.len()) {
        let columns: Vec<Vec<f64>> =
            rows.features.columns().iter().map(|column| of_class.iter().map(|row| column[*row]).collect()).collect();
        let columns = centred(columns);
        let (cluster_index, sides) = split(&columns);
        let root = root_of_covariance(&columns);
        let as_small = (0..simulations)
            .filter(|_| split(&centred(cloud(&root, of_class.len(), &mut random))).0 <= cluster_index)
            .count();
        let right = sides.iter().filter(|side| **side).count();
        let is_smaller = 2 * right <= sides.len();
        let members = of_class.iter().zip(&sides).filter(|(_, side)| **side == is_smaller);
        let smaller: Vec<usize> = members.map(|(row, _)| *row).collect();
        let share = smaller.len() as f64 / of_class.len() as f64;
        let p_value = (1 + as_small) as f64 / (1.0 + f64::from(simulations));
        found.push(ClassClusters { class: *class, smaller, share, cluster_index, p_value });
    }
    Some(found)
}

fn centred(mut columns: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for column in &mut columns {
        let mean = column.iter().sum::<f64>() / column.len() as f64;
        column.iter_mut().for_each(|value| *value -= mean);
    }
    columns
}

/// The cluster index of two means on centred columns, and the side of each row; one where nothing varies.
fn split(columns: &[Vec<f64>]) -> (f64, Vec<bool>) {
    let (_, along) = top_direction(columns);
    let mut sides: Vec<bool> = along.iter().map(|place| *place > 0.0).collect();
    let all: f64 = columns.iter().flatten().map(|x| x * x).sum();
    let n = sides.len() as f64;
    let mut between = 0.0;
    for _ in 0..MOST_MOVES {
        let right = sides.iter().filter(|side| **side).count() as f64;
        if right < 1.0 || n - right < 1.0 {
            break;
        }
        // Columns are centred, so the left mean is minus the right one times the ratio of rows.
        let means: Vec<f64> = columns
            .iter()
            .map(|column| column.iter().zip(&sides).filter(|(_, side)| **side).map(|(x, _)| x).sum::<f64>() / right)
            .collect();
        let ratio = right / (n - right);
        let squares: f64 = means.iter().map(|mean| mean * mean).sum();
        between = squares * right * (1.0 + ratio);
        let mut places = vec![0.0; sides.len()];
        for (column, mean) in columns.iter().zip(&means) {
            places.iter_mut().zip(column).for_each(|(place, x)| *place += x * mean);
        }
        // A row is nearer to the right mean where its place lies past the middle of both.
        let middle = 0.5 * squares * (1.0 - ratio);
        let next: Vec<bool> = places.iter().map(|place| *place > middle).collect();
        if next == sides {
            break;
        }
        sides = next;
    }
    (if all > 0.0 { (1.0 - between / all).clamp(0.0, 1.0) } else { 1.0 }, sides)
}

/// The lower triangle whose product with itself is the covariance of centred columns; zero where nothing is left.
fn root_of_covariance(columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = columns.first().map_or(1, Vec::len) as f64;
    let mut root: Vec<Vec<f64>> = Vec::with_capacity(columns.len());
    for (at, column) in columns.iter().enumerate() {
        let mut row = vec![0.0; at + 1];
        for other in 0..=at {
            let product: f64 = column.iter().zip(&columns[other]).map(|(a, b)| a * b).sum::<f64>() / n;
            let above = if other < at { &root[other][..other] } else { &row[..at] };
            let left = product - row[..other].iter().zip(above).map(|(a, b)| a * b).sum::<f64>();
            row[other] = if other < at {
                let pivot = root[other][other];
                if pivot > 0.0 { left / pivot } else { 0.0 }
            } else if left > 1e-12 * product {
                left.sqrt()
            } else {
                0.0
            };
        }
        root.push(row);
    }
    root
}

/// Columns of normal rows with that covariance.
fn cloud(root: &[Vec<f64>], rows: usize, random: &mut SplitMix) -> Vec<Vec<f64>> {
    let normals: Vec<Vec<f64>> = root.iter().map(|_| (0..rows).map(|_| random.normal()).collect()).collect();
    let mixed = root.iter().map(|weights| {
        let mut column = vec![0.0; rows];
        for (weight, normal) in weights.iter().zip(&normals) {
            column.iter_mut().zip(normal).for_each(|(sum, z)| *sum += weight * z);
        }
        column
    });
    mixed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Features;

    fn clusters(planted: usize, seed: u64) -> ClassClusters {
        let mut random = SplitMix::new(seed);
        let mut columns = vec![vec![]; 4];
        for row in 0..200 {
            let shared = 2.0 * random.normal();
            let shift = if row < planted { 7.0 } else { 0.0 };
            for (at, column) in columns.iter_mut().enumerate() {
                let sign = if at % 2 == 0 { 1.0 } else { -1.0 };
                column.push(shared + random.normal() + sign * shift);
            }
        }
        let features = Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
        activation_clusters(LabelledRows { features: &features, labels: &[5; 200] }, 99, 1).unwrap().remove(0)
    }

    #[test]
    fn a_second_group_is_found_and_one_long_cloud_is_not() {
        let honest = (0..20).filter(|seed| clusters(0, *seed).p_value <= 0.05).count();
        assert!(honest <= 3, "{honest} of 20");
        let found = clusters(40, 50);
        assert_eq!((found.class, found.p_value), (5, 0.01));
        assert_eq!(found.smaller, (0..40).collect::<Vec<_>>());
        assert!((found.share - 0.2).abs() < 1e-12 && found.cluster_index < 0.6);
    }

    /// The covariance of `(a, a + b)` with unit squares and no product.
    #[test]
    fn the_root_of_a_covariance_multiplies_back() {
        let columns = [vec![1.0, -1.0, 1.0, -1.0], vec![2.0, 0.0, 0.0, -2.0], vec![1.0, -1.0, 1.0, -1.0]];
        assert_eq!(root_of_covariance(&columns), [vec![1.0], vec![1.0, 1.0], vec![1.0, 0.0, 0.0]]);
    }

    #[test]
    fn bad_input_is_refused_and_constant_rows_are_one_group() {
        let (constant, missing) = ([2.0; 40], [f64::NAN; 40]);
        let (good, bad) = (Features::new(vec![&constant]).unwrap(), Features::new(vec![&missing]).unwrap());
        assert!(activation_clusters(LabelledRows { features: &bad, labels: &[0; 40] }, 9, 1).is_none());
        assert!(activation_clusters(LabelledRows { features: &good, labels: &[0; 4] }, 9, 1).is_none());
        let found = activation_clusters(LabelledRows { features: &good, labels: &[0; 40] }, 9, 1).unwrap();
        assert!(found[0].p_value == 1.0 && found[0].smaller.is_empty() && found[0].cluster_index == 1.0);
    }
}
