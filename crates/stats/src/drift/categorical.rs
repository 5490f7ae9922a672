//! A column of categories: the kept reference, the window, and every test between them.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::distances::{Distances, distances};
use crate::two_sample::{CountTest, ProportionTest, chi_square, fisher_exact, g_test, two_proportions};

/// Different reference values up to which each keeps a count of its own.
const MOST_KEPT: usize = 4_096;
/// Places that a reference with more different values is hashed to.
const PLACES: usize = 4_096;
/// Different values that a window may have beyond those of the reference and still count apart.
const MOST_UNSEEN: usize = 65_536;

/// Fixed keys, so that the same data gives the same places in every run and on every machine. What a
/// sender writes is only looked up among the reference's values, never put in, so it cannot make the
/// table slow.
type Hashing = BuildHasherDefault<DefaultHasher>;
type Index<K> = HashMap<K, u32, Hashing>;

/// Counts of the values of a reference column.
///
/// Up to 4,096 different values each has a count. A column with more is hashed to 4,096 places: then
/// which values are counted together does not depend on how often the reference has them. (Keeping the
/// most frequent ones would: their counts are high by chance too, and unchanged windows would alarm.)
/// `K` is `String` for text, an integer for codes. At most some hundred KiB, whatever the length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "Stored<K>",
    into = "Stored<K>",
    bound = "K: Clone + Eq + Hash + Serialize + for<'a> Deserialize<'a>"
)]
pub struct CategoricalReference<K: Eq + Hash> {
    /// Empty if the values are hashed.
    index: Arc<Index<K>>,
    /// One for each value, or for each place.
    counts: Vec<u64>,
}

/// As serialised: values by descending count, none if they are hashed.
#[derive(Serialize, Deserialize)]
struct Stored<K> {
    values: Vec<K>,
    counts: Vec<u64>,
}

/// A window of categories, counted by the values of a reference.
///
/// An insert is one look-up, about 15 ns, and allocates only for values that the reference never had;
/// of those, 65,536 different ones are told apart. Merging adds counts, exactly while no more are met.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoricalWindow<K: Eq + Hash> {
    index: Arc<Index<K>>,
    counts: Vec<u64>,
    /// Counts of values that the reference never had, by their hash.
    unseen: BTreeMap<u64, u64>,
    /// Counts of such values beyond those that are told apart.
    overflow: u64,
}

/// Both samples, value by value.
#[derive(Clone, Debug)]
pub struct CategoricalComparison {
    reference: Vec<u64>,
    current: Vec<u64>,
    unseen: u64,
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
    /// Share of the window whose value the reference never had; zero if it is hashed.
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
        let mut places = vec![0; PLACES];
        let mut counted: HashMap<K, u64, Hashing> = HashMap::default();
        let mut total = 0_u64;
        for value in values {
            places[place(hash(value))] += 1;
            total += 1;
            if let Some(count) = counted.get_mut(value) {
                *count += 1;
            } else if counted.len() <= MOST_KEPT {
                counted.insert(value.to_owned(), 1);
            }
        }
        if total == 0 {
            return None;
        }
        if counted.len() > MOST_KEPT {
            return Some(Self { index: Arc::default(), counts: places });
        }
        let mut by_count: Vec<(K, u64)> = counted.into_iter().collect();
        by_count.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let counts = by_count.iter().map(|(_, count)| *count).collect();
        let index = by_count.into_iter().zip(0..).map(|((value, _), place)| (value, place)).collect();
        Some(Self { index: Arc::new(index), counts })
    }

    /// An empty window, to be compared with this reference.
    #[must_use]
    pub fn window(&self) -> CategoricalWindow<K> {
        CategoricalWindow {
            index: Arc::clone(&self.index),
            counts: vec![0; self.counts.len()],
            unseen: BTreeMap::new(),
            overflow: 0,
        }
    }

    /// Sets a window beside this reference; `None` if it is empty or was made for another reference.
    #[must_use]
    pub fn compare(&self, window: &CategoricalWindow<K>) -> Option<CategoricalComparison> {
        let same = Arc::ptr_eq(&self.index, &window.index) || self.index == window.index;
        if !same || window.count() == 0 {
            return None;
        }
        let mut current = window.counts.clone();
        current.extend(window.unseen.values());
        current.push(window.overflow);
        let mut reference = self.counts.clone();
        reference.resize(current.len(), 0);
        let unseen = window.unseen.values().sum::<u64>() + window.overflow;
        Some(CategoricalComparison { reference, current, unseen })
    }

    /// How many values the reference had.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Different values of the reference; `None` if they are too many and were hashed.
    #[must_use]
    pub fn distinct(&self) -> Option<usize> {
        (!self.index.is_empty()).then(|| self.index.len())
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
        let cells = if kept == 0 { PLACES } else { kept };
        let sized = index.len() == kept && kept <= MOST_KEPT && counts.len() == cells;
        if !sized || total.is_none_or(|total| total == 0) {
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
        if let Some(place) = self.index.get(value) {
            self.counts[*place as usize] += 1;
        } else if self.index.is_empty() {
            self.counts[place(hash(value))] += 1;
        } else {
            self.add_unseen(hash(value), 1);
        }
    }

    fn add_unseen(&mut self, hash: u64, count: u64) {
        if let Some(known) = self.unseen.get_mut(&hash) {
            *known += count;
        } else if self.unseen.len() < MOST_UNSEEN {
            self.unseen.insert(hash, count);
        } else {
            self.overflow += count;
        }
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
            other.unseen.iter().for_each(|(hash, count)| self.add_unseen(*hash, *count));
            self.overflow += other.overflow;
        }
        same
    }

    /// How many values were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().chain(self.unseen.values()).sum::<u64>() + self.overflow
    }

    /// Forgets all values, for the next window.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.unseen.clear();
        self.overflow = 0;
    }
}

