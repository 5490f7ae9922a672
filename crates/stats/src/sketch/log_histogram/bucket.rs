//! Which bucket a value falls into, read off its bits.

/// Bits of the mantissa that choose the bucket: 64 buckets to each doubling of the value.
const CELL_BITS: u32 = 6;
/// Buckets to an octave.
pub(super) const CELLS: usize = 1 << CELL_BITS;
pub(super) const MANTISSA_BITS: u32 = 52;
/// Exponents as stored in an `f64`. What lies below `2^-64` counts as zero, what lies at or above
/// `2^96` counts as just below it: so no sender can make a sketch grow past 320 octaves (90 KiB).
const LOWEST_EXPONENT: i32 = 1023 - 64;
const HIGHEST_EXPONENT: i32 = 1023 + 95;
/// The octave of the greatest numbers, and less its sign of the least.
pub(super) const HIGHEST_OCTAVE: u16 = (HIGHEST_EXPONENT - LOWEST_EXPONENT + 1) as u16;

/// One bucket: the values with `low <= |x| < high`, on the side of zero that the signs tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Position on the number line: a greater index holds greater values.
    pub index: i32,
    /// The least value of the bucket.
    pub low: f64,
    /// The greatest value of the bucket.
    pub high: f64,
    /// The value that stands for the bucket.
    pub midpoint: f64,
    /// How many values fell into it.
    pub count: u64,
}

/// Where a value belongs.
pub(super) struct Place {
    /// `1..=160` above zero, `-160..=-1` below; greater is greater.
    pub(super) octave: i16,
    pub(super) cell: u8,
    /// The mantissa with its leading one: an integer below `2^53`.
    pub(super) mantissa: u64,
}

impl Place {
    /// `None` for what counts as zero.
    #[inline]
    pub(super) fn of(value: f64) -> Option<Self> {
        let bits = value.to_bits();
        let exponent = ((bits >> MANTISSA_BITS) & 0x7ff) as i32;
        if exponent < LOWEST_EXPONENT {
            return None;
        }
        let fraction = bits & ((1 << MANTISSA_BITS) - 1);
        let (exponent, fraction) = if exponent > HIGHEST_EXPONENT {
            (HIGHEST_EXPONENT, (1 << MANTISSA_BITS) - 1)
        } else {
            (exponent, fraction)
        };
        let octave = (exponent - LOWEST_EXPONENT + 1) as i16;
        Some(Self {
            octave: if value < 0.0 { -octave } else { octave },
            cell: (fraction >> (MANTISSA_BITS - CELL_BITS)) as u8,
            mantissa: fraction | (1 << MANTISSA_BITS),
        })
    }
}

pub(super) fn bucket_index(value: f64) -> i32 {
    let Some(place) = Place::of(value) else { return 0 };
    place_index(place.octave, place.cell)
}

fn place_index(octave: i16, cell: u8) -> i32 {
    let size = i32::from(octave.unsigned_abs()) * CELLS as i32 + i32::from(cell);
    if octave < 0 { -size } else { size }
}

pub(super) fn exponent_of(octave: i16) -> i32 {
    i32::from(octave.unsigned_abs()) - 1 + LOWEST_EXPONENT - 1023
}

pub(super) fn power_of_two(exponent: i32) -> f64 {
    2.0_f64.powi(exponent)
}

pub(super) fn bucket_at(octave: i16, cell: u8, count: u64) -> Bucket {
    let unit = power_of_two(exponent_of(octave));
    let near = unit * (1.0 + f64::from(cell) / CELLS as f64);
    let far = unit * (1.0 + (f64::from(cell) + 1.0) / CELLS as f64);
    let (low, high) = if octave < 0 { (-far, -near) } else { (near, far) };
    let midpoint = 0.5 * (low + high);
    Bucket { index: place_index(octave, cell), low, high, midpoint, count }
}

/// The index of the last bucket, and less its sign of the first.
const LAST_INDEX: i32 = HIGHEST_OCTAVE as i32 * CELLS as i32 + CELLS as i32 - 1;

/// The least number that belongs to the bucket: bins are closed below, and a bucket below zero is
/// closed above. The first bucket holds whatever lies beyond it too.
pub(in crate::sketch) fn lower_cut(bucket: &Bucket) -> f64 {
    if bucket.index == -LAST_INDEX {
        return f64::NEG_INFINITY;
    }
    if bucket.index < 0 {
        return bucket.low.next_up();
    }
    if bucket.index == 0 {
        return -power_of_two(exponent_of(1)).next_down();
    }
    bucket.low
}

/// The least number above those that belong to the bucket; infinite for the last one, which holds
/// whatever lies beyond it too.
pub(in crate::sketch) fn upper_cut(bucket: &Bucket) -> f64 {
    match bucket.index {
        LAST_INDEX => f64::INFINITY,
        0 => power_of_two(exponent_of(1)),
        index if index < 0 => bucket.high.next_up(),
        _ => bucket.high,
    }
}
