//! The extended isolation forest: splits by random planes, which see combinations of features.

use serde::{Deserialize, Serialize};

use super::isolation_forest::{ForestSettings, depth_of, random_rows};
use super::path_length::mean_path_length;
use super::typical::Typical;
use crate::learn::Features;
use crate::random::SplitMix;

/// An isolation forest whose splits are random planes rather than values of one feature.
///
/// A row goes left where `(x - p) . n <= 0`: `n` is a random direction of `planes` columns, `p` a random point within
/// the rows of the node. Columns are brought to one scale first, by the range between their quartiles, so that no
/// unit decides. The score is that of [`super::IsolationForest`]; it has no bands of low scores along the axes, and
/// finds rows whose features are usual one by one and not together.
///
/// Missing values, and the false-alarm rate: as there. Cost: `planes` times that of the plain forest.
/// Reference: Hariri, Kind, Brunner, "Extended Isolation Forest", IEEE TKDE 33 (2021), algorithms 2 and 3.
///
/// ```
/// use wardline_stats::learn::Features;
/// use wardline_stats::outlier::{ExtendedForest, ForestSettings};
///
/// let x: Vec<f64> = (0..600).map(|i| f64::from(i % 37)).collect();
/// let y: Vec<f64> = x.iter().map(|x| 36.0 - x).collect();
/// let rows = Features::new(vec![&x, &y]).unwrap();
/// let forest = ExtendedForest::fit(&rows, 2, &ForestSettings::default()).unwrap();
/// // Each value is usual; that both are low is not.
/// let scores = forest.score(&Features::new(vec![&[18.0, 5.0], &[18.0, 5.0]]).unwrap()).unwrap();
/// assert!(scores[1] > scores[0] + 0.05);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ExtendedForest {
    trees: Vec<Tree>,
    sample: usize,
    planes: usize,
    scales: Vec<f64>,
    typical: Typical,
}

/// Planes of a complete tree by place, the root at one, and depths of its lowest level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Tree {
    /// Columns and weights of each plane, `planes` to a place.
    columns: Vec<u32>,
    weights: Vec<f64>,
    /// A row goes right where its weighted sum is above.
    thresholds: Vec<f64>,
    depths: Vec<f64>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    trees: Vec<Tree>,
    sample: usize,
    planes: usize,
    scales: Vec<f64>,
    typical: Typical,
}

impl ExtendedForest {
    /// Grows a forest whose planes use so many columns each (one is the plain forest, the width the full extension).
    ///
    /// `None` for settings out of range, `planes` of zero or more than there are columns, fewer than two rows, or no
    /// column with a value.
    #[must_use]
    pub fn fit(features: &Features<'_>, planes: usize, settings: &ForestSettings) -> Option<Self> {
        let rows = features.rows();
        if !settings.valid() || rows < 2 || planes == 0 || planes > features.width() {
            return None;
        }
        let typical = Typical::of(features)?;
        let scales = features.columns().iter().map(|column| scale_of(column)).collect::<Vec<f64>>();
        let mut random = SplitMix::new(settings.seed);
        let size = rows.min(settings.sample as usize);
        let trees = (0..settings.trees).map(|_| {
            let mut values = Vec::with_capacity(size * features.width());
            for row in random_rows(rows, size, &mut random) {
                let columns = features.columns().iter().enumerate();
                values.extend(columns.map(|(feature, column)| scaled(&typical, &scales, feature, column[row])));
            }
            Tree::grow(&values, features.width(), planes, depth_of(size), &mut random)
        });
        let trees = trees.collect();
        Some(Self { trees, sample: size, planes, scales, typical })
    }

    /// The score of each row in `(0, 1)`, larger for more unusual; `None` if the number of columns differs.
    #[must_use]
    pub fn score(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        if features.width() != self.typical.width() {
            return None;
        }
        let scale = -1.0 / (self.trees.len() as f64 * mean_path_length(self.sample));
        let mut row = vec![0.0; features.width()];
        let score = |at: usize| {
            for (feature, column) in features.columns().iter().enumerate() {
                row[feature] = scaled(&self.typical, &self.scales, feature, column[at]);
            }
            let sum: f64 = self.trees.iter().map(|tree| tree.depth_of(&row, self.planes)).sum();
            (sum * scale).exp2()
        };
        Some((0..features.rows()).map(score).collect())
    }
}

