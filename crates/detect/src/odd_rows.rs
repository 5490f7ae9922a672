//! How odd a row of inputs is, given what the model decided: learned in a stream, without keeping rows.
//!
//! Rows are compared with the mean of their decision's rows. Two scores: the Mahalanobis distance (unlike the others as a
//! whole), and the three inputs that the others explain worst (a patch, a sticker, one value that does not fit); each is
//! ranked among rows of the learning period that the model was not fitted on, so that a usual row has a small p-value as
//! rarely as it says (conformal). The smaller one of the two counts, doubled.
//! Source: Mahalanobis (1936); partial residuals from the inverse covariance as in Lauritzen, "Graphical Models" (1996);
//! Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World" (2005).
//!
//! Bound: [`MOST_INPUTS`] numbers a row. More inputs are added up into as many sums with signs chosen by their names, which
//! keeps distances, but not which input it was.

use serde::{Deserialize, Serialize};
use wardline_stats::outlier::Calibration;

use crate::thinned::Thinned;

/// Most numbers of a row.
pub(crate) const MOST_INPUTS: usize = 64;
/// Decisions with a mean of their own.
const MOST_CLASSES: usize = 16;
/// Rows of a decision before it has.
const LEAST_OF_CLASS: f64 = 20.0;
const MOST_CALIBRATION: usize = 1_024;
const LEAST_CALIBRATION: usize = 200;
/// Added to the diagonal of the covariance: of itself, and of the mean variance, so that an input that was always the same
/// may have some, and what was learned from few rows is not trusted too far.
const RIDGE: f64 = 0.05;
const LEAST_VARIANCE: f64 = 1e-3;
/// Inputs that the patch score is made of.
const WORST: usize = 3;

/// Sums of rows while the model is learned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sums {
    /// By class, the last for all others: rows and sums.
    classes: Vec<(f64, Vec<f64>)>,
    /// Of products, the lower triangle.
    products: Vec<f64>,
    /// Of each input, and how often it was there, to fill in what is missing.
    inputs: Vec<(f64, f64)>,
    rows: f64,
}

/// What was learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shape {
    /// By class, the last for all others.
    means: Vec<Vec<f32>>,
    /// The inverse covariance, lower triangle.
    inverse: Vec<f32>,
}

/// The model of odd rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct OddRows {
    width: usize,
    classes: Vec<u32>,
    sums: Option<Sums>,
    shape: Option<Shape>,
    sample: Thinned<[f32; 2], MOST_CALIBRATION>,
    calibration: Option<[Calibration; 2]>,
}

/// How odd a row is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Oddness {
    pub(crate) p_value: f64,
    /// The inputs that fit worst, by their place in the row.
    pub(crate) worst: [usize; WORST],
    /// Whether these alone make it odd.
    pub(crate) is_patch: bool,
}

impl OddRows {
    /// Takes a row to learn the shape from. NaN stands for a missing number; `class` is the hashed decision.
    pub(crate) fn learn(&mut self, row: &[f64], class: u32) {
        if self.sums.is_none() && self.shape.is_none() {
            self.width = row.len().min(MOST_INPUTS);
            self.sums = Some(Sums {
                classes: vec![(0.0, vec![0.0; self.width]); MOST_CLASSES + 1],
                products: vec![0.0; self.width * (self.width + 1) / 2],
                inputs: vec![(0.0, 0.0); self.width],
                rows: 0.0,
            });
        }
        let at = self.class(class, true);
        if let Some(sums) = &mut self.sums
            && row.len() == self.width
        {
            sums.add(row, at);
        }
    }

    /// Rows that the shape was learned from so far.
    pub(crate) fn rows(&self) -> f64 {
        self.sums.as_ref().map_or(0.0, |sums| sums.rows)
    }

    /// Fits the shape; from here on rows are scored. `false` where it cannot be fitted.
    pub(crate) fn fit(&mut self) -> bool {
        let Some(sums) = &self.sums else { return false };
        self.shape = sums.shape(self.width);
        if self.shape.is_some() {
            self.sums = None;
        }
        self.shape.is_some()
    }

    pub(crate) const fn is_fitted(&self) -> bool {
        self.shape.is_some()
    }

    pub(crate) const fn is_calibrated(&self) -> bool {
        self.calibration.is_some()
    }

    /// Takes a usual row that the shape was not learned from.
    pub(crate) fn calibrate(&mut self, row: &[f64], class: u32) {
        if let Some((scores, _)) = self.scores(row, class) {
            self.sample.push(|| scores.map(|score| score as f32));
        }
    }

    /// Ends the calibration; `false` where there are too few rows.
    pub(crate) fn finish(&mut self) -> bool {
        let kept = self.sample.kept();
        if kept.len() < LEAST_CALIBRATION {
            return false;
        }
        let of =
            |place: usize| Calibration::new(&kept.iter().map(|scores| f64::from(scores[place])).collect::<Vec<_>>());
        if let (Some(whole), Some(patch)) = (of(0), of(1)) {
            self.calibration = Some([whole, patch]);
            self.sample = Thinned::default();
        }
        self.calibration.is_some()
    }

