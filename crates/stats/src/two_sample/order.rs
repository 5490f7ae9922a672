//! Two sorted samples merged: the places where either distribution function steps.

/// One place of the merged samples and how many values of each lie on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) value: f64,
    pub(super) reference: u64,
    pub(super) current: u64,
}

/// `None` if a sample is empty, not sorted, or holds a value that is not finite.
pub(super) fn merge(reference: &[f64], current: &[f64]) -> Option<Vec<Step>> {
    let valid =
        |values: &[f64]| !values.is_empty() && values.is_sorted() && values.iter().all(|value| value.is_finite());
    if !valid(reference) || !valid(current) {
        return None;
    }
    let mut steps = Vec::with_capacity(reference.len() + current.len());
    let (mut i, mut j) = (0, 0);
    loop {
        let value = match (reference.get(i), current.get(j)) {
            (Some(x), Some(y)) => x.min(*y),
            (Some(x), None) => *x,
            (None, Some(y)) => *y,
            (None, None) => return Some(steps),
        };
        let (from_i, from_j) = (i, j);
        while i < reference.len() && reference[i] <= value {
            i += 1;
        }
        while j < current.len() && current[j] <= value {
            j += 1;
        }
        steps.push(Step { value, reference: (i - from_i) as u64, current: (j - from_j) as u64 });
    }
}
