//! A column of categories: the kept reference, the window, and every test between them.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::distances::{Distances, distances};
use crate::two_sample::{CountTest, ProportionTest, chi_square, fisher_exact, g_test, two_proportions};

/// Values that keep a count of their own; the rest of the reference is counted together.
const MOST_KEPT: usize = 4_096;
/// Different values that are told apart while a reference is built.
const MOST_COUNTED: usize = 65_536;

/// Fixed keys, so that the same data costs the same in every run. What a sender writes is only looked
/// up among the reference's values, never put in, so it cannot make the table slow.
type Index<K> = HashMap<K, u32, BuildHasherDefault<DefaultHasher>>;

/// Counts of the values of a reference column: its 4,096 most frequent, and all others together.
///
/// While building, values beyond the first 65,536 different ones go to the others, so a column of a
/// million identifiers costs no more. `K` is `String` for text, an integer for codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "Stored<K>",
    into = "Stored<K>",
    bound = "K: Clone + Eq + Hash + Serialize + for<'a> Deserialize<'a>"
)]
pub struct CategoricalReference<K: Eq + Hash> {
    index: Arc<Index<K>>,
    /// One for each kept value, then the others.
    counts: Vec<u64>,
}

/// As serialised: kept values by descending count.
#[derive(Serialize, Deserialize)]
struct Stored<K> {
    values: Vec<K>,
    counts: Vec<u64>,
}

/// A window of categories, counted by the kept values of a reference.
///
/// An insert is one look-up, about 30 ns, and allocates nothing. Merging adds counts, exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoricalWindow<K: Eq + Hash> {
    index: Arc<Index<K>>,
    counts: Vec<u64>,
}

/// Both samples, value by value; the last cell holds what is not kept or was never seen.
#[derive(Clone, Copy, Debug)]
pub struct CategoricalComparison<'a> {
    reference: &'a [u64],
    current: &'a [u64],
}

/// What every test and distance says about one categorical column.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CategoricalMeasures {
    /// Two-sample chi-square, values expected to hold fewer than 5 pooled.
    pub chi_square: Option<CountTest>,
    /// Its likelihood-ratio form.
    pub g_test: Option<CountTest>,
    /// For two values: do the shares differ?
    pub two_proportions: Option<ProportionTest>,
    /// For two values with an expected count below 5: Fisher's exact p-value.
    pub fisher_exact: Option<f64>,
    /// Distances between the shares, each with what chance alone would give.
    pub distances: Option<Distances>,
    /// Share of the window whose value the reference does not keep, usually because it never had it.
    pub unseen_share: f64,
}

impl<K: Eq + Hash> CategoricalReference<K> {
    /// Counts a sample; `None` if it is empty.
    #[must_use]
    pub fn new<'a, Q>(values: impl IntoIterator<Item = &'a Q>) -> Option<Self>
    where
        K: Borrow<Q> + Ord,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized + 'a,
    {
        let mut counted: HashMap<K, u64, BuildHasherDefault<DefaultHasher>> = HashMap::default();
        let mut others = 0;
        for value in values {
            if let Some(count) = counted.get_mut(value) {
                *count += 1;
            } else if counted.len() < MOST_COUNTED {
                counted.insert(value.to_owned(), 1);
            } else {
                others += 1;
            }
        }
        let mut by_count: Vec<(K, u64)> = counted.into_iter().collect();
        if by_count.is_empty() {
            return None;
        }
        by_count.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        others += by_count.iter().skip(MOST_KEPT).map(|(_, count)| count).sum::<u64>();
        by_count.truncate(MOST_KEPT);
        let mut counts: Vec<u64> = by_count.iter().map(|(_, count)| *count).collect();
        counts.push(others);
        let index = by_count.into_iter().zip(0..).map(|((value, _), place)| (value, place)).collect();
        Some(Self { index: Arc::new(index), counts })
    }

    /// An empty window, to be compared with this reference.
    #[must_use]
    pub fn window(&self) -> CategoricalWindow<K> {
        CategoricalWindow { index: Arc::clone(&self.index), counts: vec![0; self.counts.len()] }
    }

    /// Sets a window beside this reference; `None` if it is empty or was made for another reference.
    #[must_use]
    pub fn compare<'a>(&'a self, window: &'a CategoricalWindow<K>) -> Option<CategoricalComparison<'a>> {
        let same = Arc::ptr_eq(&self.index, &window.index) || self.index == window.index;
        (same && window.count() > 0).then(|| CategoricalComparison { reference: &self.counts, current: &window.counts })
    }

    /// How many values the reference had.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many different values keep a count of their own.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.index.len()
    }
}

