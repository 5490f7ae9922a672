//! One group's selection rate against a reference group's.

use serde::{Deserialize, Serialize};

use crate::distribution::normal;
use crate::interval::{Interval, tail_of, wilson};
use crate::two_sample::{fisher_exact, two_proportions};

/// Above so many in the smallest margin, the normal limit stands for the exact test.
const MOST_EXACT: u64 = 10_000;
const MOST_PEOPLE: u64 = 1 << 53;

/// How many of a group were selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Selected people.
    pub selected: u64,
    /// All people of the group.
    pub count: u64,
}

/// How a comparison is judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImpactRules {
    /// Of each interval, such as 0.95.
    pub confidence: f64,
    /// The least impact ratio that passes: 0.8 by the four-fifths rule.
    pub floor: f64,
    /// The least count of a group, and of its reference, about which anything is said.
    pub least_count: u64,
}

impl Default for ImpactRules {
    fn default() -> Self {
        Self { confidence: 0.95, floor: 0.8, least_count: 30 }
    }
}

/// What may be said about a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The whole interval lies at or above the floor.
    Passes,
    /// The whole interval lies below the floor.
    AdverseImpact,
    /// The interval holds the floor: these counts do not tell.
    Undecided,
    /// The group or its reference is smaller than the least count.
    TooFew,
}

/// A group against its reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    /// The group's selection rate by the reference's.
    pub ratio: f64,
    /// Koopman's score interval of the ratio.
    pub ratio_interval: Interval,
    /// Two-sided, of equal rates.
    pub p_value: f64,
    /// How many more of the group would have been selected at the reference's rate; negative if fewer.
    pub shortfall: f64,
    /// Newcombe's interval of the difference of rates, times the group's count.
    pub shortfall_interval: Interval,
    /// By the rules.
    pub verdict: Verdict,
}

/// Compares a group's selection rate with a reference group's.
///
/// The p-value is Fisher's: it keeps its level at every size without a search over the unknown
/// common rate, at the price of power in small groups, where Boschloo's test finds more. Where all
/// four margins are above 10,000 it is the z test's, which then hardly differs.
/// [`Verdict::AdverseImpact`] is false in about `(1 - confidence) / 2` of the comparisons at most,
/// for a reference chosen beforehand; the score interval is close to that on average, not exact.
///
/// `None` if a group is empty, has more selected than people or above `2^53` people, nobody of the
/// reference was selected, or a rule is out of range (`0 < confidence < 1`, `0 < floor <= 1`).
/// References: Koopman, Biometrics 40 (1984); Newcombe, Statistics in Medicine 17 (1998), method 10;
/// four-fifths: 29 CFR 1607.4 D.
#[must_use]
pub fn impact(reference: Selection, current: Selection, rules: &ImpactRules) -> Option<Impact> {
    let valid = |s: Selection| 0 < s.count && s.count <= MOST_PEOPLE && s.selected <= s.count;
    if !valid(reference) || !valid(current) || reference.selected == 0 || !(0.0 < rules.floor && rules.floor <= 1.0) {
        return None;
    }
    let z = normal::quantile(1.0 - tail_of(rules.confidence)?)?;
    let rate = |s: Selection| s.selected as f64 / s.count as f64;
    let ratio_interval = koopman(reference, current, z);
    let people = current.count as f64;
    let difference = rate(reference) - rate(current);
    let r = wilson(reference.selected, reference.count, rules.confidence)?;
    let c = wilson(current.selected, current.count, rules.confidence)?;
    let down = (rate(reference) - r.low).hypot(c.high - rate(current));
    let up = (r.high - rate(reference)).hypot(rate(current) - c.low);
    let verdict = if reference.count.min(current.count) < rules.least_count {
        Verdict::TooFew
    } else if ratio_interval.high < rules.floor {
        Verdict::AdverseImpact
    } else if rules.floor <= ratio_interval.low {
        Verdict::Passes
    } else {
        Verdict::Undecided
    };
    Some(Impact {
        ratio: rate(current) / rate(reference),
        ratio_interval,
        p_value: p_value(reference, current),
        shortfall: people * difference,
        shortfall_interval: Interval { low: people * (difference - down), high: people * (difference + up) },
        verdict,
    })
}

