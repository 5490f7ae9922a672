//! Inverts a monotone function inside a bracket.

/// The `x` in `low..=high` at which a rising function reaches `target`.
///
/// `at(x)` gives the value and its slope. Newton's steps, with bisection whenever a step leaves the
/// bracket or stops helping; ends at neighbouring numbers or after 300 rounds.
pub(super) fn rising(target: f64, low: f64, high: f64, at: impl Fn(f64) -> (f64, f64)) -> f64 {
    let (mut low, mut high) = (low, high);
    let mut x = middle(low, high);
    let mut width = high - low;
    for _ in 0..300 {
        let (value, slope) = at(x);
        if value < target {
            low = x;
        } else {
            high = x;
        }
        let step = (value - target) / slope;
        let newton = x - step;
        let shrunk = high - low <= 0.5 * width;
        width = high - low;
        let inside = low < newton && newton < high;
        let next = if inside && (shrunk || step.abs() < 0.1 * width) { newton } else { middle(low, high) };
        if next == x || (next - x).abs() <= 1e-15 * x.abs() {
            return next;
        }
        x = next;
    }
    x
}

/// Halfway; on the scale of logarithms where the bracket spans orders of magnitude.
fn middle(low: f64, high: f64) -> f64 {
    if low > 0.0 && high > 16.0 * low {
        return (low * high).sqrt();
    }
    if low == 0.0 && high > 0.0 {
        return high / 16.0;
    }
    low + 0.5 * (high - low)
}
