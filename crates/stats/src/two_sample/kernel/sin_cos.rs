//! Sine and cosine of many single-precision numbers at once.

/// `2 / pi`.
const TURNS: f32 = std::f32::consts::FRAC_2_PI;
/// Adding it to a number below `2^22` rounds to a whole number in the lowest bits.
const ROUND: f32 = 12_582_912.0;
/// A half of pi in three parts, the first two with bits to spare, so that multiples are exact.
const HALF_PI: [f32; 3] = [1.570_312_5, 4.837_513e-4, 7.549_79e-8];

/// Sine and cosine within 2e-7 for angles up to some thousand, growing in proportion beyond.
///
/// Without branches or tables, so that a loop over an array becomes vector instructions.
/// Reference: Cody, Waite, "Software Manual for the Elementary Functions" (1980); the polynomials of
/// the Cephes library (Moshier 1989).
#[inline(always)]
pub(crate) fn sin_cos(angle: f32) -> (f32, f32) {
    let shifted = angle * TURNS + ROUND;
    let quadrant = shifted.to_bits();
    let turns = shifted - ROUND;
    let rest = ((angle - turns * HALF_PI[0]) - turns * HALF_PI[1]) - turns * HALF_PI[2];
    let square = rest * rest;
    let sine = ((-1.951_529_6e-4 * square + 8.332_161e-3) * square - 1.666_665_5e-1) * square * rest + rest;
    let cosine =
        ((2.443_315_7e-5 * square - 1.388_731_6e-3) * square + 4.166_664_6e-2) * square * square - 0.5 * square + 1.0;
    // An odd quadrant exchanges the two; signs follow the quadrant's second bit.
    let odd = (quadrant & 1).wrapping_neg();
    let (s, c) = (sine.to_bits(), cosine.to_bits());
    let sine = (s & !odd) | (c & odd);
    let cosine = (c & !odd) | (s & odd);
    let sine_sign = (quadrant & 2) << 30;
    let cosine_sign = (quadrant.wrapping_add(1) & 2) << 30;
    (f32::from_bits(sine ^ sine_sign), f32::from_bits(cosine ^ cosine_sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_near_the_exact_values() {
        for step in -40_000..40_000 {
            let angle = step as f32 * 0.013;
            let (sine, cosine) = sin_cos(angle);
            let (exact_sine, exact_cosine) = f64::from(angle).sin_cos();
            let error = (f64::from(sine) - exact_sine).abs().max((f64::from(cosine) - exact_cosine).abs());
            assert!(error < 3e-7, "{angle}: {error}");
        }
    }
}