/// The value, or what stands in for it, in units of its column; so far from the limits of numbers that sums are finite.
fn scaled(typical: &Typical, scales: &[f64], feature: usize, value: f64) -> f64 {
    (typical.value(feature, value) * scales[feature]).clamp(-1e150, 1e150)
}

/// One over the range between the quartiles; over the whole range where that is zero, and zero for a constant.
fn scale_of(column: &[f64]) -> f64 {
    let mut values: Vec<f64> = column.iter().copied().filter(|value| !value.is_nan()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values.get((share * values.len() as f64) as usize).copied();
    let range = |low: f64, high: f64| {
        let width = at(high).or(values.last().copied())? - at(low)?;
        (width > 0.0 && width.is_finite()).then(|| 1.0 / width)
    };
    range(0.25, 0.75).or_else(|| range(0.0, 1.0)).filter(|scale| scale.is_finite()).unwrap_or(0.0)
}

impl Tree {
    fn grow(values: &[f64], width: usize, planes: usize, depth: u32, random: &mut SplitMix) -> Self {
        let places = 1 << depth;
        let mut tree = Self {
            columns: vec![0; places * planes],
            weights: vec![0.0; places * planes],
            thresholds: vec![f64::MAX; places],
            depths: vec![0.0; places],
        };
        let mut order: Vec<u32> = (0..(values.len() / width) as u32).collect();
        let mut open = vec![(1_usize, 0_u32, 0_usize, order.len())];
        while let Some((place, level, first, last)) = open.pop() {
            let rows = &mut order[first..last];
            let middle = (level < depth).then(|| tree.split(place, rows, values, width, planes, random)).flatten();
            let Some(middle) = middle else {
                let below = depth - level;
                let start = (place << below) - places;
                let isolated = f64::from(level) + mean_path_length(rows.len());
                tree.depths[start..start + (1 << below)].fill(isolated);
                continue;
            };
            open.push((2 * place, level + 1, first, first + middle));
            open.push((2 * place + 1, level + 1, first + middle, last));
        }
        tree
    }

    /// Splits rows by a random plane; returns how many go left, or nothing where they are all the same.
    fn split(
        &mut self,
        place: usize,
        rows: &mut [u32],
        values: &[f64],
        width: usize,
        planes: usize,
        random: &mut SplitMix,
    ) -> Option<usize> {
        if rows.len() < 2 {
            return None;
        }
        let ranges: Vec<(f64, f64)> = (0..width)
            .map(|feature| {
                let start = (f64::INFINITY, f64::NEG_INFINITY);
                rows.iter().fold(start, |(low, high), row| {
                    let value = values[*row as usize * width + feature];
                    (low.min(value), high.max(value))
                })
            })
            .collect();
        let mut varying: Vec<usize> = (0..width).filter(|at| ranges[*at].0 < ranges[*at].1).collect();
        if varying.is_empty() {
            return None;
        }
        random.shuffle(&mut varying);
        varying.truncate(planes);
        let mut threshold = 0.0;
        let base = place * planes;
        for (slot, feature) in varying.iter().enumerate() {
            let (low, high) = ranges[*feature];
            let weight = random.normal();
            threshold += weight * (low + random.unit() * (high - low));
            self.columns[base + slot] = *feature as u32;
            self.weights[base + slot] = weight;
        }
        self.thresholds[place] = threshold;
        let mut left = 0;
        for at in 0..rows.len() {
            let row = rows[at] as usize * width;
            if !self.goes_right(place, &values[row..row + width], planes) {
                rows.swap(at, left);
                left += 1;
            }
        }
        Some(left)
    }

    fn goes_right(&self, place: usize, row: &[f64], planes: usize) -> bool {
        let slots = place * planes..(place + 1) * planes;
        let plane = self.columns[slots.clone()].iter().zip(&self.weights[slots]);
        plane.map(|(column, weight)| weight * row[*column as usize]).sum::<f64>() > self.thresholds[place]
    }

    fn depth_of(&self, row: &[f64], planes: usize) -> f64 {
        let mut place = 1;
        while place < self.depths.len() {
            place = 2 * place + usize::from(self.goes_right(place, row, planes));
        }
        self.depths[place - self.depths.len()]
    }

    fn is_sound(&self, planes: usize, width: usize) -> bool {
        let places = self.depths.len();
        places.is_power_of_two()
            && self.thresholds.len() == places
            && places.checked_mul(planes) == Some(self.columns.len())
            && self.weights.len() == self.columns.len()
            && self.columns.iter().all(|column| (*column as usize) < width)
            && self.thresholds.iter().chain(&self.weights).all(|number| !number.is_nan())
            && self.depths.iter().all(|depth| depth.is_finite() && 0.0 <= *depth)
    }
}

impl TryFrom<Stored> for ExtendedForest {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { trees, sample, planes, scales, typical } = stored;
        let width = typical.width();
        let sound = !trees.is_empty()
            && sample >= 2
            && planes > 0
            && scales.len() == width
            && scales.iter().all(|scale| scale.is_finite())
            && typical.is_sound()
            && trees.iter().all(|tree| tree.is_sound(planes, width));
        if sound { Ok(Self { trees, sample, planes, scales, typical }) } else { Err("not an extended forest") }
    }
}

