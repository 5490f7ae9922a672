//! Conditions over tests, and the rows for which they hold.

use std::borrow::Cow;

/// A condition over leaves of some form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Condition<Leaf> {
    Leaf(Leaf),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
}

/// Rows of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    Nothing,
    Everything,
    /// One bit a row.
    Some(Vec<u64>),
}

impl Rows {
    /// The rows in order.
    pub(crate) fn iter(&self, n_rows: usize) -> impl Iterator<Item = usize> + '_ {
        let bits: &[u64] = match self {
            Self::Some(bits) => bits,
            Self::Nothing | Self::Everything => &[],
        };
        let all = if matches!(self, Self::Everything) { n_rows } else { 0 };
        let some = bits.iter().enumerate().flat_map(|(place, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros() as usize;
                    left &= left - 1;
                    place * 64 + bit
                })
            })
        });
        (0..all).chain(some)
    }

    /// Whether there is none.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Everything => false,
            Self::Some(bits) => bits.iter().all(|&word| word == 0),
        }
    }
}

impl<Leaf> Condition<Leaf> {
    /// The same condition over other leaves.
    pub(crate) fn map<Other>(&self, change: &mut impl FnMut(&Leaf) -> Other) -> Condition<Other> {
        match self {
            Self::Leaf(leaf) => Condition::Leaf(change(leaf)),
            Self::All(parts) => Condition::All(parts.iter().map(|part| part.map(change)).collect()),
            Self::Any(parts) => Condition::Any(parts.iter().map(|part| part.map(change)).collect()),
            Self::Not(part) => Condition::Not(Box::new(part.map(change))),
        }
    }

    /// The rows for which it holds.
    pub(crate) fn rows<'a>(&'a self, n_rows: usize, leaf: &impl Fn(&'a Leaf) -> &'a Rows) -> Rows {
        self.shared_rows(n_rows, leaf).into_owned()
    }

    fn shared_rows<'a>(&'a self, n_rows: usize, leaf: &impl Fn(&'a Leaf) -> &'a Rows) -> Cow<'a, Rows> {
        match self {
            Self::Leaf(one) => Cow::Borrowed(leaf(one)),
            Self::All(parts) => join(parts, n_rows, leaf, true),
            Self::Any(parts) => join(parts, n_rows, leaf, false),
            Self::Not(part) => Cow::Owned(match part.shared_rows(n_rows, leaf).as_ref() {
                Rows::Nothing => Rows::Everything,
                Rows::Everything => Rows::Nothing,
                Rows::Some(bits) => Rows::Some(inverted(bits, n_rows)),
            }),
        }
    }
}

fn inverted(bits: &[u64], n_rows: usize) -> Vec<u64> {
    let mut inverted: Vec<u64> = bits.iter().map(|word| !word).collect();
    if let (Some(last), rest @ 1..) = (inverted.last_mut(), n_rows % 64) {
        *last &= (1 << rest) - 1;
    }
    inverted
}

/// Most batches have no row for most rules: what decides is asked first, and nothing is copied before it must.
fn join<'a, Leaf>(
    parts: &'a [Condition<Leaf>],
    n_rows: usize,
    leaf: &impl Fn(&'a Leaf) -> &'a Rows,
    all: bool,
) -> Cow<'a, Rows> {
    let (decides, neutral) = if all { (Rows::Nothing, Rows::Everything) } else { (Rows::Everything, Rows::Nothing) };
    let mut joined: Cow<'a, Rows> = Cow::Owned(neutral.clone());
    for part in parts {
        let next = part.shared_rows(n_rows, leaf);
        if *next == decides {
            return Cow::Owned(decides);
        }
        if *next == neutral {
            continue;
        }
        if *joined == neutral {
            joined = next;
            continue;
        }
        if let (Rows::Some(left), Rows::Some(right)) = (joined.to_mut(), next.as_ref()) {
            for (left, right) in left.iter_mut().zip(right) {
                *left = if all { *left & right } else { *left | right };
            }
        }
    }
    joined
}
