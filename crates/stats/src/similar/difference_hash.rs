//! One fingerprint of 64 bits for a small picture.

/// Columns and rows of the small picture that is compared.
const WIDTH: usize = 9;
const HEIGHT: usize = 8;

/// The difference hash of a picture in grey, row after row: it is shrunk to 9 by 8 means, and a bit is set where a
/// mean is above the one to its left by more than rounding.
///
/// Unchanged by brightness and contrast; changed in few bits by noise and scaling, in many by turning, mirroring and
/// cutting. A picture of one grey gives zero, so all such are alike. For [`super::HammingIndex`]. `O(width * height)`.
/// `None` unless there are `width` times some whole number of values, at least 9 columns and 8 rows, all finite.
/// Reference: Krawetz, "Kind of Like That" (2013).
///
/// ```
/// use wardline_stats::similar::difference_hash;
/// let picture: Vec<f64> = (0..256).map(|at| f64::from((at * at / 7) % 50)).collect();
/// let brighter: Vec<f64> = picture.iter().map(|grey| 1.5 * grey + 20.0).collect();
/// assert_eq!(difference_hash(&picture, 16), difference_hash(&brighter, 16));
/// ```
#[must_use]
pub fn difference_hash(greys: &[f64], width: usize) -> Option<u64> {
    if width < WIDTH || !greys.len().is_multiple_of(width) || greys.len() / width < HEIGHT {
        return None;
    }
    let height = greys.len() / width;
    let largest = greys.iter().fold(0.0_f64, |most, grey| most.max(grey.abs()));
    if greys.iter().any(|grey| !grey.is_finite()) {
        return None;
    }
    if largest == 0.0 {
        return Some(0);
    }
    let mean = |row: usize, column: usize| {
        let rows = row * height / HEIGHT..(row + 1) * height / HEIGHT;
        let columns = column * width / WIDTH..(column + 1) * width / WIDTH;
        let n = (rows.len() * columns.len()) as f64;
        rows.flat_map(|at| &greys[at * width + columns.start..at * width + columns.end])
            .map(|grey| grey / largest)
            .sum::<f64>()
            / n
    };
    let mut bits = 0;
    for row in 0..HEIGHT {
        let mut left = mean(row, 0);
        for column in 1..WIDTH {
            let here = mean(row, column);
            bits |= u64::from(here > left + 1e-12) << (row * 8 + column - 1);
            left = here;
        }
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    /// Small noise changes few bits, another picture about half.
    #[test]
    fn noise_changes_few_bits() {
        let mut random = SplitMix::new(1);
        let (mut near, mut far) = (0, 0);
        for _ in 0..50 {
            let picture: Vec<f64> = (0..18 * 16).map(|_| random.unit()).collect();
            let noisy: Vec<f64> = picture.iter().map(|grey| grey + 0.02 * random.normal()).collect();
            let other: Vec<f64> = (0..18 * 16).map(|_| random.unit()).collect();
            let bits = |greys: &[f64]| difference_hash(greys, 18).unwrap();
            near += (bits(&picture) ^ bits(&noisy)).count_ones();
            far += (bits(&picture) ^ bits(&other)).count_ones();
        }
        assert!(near < 150 && (1_300..1_900).contains(&far), "{near} {far}");
    }

    #[test]
    fn the_bits_are_where_it_grows_brighter() {
        let rising: Vec<f64> = (0..72).map(|at| f64::from(at % 9)).collect();
        assert_eq!(difference_hash(&rising, 9), Some(u64::MAX));
        assert_eq!(difference_hash(&[7.3; 72], 9), Some(0));
        assert_eq!(difference_hash(&[0.0; 73], 9), None);
        assert_eq!(difference_hash(&[0.0; 64], 8), None);
        assert_eq!(difference_hash(&[f64::NAN; 72], 9), None);
        assert!(difference_hash(&[f64::MAX; 100], 10).is_some());
    }
}
