//! When a message is tried again.

use wardline_domain::{Span, Timestamp};

/// The first pause.
const FIRST: Span = Timestamp::SECOND;
/// The longest pause.
const LONGEST: Span = 10 * Timestamp::MINUTE;

/// How long to wait after so many attempts: twice as long each time, and somewhere in the upper half of that, so that
/// what failed together does not come again together. `luck` lies between 0 and 1.
pub(super) fn pause(attempts: u32, luck: f64) -> Span {
    let doubled = FIRST.saturating_mul(1_i64.checked_shl(attempts.saturating_sub(1)).unwrap_or(i64::MAX));
    let most = if doubled <= 0 { LONGEST } else { doubled.min(LONGEST) };
    let share = luck.clamp(0.0, 1.0) / 2.0 + 0.5;
    (most as f64 * share) as Span
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pauses_double_up_to_ten_minutes() {
        let pauses: Vec<Span> = (1..=12).map(|attempts| pause(attempts, 1.0) / Timestamp::SECOND).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        assert_eq!(pause(3, 0.0), 2 * Timestamp::SECOND);
    }

    proptest! {
        #[test]
        fn a_pause_is_never_none_and_never_too_long(attempts in any::<u32>(), luck in -1.0..2.0) {
            let pause = pause(attempts, luck);
            prop_assert!(FIRST / 2 <= pause && pause <= LONGEST);
        }
    }
}