    /// How odd a row is; `None` before the calibration has ended.
    pub(crate) fn judge(&self, row: &[f64], class: u32) -> Option<Oddness> {
        let [whole, patch] = self.calibration.as_ref()?;
        let (scores, worst) = self.scores(row, class)?;
        let (of_whole, of_patch) = (whole.p_value(scores[0])?, patch.p_value(scores[1])?);
        Some(Oddness { p_value: (2.0 * of_whole.min(of_patch)).min(1.0), worst, is_patch: of_patch <= of_whole })
    }

    fn class(&mut self, class: u32, is_new_taken: bool) -> usize {
        if let Some(at) = self.classes.iter().position(|&known| known == class) {
            return at;
        }
        if is_new_taken && self.classes.len() < MOST_CLASSES {
            self.classes.push(class);
            return self.classes.len() - 1;
        }
        MOST_CLASSES
    }

    /// Both scores, and the inputs that fit worst.
    fn scores(&self, row: &[f64], class: u32) -> Option<([f64; 2], [usize; WORST])> {
        let shape = self.shape.as_ref()?;
        if row.len() != self.width {
            return None;
        }
        let at = self.classes.iter().position(|&known| known == class).unwrap_or(MOST_CLASSES);
        let mean = shape.means.get(at)?;
        let away: Vec<f32> = row
            .iter()
            .zip(mean)
            .map(|(value, mean)| if value.is_finite() { (*value as f32) - mean } else { 0.0 })
            .collect();
        let mut along = vec![0.0_f32; self.width];
        let mut start = 0;
        for i in 0..self.width {
            let (cells, own) = (shape.inverse.get(start..=start + i)?, away[i]);
            let mut sum = cells[i] * own;
            for j in 0..i {
                sum += cells[j] * away[j];
                along[j] += cells[j] * own;
            }
            along[i] += sum;
            start += i + 1;
        }
        let distance: f32 = along.iter().zip(&away).map(|(x, y)| x * y).sum();
        let mut worst = [(0.0_f32, 0_usize); WORST];
        for (i, value) in along.iter().enumerate() {
            let diagonal = shape.inverse[i * (i + 1) / 2 + i].max(1e-30);
            let residual = value * value / diagonal;
            if residual > worst[WORST - 1].0 {
                worst[WORST - 1] = (residual, i);
                worst.sort_by(|left, right| right.0.total_cmp(&left.0));
            }
        }
        let patch: f32 = worst.iter().map(|(residual, _)| residual).sum();
        let scores = [f64::from(distance), f64::from(patch)];
        scores.iter().all(|score| score.is_finite()).then_some((scores, worst.map(|(_, place)| place)))
    }
}

impl Sums {
    fn add(&mut self, row: &[f64], class: usize) {
        let filled: Vec<f64> = row
            .iter()
            .zip(&mut self.inputs)
            .map(|(value, (sum, n))| {
                if value.is_finite() {
                    (*sum, *n) = (*sum + value, *n + 1.0);
                    *value
                } else if *n > 0.0 {
                    *sum / *n
                } else {
                    0.0
                }
            })
            .collect();
        self.rows += 1.0;
        // The last one holds all rows, for decisions without a mean of their own.
        let own = (class < MOST_CLASSES).then_some(class);
        for at in own.into_iter().chain([MOST_CLASSES]) {
            let (n, sums) = &mut self.classes[at];
            *n += 1.0;
            sums.iter_mut().zip(&filled).for_each(|(sum, value)| *sum += value);
        }
        let mut cells = self.products.iter_mut();
        for i in 0..filled.len() {
            for (value, cell) in filled[..=i].iter().zip(&mut cells) {
                *cell += filled[i] * value;
            }
        }
    }

    fn shape(&self, width: usize) -> Option<Shape> {
        let (all, all_sums) = self.classes.last()?;
        let mean_of = |(n, sums): &(f64, Vec<f64>)| -> Vec<f64> {
            let (n, sums) = if *n >= LEAST_OF_CLASS { (*n, sums) } else { (*all, all_sums) };
            sums.iter().map(|sum| sum / n.max(1.0)).collect()
        };
        let means: Vec<Vec<f64>> = self.classes.iter().map(mean_of).collect();
        let own: Vec<(f64, &Vec<f64>)> = self.classes[..MOST_CLASSES]
            .iter()
            .zip(&means)
            .filter(|((n, _), _)| *n >= LEAST_OF_CLASS)
            .map(|((n, _), mean)| (*n, mean))
            .collect();
        let rest = (self.rows - own.iter().map(|(n, _)| n).sum::<f64>()).max(0.0);
        let mut covariance = vec![0.0; width * (width + 1) / 2];
        let mut at = 0;
        for i in 0..width {
            for j in 0..=i {
                let between: f64 = own.iter().map(|(n, mean)| n * mean[i] * mean[j]).sum();
                let last = means.last()?;
                covariance[at] = (self.products[at] - between - rest * last[i] * last[j]) / self.rows.max(1.0);
                at += 1;
            }
        }
        let diagonal = |i: usize| i * (i + 1) / 2 + i;
        let mean_variance = (0..width).map(|i| covariance[diagonal(i)].max(0.0)).sum::<f64>() / width.max(1) as f64;
        if mean_variance <= 0.0 || !mean_variance.is_finite() {
            return None;
        }
        for i in 0..width {
            let own = covariance[diagonal(i)].max(0.0);
            covariance[diagonal(i)] = own * (1.0 + RIDGE) + least_variance(own, mean_variance);
        }
        let inverse = inverse_of(&covariance, width)?;
        let means = means.into_iter().map(|mean| mean.into_iter().map(|value| value as f32).collect()).collect();
        Some(Shape { means, inverse: inverse.into_iter().map(|cell| cell as f32).collect() })
    }
}

