//! One fingerprint of 64 bits for a vector.

use super::mix;
use crate::random::SplitMix;

/// Sixty-four random hyperplanes through the origin; only fingerprints of the same planes may be compared.
///
/// Bit `b` says on which side of plane `b` a vector lies. Two vectors at angle `a` differ in each bit with a chance of
/// `a / pi`, so in `64 a / pi` bits on average: what is near in cosine is near in bits, for [`super::HammingIndex`].
/// Length is not seen; centre the vectors first where the origin means nothing. Cost: `O(64 width)` a vector.
/// Reference: Charikar, STOC (2002).
///
/// ```
/// use wardline_stats::similar::Hyperplanes;
/// let planes = Hyperplanes::new(3, 1).unwrap();
/// let first = planes.fingerprint(&[1.0, 2.0, 3.0]).unwrap();
/// assert_eq!(planes.fingerprint(&[2.0, 4.0, 6.0]), Some(first));
/// assert_eq!(planes.fingerprint(&[-1.0, -2.0, -3.0]), Some(!first));
/// ```
#[derive(Clone, Debug)]
pub struct Hyperplanes {
    width: usize,
    /// Plane after plane.
    normals: Vec<f64>,
}

impl Hyperplanes {
    /// `None` unless `1 <= width && width <= 65,536`.
    #[must_use]
    pub fn new(width: usize, seed: u64) -> Option<Self> {
        let mut random = SplitMix::new(mix(seed));
        let fits = (1..=1 << 16).contains(&width);
        fits.then(|| Self { width, normals: (0..64 * width).map(|_| random.normal()).collect() })
    }

    /// `None` for another width, values that are not finite, or zeros only.
    #[must_use]
    pub fn fingerprint(&self, vector: &[f64]) -> Option<u64> {
        let largest = vector.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let bad = vector.len() != self.width || largest == 0.0 || vector.iter().any(|x| !x.is_finite());
        if bad {
            return None;
        }
        // Shares of the largest cannot overflow when they are added.
        let side = |normal: &[f64]| normal.iter().zip(vector).map(|(a, x)| a * (x / largest)).sum::<f64>() > 0.0;
        let sides = self.normals.chunks_exact(self.width).map(side);
        Some(sides.enumerate().fold(0, |bits, (bit, above)| bits | u64::from(above) << bit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the mean number of differing bits is `64 a / pi`.
    #[test]
    fn bits_measure_the_angle() {
        for angle in [0.1_f64, 0.5, 1.0, 2.0] {
            let mut differing = 0;
            for seed in 0..200 {
                let planes = Hyperplanes::new(2, seed).unwrap();
                let bits = |at: f64| planes.fingerprint(&[at.cos(), at.sin()]).unwrap();
                differing += (bits(0.3) ^ bits(0.3 + angle)).count_ones();
            }
            let expected = 64.0 * angle / std::f64::consts::PI;
            assert!((f64::from(differing) / 200.0 - expected).abs() < 1.2, "{angle}: {differing}");
        }
        let planes = Hyperplanes::new(2, 1).unwrap();
        assert!(planes.fingerprint(&[f64::MAX, -f64::MAX]).is_some());
        assert_eq!(planes.fingerprint(&[0.0, 0.0]), None);
        assert_eq!(planes.fingerprint(&[f64::INFINITY, 0.0]), None);
        assert!(planes.fingerprint(&[1.0]).is_none() && Hyperplanes::new(0, 1).is_none());
    }
}