/// The place of a hashed value among [`PLACES`].
fn place(hash: u64) -> usize {
    hash as usize % PLACES
}

fn hash<Q: Hash + ?Sized>(value: &Q) -> u64 {
    Hashing::default().hash_one(value)
}

impl CategoricalComparison {
    /// Two vectors of counts over the same values.
    ///
    /// `None` if the lengths differ, a side is empty, or the counts overflow together.
    #[must_use]
    pub fn new(reference: &[u64], current: &[u64]) -> Option<Self> {
        let total = |counts: &[u64]| counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
        let (n, m) = (total(reference)?, total(current)?);
        let fits = reference.len() == current.len() && n > 0 && m > 0 && n.checked_add(m).is_some();
        let cells = reference.iter().zip(current);
        let unseen = cells.filter(|(ours, _)| **ours == 0).map(|(_, theirs)| theirs).sum();
        fits.then(|| Self { reference: reference.to_vec(), current: current.to_vec(), unseen })
    }

    /// Values of the reference and of the window.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.reference.iter().sum(), self.current.iter().sum())
    }

    /// The two counts of each value.
    #[must_use]
    pub fn cells(&self) -> (&[u64], &[u64]) {
        (&self.reference, &self.current)
    }

    /// The table of a column with exactly two values, among all that either side has.
    #[must_use]
    pub fn two_by_two(&self) -> Option<[[u64; 2]; 2]> {
        let mut held = self.reference.iter().zip(&self.current).filter(|(a, b)| **a > 0 || **b > 0);
        let ((a, b), (c, d)) = (held.next()?, held.next()?);
        held.next().is_none().then_some([[*a, *c], [*b, *d]])
    }

    /// The two-sample chi-square test; values expected to hold fewer than 5 are pooled.
    #[must_use]
    pub fn chi_square(&self) -> Option<CountTest> {
        chi_square(&self.reference, &self.current, 5.0)
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
            g_test: g_test(&self.reference, &self.current, 5.0),
            two_proportions: self.two_proportions(),
            fisher_exact: self.fisher_exact(),
            distances: distances(&self.reference, &self.current, alpha),
            unseen_share: self.unseen as f64 / m as f64,
        }
    }
}

/// The least count that a cell of the table would hold if rows and columns were independent.
pub(super) fn least_expected(table: [[u64; 2]; 2]) -> f64 {
    let [[a, b], [c, d]] = table.map(|row| row.map(|cell| cell as f64));
    let total = a + b + c + d;
    (a + b).min(c + d) * (a + c).min(b + d) / total
}
