//! The registers of a HyperLogLog, eight to a word, and what they say.

const INDEX_BITS: u32 = 12;
pub(super) const REGISTERS: usize = 1 << INDEX_BITS;
pub(super) const WORDS: usize = REGISTERS / 8;
/// The greatest rank: all bits below the index are zero.
const HIGHEST: usize = (64 - INDEX_BITS) as usize + 1;

#[inline]
pub(super) fn raise(words: &mut [u64], hash: u64) {
    let index = (hash >> (64 - INDEX_BITS)) as usize;
    let rank = ((hash << INDEX_BITS).leading_zeros().min(64 - INDEX_BITS) + 1) as u64;
    if let Some(word) = words.get_mut(index / 8) {
        let shift = index % 8 * 8;
        let raise = rank.saturating_sub((*word >> shift) & 0xff);
        *word += raise << shift;
    }
}

pub(super) fn raise_all(words: &mut [u64], others: &[u64]) {
    for (word, other) in words.iter_mut().zip(others) {
        let (ours, theirs) = (word.to_le_bytes(), other.to_le_bytes());
        *word = u64::from_le_bytes(std::array::from_fn(|at| ours[at].max(theirs[at])));
    }
}

/// A byte for each register.
pub(super) fn ranks(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The words of registers; `None` if one has a rank that no hash gives.
pub(super) fn words_of(ranks: &[u8]) -> Option<Vec<u64>> {
    let (chunks, rest) = ranks.as_chunks::<8>();
    let possible = rest.is_empty() && ranks.iter().all(|rank| usize::from(*rank) <= HIGHEST);
    possible.then(|| chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect())
}

/// Ertl's improved estimate; without bias from none to `2^60`.
pub(super) fn estimate(words: &[u64]) -> f64 {
    let mut counts = [0_u32; HIGHEST + 1];
    for rank in words.iter().flat_map(|word| word.to_le_bytes()) {
        counts[usize::from(rank).min(HIGHEST)] += 1;
    }
    let m = REGISTERS as f64;
    let mut z = m * tau(1.0 - f64::from(counts[HIGHEST]) / m);
    for count in counts[1..HIGHEST].iter().rev() {
        z = 0.5 * (z + f64::from(*count));
    }
    z += m * sigma(f64::from(counts[0]) / m);
    m * m / (2.0 * std::f64::consts::LN_2 * z)
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}
