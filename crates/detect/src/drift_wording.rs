//! How a distribution changed, in words.

use crate::{
    coding::Coding,
    measure::Measure,
    noise,
    window::CodeCounts,
    wording::{number, percent},
};

/// `p50 0.31 -> 0.42`, or `decline 12 % -> 31 %`.
pub(crate) fn change(measure: &Measure, reference: &CodeCounts, current: &CodeCounts) -> String {
    match &measure.coding {
        Some(Coding::Numeric(coding)) => {
            let edges = coding.inner_edges();
            let at = |counts: &CodeCounts, p: f64| {
                let folded = noise::folded(counts);
                let n: f64 = folded.iter().sum();
                let mut below = 0.0;
                let code = folded.iter().position(|count| {
                    below += count;
                    below >= p * n && n > 0.0
                });
                edges
                    .get(code.unwrap_or(1).saturating_sub(1).min(edges.len().saturating_sub(1)))
                    .copied()
                    .unwrap_or(0.0)
            };
            // The quantile that moved by most codes says more than one that stayed.
            let place =
                |counts: &CodeCounts, p: f64| edges.iter().position(|&edge| edge >= at(counts, p)).unwrap_or(0) as i64;
            let p = [0.5, 0.25, 0.75, 0.9, 0.1]
                .into_iter()
                .max_by_key(|&p| ((place(current, p) - place(reference, p)).abs(), p == 0.5))
                .unwrap_or(0.5);
            format!("p{:.0} {} -> {}", 100.0 * p, number(at(reference, p)), number(at(current, p)))
        }
        Some(Coding::Categorical(coding)) => {
            let (reference, current) = (noise::folded(reference), noise::folded(current));
            let (n_reference, n) = (reference.iter().sum::<f64>().max(1.0), current.iter().sum::<f64>().max(1.0));
            let moved = |code: usize| (current[code] / n - reference[code] / n_reference).abs();
            let code = (0..current.len()).max_by(|&left, &right| moved(left).total_cmp(&moved(right))).unwrap_or(0);
            format!(
                "{} {} -> {}",
                coding.name(code as u8),
                percent(reference[code] / n_reference),
                percent(current[code] / n)
            )
        }
        None => String::new(),
    }
}