impl<K: Clone + Eq + Hash> From<CategoricalReference<K>> for Stored<K> {
    fn from(reference: CategoricalReference<K>) -> Self {
        let mut values: Vec<(&K, &u32)> = reference.index.iter().collect();
        values.sort_unstable_by_key(|(_, place)| **place);
        Self { values: values.into_iter().map(|(value, _)| value.clone()).collect(), counts: reference.counts }
    }
}

impl<K: Eq + Hash> TryFrom<Stored<K>> for CategoricalReference<K> {
    type Error = &'static str;

    fn try_from(stored: Stored<K>) -> Result<Self, Self::Error> {
        let Stored { values, counts } = stored;
        let kept = values.len();
        let index: Index<K> = values.into_iter().zip(0..).collect();
        let total = counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
        if index.len() != kept || kept > MOST_KEPT || counts.len() != kept + 1 || total.is_none_or(|total| total == 0) {
            return Err("the values and counts of a reference do not fit together");
        }
        Ok(Self { index: Arc::new(index), counts })
    }
}

impl<K: Eq + Hash> CategoricalWindow<K> {
    /// Counts one value.
    #[inline]
    pub fn insert<Q>(&mut self, value: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let others = self.counts.len() - 1;
        let place = self.index.get(value).map_or(others, |place| *place as usize);
        self.counts[place] += 1;
    }

    /// Adds everything that `other` has seen; `false`, and no change, if it was made for another
    /// reference.
    #[must_use = "windows of another reference are not merged"]
    pub fn merge(&mut self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.index, &other.index) || self.index == other.index;
        if same {
            for (ours, theirs) in self.counts.iter_mut().zip(&other.counts) {
                *ours += theirs;
            }
        }
        same
    }

    /// How many values were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Forgets all values and keeps the memory, for the next window.
    pub fn clear(&mut self) {
        self.counts.fill(0);
    }
}

impl<'a> CategoricalComparison<'a> {
    /// Two vectors of counts over the same values, the last cell for everything else.
    ///
    /// `None` if the lengths differ, a side is empty, or the counts overflow together.
    #[must_use]
    pub fn new(reference: &'a [u64], current: &'a [u64]) -> Option<Self> {
        let total = |counts: &[u64]| counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
        let (n, m) = (total(reference)?, total(current)?);
        let fits = reference.len() == current.len() && n > 0 && m > 0 && n.checked_add(m).is_some();
        fits.then_some(Self { reference, current })
    }

    /// Values of the reference and of the window.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.reference.iter().sum(), self.current.iter().sum())
    }

    /// The two counts of each value.
    #[must_use]
    pub fn cells(&self) -> (&'a [u64], &'a [u64]) {
        (self.reference, self.current)
    }

    /// The table of a column with exactly two values, among all that either side has.
    #[must_use]
    pub fn two_by_two(&self) -> Option<[[u64; 2]; 2]> {
        let mut held = self.reference.iter().zip(self.current).filter(|(a, b)| **a > 0 || **b > 0);
        let ((a, b), (c, d)) = (held.next()?, held.next()?);
        held.next().is_none().then_some([[*a, *c], [*b, *d]])
    }

    /// The two-sample chi-square test; values expected to hold fewer than 5 are pooled.
    #[must_use]
    pub fn chi_square(&self) -> Option<CountTest> {
        chi_square(self.reference, self.current, 5.0)
    }

    /// For two values: z test of the shares of the rarer-listed value.
    #[must_use]
    pub fn two_proportions(&self) -> Option<ProportionTest> {
        let [[a, c], [b, d]] = self.two_by_two()?;
        two_proportions((a, a + c), (b, b + d))
    }

    /// For two values: Fisher's exact p-value where an expected count is below 5.
    ///
    /// There its cost is bounded by the smaller margin.
    #[must_use]
    pub fn fisher_exact(&self) -> Option<f64> {
        let table = self.two_by_two()?;
        (least_expected(table) < 5.0).then(|| fisher_exact(table))
    }

    /// Every measure, with thresholds of distances passed by chance with probability `alpha`.
    #[must_use]
    pub fn measures(&self, alpha: f64) -> CategoricalMeasures {
        let (_, m) = self.counts();
        CategoricalMeasures {
            chi_square: self.chi_square(),
            g_test: g_test(self.reference, self.current, 5.0),
            two_proportions: self.two_proportions(),
            fisher_exact: self.fisher_exact(),
            distances: distances(self.reference, self.current, alpha),
            unseen_share: self.current.last().map_or(0.0, |unseen| *unseen as f64 / m as f64),
        }
    }
}

/// The least count that a cell of the table would hold if rows and columns were independent.
pub(super) fn least_expected(table: [[u64; 2]; 2]) -> f64 {
    let [[a, b], [c, d]] = table.map(|row| row.map(|cell| cell as f64));
    let total = a + b + c + d;
    (a + b).min(c + d) * (a + c).min(b + d) / total
}
