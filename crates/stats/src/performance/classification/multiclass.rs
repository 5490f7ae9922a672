//! Decisions among several classes against labels, as a square table of counts.

use serde::{Deserialize, Serialize};

use super::metric::{BinaryMetric, FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_NEGATIVE, TRUE_POSITIVE};
use crate::interval::Estimate;

/// More classes would make a table of more than 128 MiB.
const MOST_CLASSES: usize = 4_096;

/// How metrics of single classes become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Average {
    /// The mean over classes, each the same.
    Macro,
    /// The metric of the sum of all one-against-rest tables.
    Micro,
    /// The mean over classes, each weighted by how many labels it has.
    Weighted,
}

/// The table of labels (rows) and decisions (columns) of `classes` classes; tables add up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct MulticlassConfusion {
    classes: usize,
    counts: Vec<u64>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    classes: usize,
    counts: Vec<u64>,
}

impl MulticlassConfusion {
    /// An empty table; `None` unless `2 <= classes <= 4,096`.
    #[must_use]
    pub fn new(classes: usize) -> Option<Self> {
        (2..=MOST_CLASSES).contains(&classes).then(|| Self { classes, counts: vec![0; classes * classes] })
    }

    /// Takes in one decision with its label, both below the number of classes, else `false`; `O(1)`.
    pub fn observe(&mut self, label: usize, decision: usize) -> bool {
        let known = label < self.classes && decision < self.classes;
        if known {
            self.counts[label * self.classes + decision] += 1;
        }
        known
    }

    /// Adds the counts of another table; `false`, and nothing is added, if the classes differ.
    pub fn merge(&mut self, other: &Self) -> bool {
        let same = self.classes == other.classes;
        if same {
            let cells = self.counts.iter_mut().zip(&other.counts);
            cells.for_each(|(cell, more)| *cell = cell.saturating_add(*more));
        }
        same
    }

    /// How many decisions of a class have this label.
    #[must_use]
    pub fn cell(&self, label: usize, decision: usize) -> Option<u64> {
        let known = label < self.classes && decision < self.classes;
        known.then(|| self.counts[label * self.classes + decision])
    }

    /// The share of decisions that are right, with its standard error.
    #[must_use]
    pub fn accuracy(&self) -> Option<Estimate> {
        let total = self.total();
        let value = self.right() / total;
        (total > 0.0).then(|| Estimate::new(value, (value * (1.0 - value) / total).sqrt())).flatten()
    }

    /// The mean recall of classes that have labels, with its standard error by the delta method; a class
    /// without labels is left out. `None` for an empty table.
    #[must_use]
    pub fn balanced_accuracy(&self) -> Option<Estimate> {
        let (rows, _) = self.sums();
        let known = rows.iter().filter(|labels| **labels > 0.0).count() as f64;
        let recall = |class: usize| self.counts[class * self.classes + class] as f64 / rows[class];
        let value = (0..self.classes).filter(|class| rows[*class] > 0.0).map(recall).sum::<f64>() / known;
        let slope = |label: usize, decision: usize| {
            let hit = f64::from(u8::from(label == decision));
            (hit - recall(label)) / (rows[label] * known)
        };
        Estimate::new(value, self.variance(slope).sqrt())
    }

    /// A metric of one class against the rest; `None` where it has no value, or for an unknown class.
    #[must_use]
    pub fn of_class(&self, class: usize, metric: BinaryMetric) -> Option<f64> {
        Some(metric.at(self.one_vs_rest(class)?)?.value)
    }

