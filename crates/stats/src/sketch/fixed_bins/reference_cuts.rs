//! Where to cut so that each bin holds about an equal share of a reference.

use super::super::log_histogram::{lower_cut, upper_cut};
use super::super::{Kll, LogHistogram};

/// Values of the reference that cannot be told apart, and how many there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atom {
    /// The least number that is one of them.
    pub(super) low: f64,
    /// The least number above them.
    pub(super) above: f64,
    /// How many there are.
    pub(super) count: u64,
}

/// The buckets of a histogram.
pub(super) fn atoms_of_histogram(reference: &LogHistogram) -> Vec<Atom> {
    let atom =
        |bucket: super::super::Bucket| Atom { low: lower_cut(&bucket), above: upper_cut(&bucket), count: bucket.count };
    reference.buckets().map(atom).collect()
}

/// The different kept values of a quantile sketch.
pub(super) fn atoms_of_ranks(reference: &Kll) -> Vec<Atom> {
    let mut before = 0;
    let cumulated = reference.cumulated();
    let each = cumulated.iter().map(|(value, up_to)| {
        let count = up_to - before;
        before = *up_to;
        (*value, count)
    });
    together(each)
}

/// The different values of ascending numbers.
pub(super) fn atoms_of_sorted(sorted: &[f64]) -> Vec<Atom> {
    together(sorted.iter().map(|value| (*value, 1)))
}

/// One atom for each run of equal values.
fn together(ascending: impl Iterator<Item = (f64, u64)>) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = Vec::new();
    for (value, count) in ascending {
        match atoms.last_mut() {
            Some(last) if last.low == value => last.count += count,
            _ => atoms.push(Atom { low: value, above: value.next_up(), count }),
        }
    }
    atoms
}

/// Ascending cuts that divide ascending atoms into `bins` bins of about equal counts.
///
/// An atom that has a bin's share by itself gets a bin of its own, cut off on both sides, also
/// where the reference has nothing beside it: so a constant is told from whatever replaces it.
pub(super) fn cuts(atoms: &[Atom], bins: usize) -> Vec<f64> {
    let total: u128 = atoms.iter().map(|atom| u128::from(atom.count)).sum();
    let mut edges: Vec<f64> = Vec::new();
    let mut cut = |at: f64| {
        if at.is_finite() && edges.last().is_none_or(|last| *last < at) {
            edges.push(at);
        }
    };
    let (mut seen, mut next) = (0_u128, 1_u128);
    for (at, atom) in atoms.iter().enumerate() {
        let heavy = u128::from(atom.count) * bins as u128 >= total;
        if heavy {
            cut(atom.low);
        }
        seen += u128::from(atom.count);
        let due = seen * bins as u128 >= total * next;
        // The bins that this cut closes: as many shares of the reference as lie before it.
        next = next.max(seen * bins as u128 / total.max(1) + 1);
        if heavy {
            cut(atom.above);
        } else if due && at + 1 < atoms.len() {
            cut(atoms[at + 1].low);
        }
    }
    edges
}
