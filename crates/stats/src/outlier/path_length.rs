//! How deep a search goes before it fails: what the depth of an isolated row is measured by.

/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// The mean depth of an unsuccessful search in a binary search tree of `n` rows.
///
/// `2 (ln(n - 1) + 0.5772) - 2 (n - 1) / n` with the logarithm for the harmonic number, as scikit-learn has it;
/// zero for one row and one for two. Reference: Liu, Ting, Zhou, ICDM (2008), equation 1.
pub(super) fn mean_path_length(n: usize) -> f64 {
    match n {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let n = n as f64;
            2.0 * ((n - 1.0).ln() + EULER) - 2.0 * (n - 1.0) / n
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// golden-stats.json, scikit-learn 1.9.1 `_average_path_length`.
    #[test]
    fn agrees_with_scikit_learn() {
        for (n, expected) in [
            (1, 0.0),
            (2, 1.0),
            (3, 1.207_392_357_589_623),
            (10, 3.748_880_484_475_505),
            (256, 10.244_770_920_119_917),
            (1_000, 12.969_940_887_100_174),
        ] {
            assert!((mean_path_length(n) - expected).abs() < 1e-12, "{n}");
        }
    }
}
