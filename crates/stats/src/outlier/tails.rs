//! ECOD and COPOD: how far out in the tails a row's values are.

use serde::{Deserialize, Serialize};

use crate::learn::Features;

/// How the tails of a column are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TailRule {
    /// The largest of the left tail, the right tail, and the one that the column's skewness points to; both where it is
    /// between minus one and one. Reference: Li, Zhao, Hu, Botta, Ionescu, Chen, "ECOD", IEEE TKDE (2022).
    Ecod,
    /// The larger of the mean of both tails and the one that the skewness points to.
    /// Reference: Li, Zhao, Botta, Ionescu, Hu, "COPOD", ICDM (2020).
    Copod,
}

/// Sums, over columns, minus the logarithm of how many values lie as far out.
///
/// A tail is `-ln(share of values at most x)` or `-ln(share at least x)`, the row itself counted with the `n` reference
/// values, so that no share is zero. As PyOD's for one row at a time. No parameter, and the score is a sum of parts by
/// column ([`TailScore::parts`]). Sees nothing that is only unusual in a combination, nor a gap between two clusters.
/// Cost: a search in each column, `O(columns ln(n))` a row; keeps all reference values. Without a false-alarm rate: put
/// [`super::Calibration`] behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct TailScore {
    rule: TailRule,
    columns: Vec<Column>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    rule: TailRule,
    columns: Vec<Vec<f64>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Column {
    sorted: Vec<f64>,
    /// Sums of the powers of distances from the mean.
    mean: f64,
    second: f64,
    third: f64,
}

impl TailScore {
    /// Keeps reference values; `None` for fewer than two rows, or a value that is missing or above `1e100`.
    #[must_use]
    pub fn fit(features: &Features<'_>, rule: TailRule) -> Option<Self> {
        if features.rows() < 2 {
            return None;
        }
        let columns = features.columns().iter().map(|column| Column::new(column.to_vec()));
        Some(Self { rule, columns: columns.collect::<Option<_>>()? })
    }

    /// The score of each row; `None` if the number of columns differs or a value is missing.
    #[must_use]
    pub fn score(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        let mut scores = vec![0.0; features.rows()];
        for part in self.parts(features)? {
            scores.iter_mut().zip(part).for_each(|(score, part)| *score += part);
        }
        Some(scores)
    }

    /// What each column adds to the score of each row, column by column; `None` as for the score.
    #[must_use]
    pub fn parts(&self, features: &Features<'_>) -> Option<Vec<Vec<f64>>> {
        let fits = features.width() == self.columns.len();
        let known = || features.columns().iter().all(|column| column.iter().all(|value| value.abs() <= 1e100));
        if !fits || !known() {
            return None;
        }
        let columns = self.columns.iter().zip(features.columns());
        Some(
            columns
                .map(|(column, values)| values.iter().map(|value| column.part(*value, self.rule)).collect())
                .collect(),
        )
    }
}

impl Column {
    fn new(mut values: Vec<f64>) -> Option<Self> {
        // Third powers stay finite.
        if values.iter().any(|value| value.is_nan() || value.abs() > 1e100) {
            return None;
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let power = |exponent| values.iter().map(|value| (value - mean).powi(exponent)).sum();
        let (second, third) = (power(2), power(3));
        values.sort_unstable_by(f64::total_cmp);
        Some(Self { sorted: values, mean, second, third })
    }

    /// The skewness with one more value; zero for a constant.
    fn skewness_with(&self, value: f64) -> f64 {
        let n = self.sorted.len() as f64;
        let (count, delta) = (n + 1.0, value - self.mean);
        let step = delta / count;
        let second = self.second + delta * step * n;
        let third = self.third + delta * step * step * n * (n - 1.0) - 3.0 * step * self.second;
        if second > 0.0 { count.sqrt() * third / second.powf(1.5) } else { 0.0 }
    }

    fn part(&self, value: f64, rule: TailRule) -> f64 {
        let count = (self.sorted.len() + 1) as f64;
        let at_most = self.sorted.partition_point(|other| *other <= value) + 1;
        let below = self.sorted.partition_point(|other| *other < value);
        let left = -(at_most as f64 / count).ln();
        let right = -((self.sorted.len() + 1 - below) as f64 / count).ln();
        let skewness = self.skewness_with(value);
        let sign = |x: f64| if x == 0.0 || x.is_nan() { 0.0 } else { x.signum() };
        match rule {
            TailRule::Ecod => {
                let skewed = -left * sign(skewness - 1.0) + right * sign(skewness + 1.0);
                skewed.max(left.max(right))
            }
            TailRule::Copod => {
                let skewed = (right - left) * sign(skewness);
                skewed.max(0.5 * (left + right))
            }
        }
    }
}

impl TryFrom<Stored> for TailScore {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let rows = stored.columns.first().map_or(0, Vec::len);
        if rows < 2 || stored.columns.iter().any(|column| column.len() != rows) {
            return Err("not columns of reference values");
        }
        let columns: Option<Vec<Column>> = stored.columns.into_iter().map(Column::new).collect();
        columns.map(|columns| Self { rule: stored.rule, columns }).ok_or("a reference value that is missing")
    }
}

impl From<TailScore> for Stored {
    fn from(model: TailScore) -> Self {
        Self { rule: model.rule, columns: model.columns.into_iter().map(|column| column.sorted).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skewness_follows_one_more_value() {
        let values: Vec<f64> = (0..50).map(|i| f64::from(i * i % 37)).collect();
        let column = Column::new(values.clone()).unwrap();
        for value in [-100.0, 3.5, 1_000.0] {
            let all: Vec<f64> = values.iter().copied().chain([value]).collect();
            let mean = all.iter().sum::<f64>() / 51.0;
            let moment = |exponent| all.iter().map(|x| (x - mean).powi(exponent)).sum::<f64>() / 51.0;
            let expected = moment(3) / moment(2).powf(1.5);
            assert!((column.skewness_with(value) - expected).abs() < 1e-9 * expected.abs());
        }
    }

    #[test]
    fn both_tails_stand_out_and_parts_name_the_column() {
        let x: Vec<f64> = (0..200).map(f64::from).collect();
        let y: Vec<f64> = (0..200).map(|i| f64::from(i * 7 % 200)).collect();
        for rule in [TailRule::Ecod, TailRule::Copod] {
            let model = TailScore::fit(&Features::new(vec![&x, &y]).unwrap(), rule).unwrap();
            let judged = Features::new(vec![&[100.0, -5.0, 205.0], &[100.0; 3]]).unwrap();
            let scores = model.score(&judged).unwrap();
            assert!(scores[1] > scores[0] + 1.0 && scores[2] > scores[0] + 1.0, "{scores:?}");
            let parts = model.parts(&judged).unwrap();
            assert!(parts[0][1] > parts[1][1]);
            let read: TailScore = postcard::from_bytes(&postcard::to_allocvec(&model).unwrap()).unwrap();
            assert_eq!(read.score(&judged), model.score(&judged));
        }
        assert!(TailScore::fit(&Features::new(vec![&[1.0, f64::NAN]]).unwrap(), TailRule::Ecod).is_none());
    }
}
