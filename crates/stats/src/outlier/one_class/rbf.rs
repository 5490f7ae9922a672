//! The Gaussian kernel of one row against many.

/// `exp(x)` for `x <= 0`, within `1e-15`, relative; zero below `-700`.
///
/// Without branches or tables, so that a loop over an array becomes vector instructions.
/// Reference: Cody, Waite, "Software Manual for the Elementary Functions" (1980).
#[inline(always)]
fn exp_of_negative(x: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
    let clamped = x.max(-700.0);
    let shifted = clamped * std::f64::consts::LOG2_E + ROUND;
    let turns = shifted - ROUND;
    let r = (clamped - turns * LN_2[0]) - turns * LN_2[1];
    // Taylor's series up to the thirteenth power: |r| is at most half of ln 2.
    let mut sum = 1.0 / 6_227_020_800.0;
    for factor in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        sum = sum * r + factor;
    }
    // The turns go into the exponent.
    f64::from_bits(sum.to_bits().wrapping_add(shifted.to_bits() << 52))
}

/// Rows, column by column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KernelRows {
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) gamma: f64,
}

impl KernelRows {
    pub(super) fn len(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    pub(super) fn row(&self, at: usize) -> Vec<f64> {
        self.columns.iter().map(|column| column[at]).collect()
    }

    /// `exp(-gamma |x - row|^2)` for each row, into `kernel`.
    pub(super) fn against(&self, x: &[f64], kernel: &mut Vec<f64>) {
        kernel.clear();
        kernel.resize(self.len(), 0.0);
        for (value, column) in x.iter().zip(&self.columns) {
            for (sum, other) in kernel.iter_mut().zip(column) {
                let distance = value - other;
                *sum += distance * distance;
            }
        }
        for sum in kernel.iter_mut() {
            *sum = exp_of_negative(-self.gamma * *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_near_the_exact_values() {
        for step in 0..70_000 {
            let x = -f64::from(step) * 0.009_99;
            let relative = exp_of_negative(x) / x.exp() - 1.0;
            assert!(relative.abs() < 2e-15, "{x}: {relative:e}");
        }
        assert_eq!(exp_of_negative(0.0), 1.0);
        assert!(exp_of_negative(-1e300) < 1e-300);
    }
}