fn p_value(reference: Selection, current: Selection) -> f64 {
    let selected = reference.selected + current.selected;
    let rejected = reference.count + current.count - selected;
    if reference.count.min(current.count).min(selected).min(rejected) <= MOST_EXACT {
        let row = |s: Selection| [s.selected, s.count - s.selected];
        return fisher_exact([row(reference), row(current)]);
    }
    let test = two_proportions((reference.selected, reference.count), (current.selected, current.count));
    test.map_or(1.0, |test| test.p_value)
}

/// The ratios whose score statistic lies within `z`, by bisection of their logarithm.
fn koopman(reference: Selection, current: Selection, z: f64) -> Interval {
    let edge = |target: f64| {
        let (mut low, mut high) = (-80.0_f64, 80.0_f64);
        for _ in 0..64 {
            let middle = 0.5 * (low + high);
            // The statistic falls as the ratio grows.
            if score(reference, current, middle.exp()) > target { low = middle } else { high = middle }
        }
        (0.5 * (low + high)).exp()
    };
    Interval { low: if current.selected == 0 { 0.0 } else { edge(z) }, high: edge(-z) }
}

/// `(p_current - ratio p_reference) / error`, the error at the likeliest rates with that ratio.
fn score(reference: Selection, current: Selection, ratio: f64) -> f64 {
    let (x0, n0) = (reference.selected as f64, reference.count as f64);
    let (x1, n1) = (current.selected as f64, current.count as f64);
    let (a, b, c) = ((n0 + n1) * ratio, n1 * ratio + x1 + n0 + x0 * ratio, x0 + x1);
    // The smaller root of a p^2 - b p + c, in the form that loses no digits.
    let p0 = (2.0 * c / (b + (b * b - 4.0 * a * c).max(0.0).sqrt())).min(1.0);
    let p1 = (ratio * p0).min(1.0);
    let error = (p1 * (1.0 - p1) / n1 + ratio * ratio * p0 * (1.0 - p0) / n0).max(0.0).sqrt();
    let distance = x1 / n1 - ratio * x0 / n0;
    if distance == 0.0 { 0.0 } else { distance / error.max(f64::MIN_POSITIVE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reference: (u64, u64), current: (u64, u64)) -> Option<Impact> {
        let selection = |(selected, count)| Selection { selected, count };
        impact(selection(reference), selection(current), &ImpactRules::default())
    }

    /// Each end is where the score statistic is the normal quantile.
    #[test]
    fn agrees_with_the_score_interval() {
        let found = of((40, 80), (36, 40)).unwrap();
        assert!((found.ratio - 1.8).abs() < 1e-12);
        let z = normal::quantile(0.975).unwrap();
        let (reference, current) = (Selection { selected: 40, count: 80 }, Selection { selected: 36, count: 40 });
        assert!((score(reference, current, found.ratio_interval.low) - z).abs() < 1e-9);
        assert!((score(reference, current, found.ratio_interval.high) + z).abs() < 1e-9);
        assert!((found.shortfall + 16.0).abs() < 1e-12);
        assert!(found.shortfall_interval.contains(-16.0));
    }

    /// Goal: each verdict on both sides of its limit.
    #[test]
    fn says_only_what_the_counts_tell() {
        assert_eq!(of((500, 1000), (260, 1000)).unwrap().verdict, Verdict::AdverseImpact);
        assert_eq!(of((500, 1000), (490, 1000)).unwrap().verdict, Verdict::Passes);
        assert_eq!(of((50, 100), (39, 100)).unwrap().verdict, Verdict::Undecided);
        assert_eq!(of((500, 1000), (1, 29)).unwrap().verdict, Verdict::TooFew);
        assert_eq!(of((500, 1000), (1, 30)).unwrap().verdict, Verdict::AdverseImpact);
    }

    #[test]
    fn ends_of_the_range() {
        let none = of((50, 100), (0, 100)).unwrap();
        assert_eq!(none.ratio_interval.low, 0.0);
        assert!(none.ratio_interval.high < 0.1);
        let all = of((100, 100), (100, 100)).unwrap();
        assert!(all.ratio_interval.contains(1.0) && all.p_value > 0.999);
        assert_eq!(of((0, 100), (1, 100)), None);
        assert_eq!(of((1, 0), (1, 100)), None);
        assert_eq!(of((1, 2), (3, 2)), None);
    }
}