    /// A metric averaged over classes, with its standard error by the delta method.
    ///
    /// A class where the metric has no value counts as zero, as in scikit-learn; classes with neither
    /// labels nor decisions are left out. Cost `O(classes^2)`. Not to be trusted where classes that
    /// matter for the mean have fewer than some ten labels.
    /// `None` for an empty table. Reference: Takahashi et al., Applied Intelligence 52 (2022).
    #[must_use]
    pub fn average(&self, metric: BinaryMetric, average: Average) -> Option<Estimate> {
        let tables: Vec<[f64; 4]> = (0..self.classes).filter_map(|class| self.one_vs_rest(class)).collect();
        // What one more row in a cell of the one-against-rest table of a class does to the average.
        let (value, slopes) = match average {
            Average::Micro => micro(metric, &tables)?,
            Average::Macro => {
                weighted(metric, &tables, |table| f64::from(u8::from(labels(table) + decisions(table) > 0.0)))?
            }
            Average::Weighted => weighted(metric, &tables, labels)?,
        };
        Estimate::new(value, self.variance_of_tables(&slopes).sqrt())
    }

    /// The correlation of decisions and labels for several classes, in `-1..=1`, with its standard error by
    /// the delta method; `None` if all labels or all decisions are one class.
    /// Reference: Gorodkin, Computational Biology and Chemistry 28 (2004).
    #[must_use]
    pub fn matthews_correlation(&self) -> Option<Estimate> {
        let (total, right) = (self.total(), self.right());
        let (rows, columns) = self.sums();
        let rest = |sums: &[f64]| total * total - sums.iter().map(|sum| sum * sum).sum::<f64>();
        let (of_rows, of_columns) = (rest(&rows), rest(&columns));
        if !(of_rows > 0.0 && of_columns > 0.0) {
            return None;
        }
        let spread = of_rows.sqrt() * of_columns.sqrt();
        let value = (right * total - by_chance(&rows, &columns)) / spread;
        let slope = |label: usize, decision: usize| {
            let above = self.above_chance(&rows, &columns, label, decision);
            let wider = (total - rows[label]) / of_rows + (total - columns[decision]) / of_columns;
            above / spread - value * wider
        };
        Estimate::new(value, self.variance(slope).sqrt())
    }

    /// The agreement beyond chance (Cohen's kappa), with its standard error by the delta method; `None` if
    /// chance alone would always agree.
    /// Reference: Cohen, Educational and Psychological Measurement 20 (1960); Fleiss, Cohen, Everitt,
    /// Psychological Bulletin 72 (1969) for the error.
    #[must_use]
    pub fn kappa(&self) -> Option<Estimate> {
        let total = self.total();
        let (rows, columns) = self.sums();
        let chance = by_chance(&rows, &columns);
        let spread = total * total - chance;
        if spread <= 0.0 {
            return None;
        }
        let value = (self.right() * total - chance) / spread;
        let slope = |label: usize, decision: usize| {
            let above = self.above_chance(&rows, &columns, label, decision);
            (above - value * (2.0 * total - columns[label] - rows[decision])) / spread
        };
        Estimate::new(value, self.variance(slope).sqrt())
    }

    /// How `right * total - chance` grows with one more row in a cell.
    fn above_chance(&self, rows: &[f64], columns: &[f64], label: usize, decision: usize) -> f64 {
        let hit = if label == decision { self.total() } else { 0.0 };
        hit + self.right() - columns[label] - rows[decision]
    }

    /// The counts of one class against the rest, in the order of the slopes.
    fn one_vs_rest(&self, class: usize) -> Option<[f64; 4]> {
        if class >= self.classes {
            return None;
        }
        let row = &self.counts[class * self.classes..(class + 1) * self.classes];
        let hits = row[class] as f64;
        let labels = row.iter().map(|count| *count as f64).sum::<f64>();
        let column = self.counts[class..].iter().step_by(self.classes);
        let decisions = column.map(|count| *count as f64).sum::<f64>();
        Some([hits, decisions - hits, self.total() - labels - decisions + hits, labels - hits])
    }

    fn total(&self) -> f64 {
        self.counts.iter().map(|count| *count as f64).sum()
    }

    fn right(&self) -> f64 {
        self.counts.iter().step_by(self.classes + 1).map(|count| *count as f64).sum()
    }

    /// Labels and decisions of each class.
    fn sums(&self) -> (Vec<f64>, Vec<f64>) {
        let mut columns = vec![0.0; self.classes];
        let rows = self.counts.chunks_exact(self.classes).map(|row| {
            columns.iter_mut().zip(row).for_each(|(sum, count)| *sum += *count as f64);
            row.iter().map(|count| *count as f64).sum()
        });
        let rows = rows.collect();
        (rows, columns)
    }