impl From<ExtendedForest> for Stored {
    fn from(forest: ExtendedForest) -> Self {
        let ExtendedForest { trees, sample, planes, scales, typical } = forest;
        Self { trees, sample, planes, scales, typical }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(rows: usize) -> (Vec<f64>, Vec<f64>) {
        let mut random = SplitMix::new(5);
        let x: Vec<f64> = (0..rows).map(|_| random.normal()).collect();
        let y = x.iter().map(|x| 1_000.0 * (x + 0.05 * random.normal())).collect();
        (x, y)
    }

    /// Goal: what is usual in each feature and not together is found, and by the plain forest less well.
    #[test]
    fn planes_see_what_single_features_hide() {
        let (x, y) = line(2_000);
        let rows = Features::new(vec![&x, &y]).unwrap();
        let (low, high) = ([0.8; 2], [-800.0, 800.0]);
        let odd = Features::new(vec![&low, &high]).unwrap();
        let settings = ForestSettings::default();
        let extended = ExtendedForest::fit(&rows, 2, &settings).unwrap();
        let plain = super::super::IsolationForest::fit(&rows, &settings).unwrap();
        let rank = |scores: Vec<f64>, odd: f64| scores.iter().filter(|score| **score >= odd).count();
        let by_planes = rank(extended.score(&rows).unwrap(), extended.score(&odd).unwrap()[0]);
        let by_features = rank(plain.score(&rows).unwrap(), plain.score(&odd).unwrap()[0]);
        assert!(by_planes < 100 && 2 * by_planes < by_features, "{by_planes} and {by_features} of 2,000 are as odd");
    }

    /// Goal: values at the limits of numbers end in finite scores and a forest that can be stored.
    #[test]
    fn the_greatest_numbers_do_no_harm() {
        let x: Vec<f64> = (0..300).map(|at| if at % 50 == 0 { f64::MAX } else { f64::from(at) * 1e-9 }).collect();
        let y: Vec<f64> = (0..300).map(|at| if at % 40 == 0 { f64::MIN } else { f64::from(at % 7) }).collect();
        let rows = Features::new(vec![&x, &y]).unwrap();
        let forest = ExtendedForest::fit(&rows, 2, &ForestSettings { trees: 50, ..ForestSettings::default() }).unwrap();
        let scores = forest.score(&rows).unwrap();
        assert!(scores.iter().all(|score| 0.0 < *score && *score < 1.0));
        assert!(scores[0] > scores[1], "{} {}", scores[0], scores[1]);
        let read: ExtendedForest = postcard::from_bytes(&postcard::to_allocvec(&forest).unwrap()).unwrap();
        assert_eq!(read, forest);
    }

    #[test]
    fn what_is_stored_answers_the_same_and_nonsense_is_refused() {
        let (x, y) = line(300);
        let rows = Features::new(vec![&x, &y]).unwrap();
        let forest = ExtendedForest::fit(&rows, 2, &ForestSettings { trees: 9, ..ForestSettings::default() }).unwrap();
        let bytes = postcard::to_allocvec(&forest).unwrap();
        let read: ExtendedForest = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(read.score(&rows), forest.score(&rows));
        let mut text = serde_json::to_value(&forest).unwrap();
        text["trees"][0]["columns"][3] = 2.into();
        assert!(serde_json::from_value::<ExtendedForest>(text).is_err());
        assert!(ExtendedForest::fit(&rows, 3, &ForestSettings::default()).is_none());
        assert!(ExtendedForest::fit(&rows, 0, &ForestSettings::default()).is_none());
        let missing = [f64::NAN];
        assert!(ExtendedForest::fit(&Features::new(vec![&missing]).unwrap(), 1, &ForestSettings::default()).is_none());
    }
}