/// Inputs of different units have variances of their own; only one that never moved borrows from the others.
fn least_variance(own: f64, mean: f64) -> f64 {
    if own > 1e-9 * mean { own * LEAST_VARIANCE } else { LEAST_VARIANCE * mean }
}

/// The inverse of a positive definite matrix, by Cholesky's factor; lower triangles.
fn inverse_of(matrix: &[f64], width: usize) -> Option<Vec<f64>> {
    let at = |i: usize, j: usize| i * (i + 1) / 2 + j;
    let mut factor = matrix.to_vec();
    for i in 0..width {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| factor[at(i, k)] * factor[at(j, k)]).sum();
            let rest = matrix[at(i, j)] - sum;
            factor[at(i, j)] =
                if i == j { (rest > 0.0 && rest.is_finite()).then(|| rest.sqrt())? } else { rest / factor[at(j, j)] };
        }
    }
    // The factor's inverse, then its square.
    let mut lower = vec![0.0; factor.len()];
    for j in 0..width {
        lower[at(j, j)] = 1.0 / factor[at(j, j)];
        for i in j + 1..width {
            let sum: f64 = (j..i).map(|k| factor[at(i, k)] * lower[at(k, j)]).sum();
            lower[at(i, j)] = -sum / factor[at(i, i)];
        }
    }
    let mut inverse = vec![0.0; factor.len()];
    for i in 0..width {
        for j in 0..=i {
            inverse[at(i, j)] = (i..width).map(|k| lower[at(k, i)] * lower[at(k, j)]).sum();
        }
    }
    Some(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Dice;

    #[test]
    fn an_inverse_is_one() {
        // [[4, 2, 0], [2, 3, 1], [0, 1, 2]]: determinant 12.
        let found = inverse_of(&[4.0, 2.0, 3.0, 0.0, 1.0, 2.0], 3).unwrap();
        let expected = [5.0, -4.0, 8.0, 2.0, -4.0, 8.0].map(|cell: f64| cell / 12.0);
        assert!(found.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-12), "{found:?}");
        assert_eq!(inverse_of(&[0.0], 1), None);
    }

    /// Two decisions; 16 inputs that go along with each other, the last always 1.
    fn row(dice: &mut Dice, class: u32) -> Vec<f64> {
        let common = 3.0 * dice.normal();
        let mut row: Vec<f64> = (0..15).map(|_| f64::from(class) * 5.0 + common + dice.normal()).collect();
        row.push(1.0);
        row
    }

    fn learned(dice: &mut Dice) -> OddRows {
        let mut odd = OddRows::default();
        let class = |dice: &mut Dice| (dice.next() * 2.0) as u32 + 7;
        for _ in 0..600 {
            let class = class(dice);
            odd.learn(&row(dice, class), class);
        }
        assert!(odd.fit());
        for _ in 0..600 {
            let class = class(dice);
            odd.calibrate(&row(dice, class), class);
        }
        assert!(odd.finish());
        odd
    }

    /// Goal: a usual row is odd as rarely as its p-value says; a value that does not fit its neighbours, though it is
    /// common by itself, is odd, and so is one in an input that never moved.
    #[test]
    fn a_patch_is_odd_and_usual_rows_are_as_rarely_as_said() {
        let mut dice = Dice(3);
        let odd = learned(&mut dice);
        let usual = (0..4_000).filter(|_| odd.judge(&row(&mut dice, 7), 7).unwrap().p_value <= 0.05).count();
        assert!((80..=300).contains(&usual), "{usual} of 4000");
        let patched = (0..200)
            .filter(|_| {
                let mut row = row(&mut dice, 8);
                row[4] -= 6.0;
                let found = odd.judge(&row, 8).unwrap();
                found.p_value <= 0.05 && found.worst[0] == 4 && found.is_patch
            })
            .count();
        assert!(patched >= 150, "{patched} of 200");
        let mut moved = row(&mut dice, 8);
        moved[15] = 3.0;
        assert!(odd.judge(&moved, 8).unwrap().p_value <= 0.01);
        moved[3] = f64::NAN;
        assert!(odd.judge(&moved, 99).is_some() && odd.judge(&moved[1..], 8).is_none());
    }

    #[test]
    fn too_little_is_not_judged() {
        let mut odd = OddRows::default();
        assert!(!odd.fit() && !odd.finish() && odd.judge(&[1.0], 1).is_none());
        odd.learn(&[1.0, 2.0], 1);
        assert!(!odd.fit(), "no variance");
    }
}