    /// The variance of a number that changes by these slopes with each class's table.
    fn variance_of_tables(&self, slopes: &[[f64; 4]]) -> f64 {
        // A row that is a true negative for most classes adds the sum of their slopes.
        let negatives: f64 = slopes.iter().map(|slope| slope[TRUE_NEGATIVE]).sum();
        self.variance(|label, decision| {
            let (own, other) = (&slopes[label], &slopes[decision]);
            if label == decision {
                negatives - own[TRUE_NEGATIVE] + own[TRUE_POSITIVE]
            } else {
                negatives - own[TRUE_NEGATIVE] - other[TRUE_NEGATIVE] + own[FALSE_NEGATIVE] + other[FALSE_POSITIVE]
            }
        })
    }

    /// The variance of a number that changes by these slopes with one more row of a label and a decision,
    /// rows drawn independently.
    fn variance(&self, slope: impl Fn(usize, usize) -> f64) -> f64 {
        let (mut mean, mut squares) = (0.0, 0.0);
        for (at, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let slope = slope(at / self.classes, at % self.classes);
            mean += *count as f64 * slope;
            squares += *count as f64 * slope * slope;
        }
        (squares - mean * mean / self.total()).max(0.0)
    }
}

impl TryFrom<Stored> for MulticlassConfusion {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let empty = Self::new(stored.classes).filter(|empty| empty.counts.len() == stored.counts.len());
        empty.map(|empty| Self { counts: stored.counts, ..empty }).ok_or("not a square table of 2 to 4,096 classes")
    }
}

impl From<MulticlassConfusion> for Stored {
    fn from(confusion: MulticlassConfusion) -> Self {
        Self { classes: confusion.classes, counts: confusion.counts }
    }
}

/// How often labels and decisions would agree if they knew nothing of each other, times the rows.
fn by_chance(rows: &[f64], columns: &[f64]) -> f64 {
    rows.iter().zip(columns).map(|(row, column)| row * column).sum()
}

fn labels(table: &[f64; 4]) -> f64 {
    table[0] + table[3]
}

fn decisions(table: &[f64; 4]) -> f64 {
    table[0] + table[1]
}

fn micro(metric: BinaryMetric, tables: &[[f64; 4]]) -> Option<(f64, Vec<[f64; 4]>)> {
    let mut sum = [0.0; 4];
    tables.iter().for_each(|table| sum.iter_mut().zip(table).for_each(|(sum, count)| *sum += count));
    let at = metric.at(sum)?;
    Some((at.value, vec![at.slope; tables.len()]))
}

/// `sum weight * metric / sum weight`. Weights may be the labels, whose own change is then counted.
fn weighted(
    metric: BinaryMetric,
    tables: &[[f64; 4]],
    weight: impl Fn(&[f64; 4]) -> f64,
) -> Option<(f64, Vec<[f64; 4]>)> {
    let total: f64 = tables.iter().map(&weight).sum();
    if total <= 0.0 {
        return None;
    }
    let of_classes: Vec<_> = tables.iter().map(|table| (weight(table), metric.at(*table))).collect();
    let value = of_classes.iter().map(|(weight, at)| weight * at.map_or(0.0, |at| at.value)).sum::<f64>() / total;
    let slopes = tables.iter().zip(&of_classes).map(|(table, (of_class, at))| {
        let mut slope = at.map_or([0.0; 4], |at| at.slope.map(|slope| slope * of_class / total));
        // Whether the weight grows with the labels of the class: one more is tried.
        let grown = weight(&[table[0] + 1.0, table[1], table[2], table[3]]) - of_class;
        if *of_class > 0.0 && grown > 0.0 {
            let gain = grown * (at.map_or(0.0, |at| at.value) - value) / total;
            slope[0] += gain;
            slope[3] += gain;
        }
        slope
    });
    let slopes = slopes.collect();
    Some((value, slopes))
}
