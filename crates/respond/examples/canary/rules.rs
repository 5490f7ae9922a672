//! The rules of other tools, written anew from their documentation and given exact counts without delay.

/// Requests a second that the version on trial answers.
pub(crate) const CANARY_RATE: f64 = 10.0;

/// Flagger: a check each `interval` over the last `window` seconds; the number of failed checks never goes back, and the
/// rollback comes with the check after the one that reaches the threshold.
#[derive(Clone, Copy)]
pub(crate) struct Flagger {
    pub(crate) interval: f64,
    pub(crate) window: f64,
    pub(crate) threshold: usize,
}

/// Argo Rollouts: a measurement each `interval`; it fails when more than `limit` have.
#[derive(Clone, Copy)]
pub(crate) struct Argo {
    pub(crate) interval: f64,
    pub(crate) limit: usize,
}

impl Flagger {
    pub(crate) fn seconds(self, is_bad: &[bool]) -> f64 {
        nth_bad(is_bad, self.threshold).map_or(f64::INFINITY, |check| (check + 2) as f64 * self.interval)
    }
}

impl Argo {
    pub(crate) fn seconds(self, is_bad: &[bool]) -> f64 {
        nth_bad(is_bad, self.limit + 1).map_or(f64::INFINITY, |check| (check + 1) as f64 * self.interval)
    }
}

fn nth_bad(is_bad: &[bool], n: usize) -> Option<usize> {
    is_bad.iter().enumerate().filter(|(_, bad)| **bad).nth(n - 1).map(|(at, _)| at)
}

/// Events in `(end - window, end]` for each end of an interval until `until`; times ascend.
pub(crate) fn counts(times: &[f64], until: f64, window: f64, interval: f64) -> Vec<u64> {
    let before = |time: f64| times.partition_point(|event| *event <= time) as u64;
    let n = (until / interval + 1e-9) as usize;
    (1..=n).map(|at| at as f64 * interval).map(|end| before(end) - before((end - window).max(0.0))).collect()
}

/// Whether the error rate of each window is above a cut.
pub(crate) fn above(times: &[f64], until: f64, window: f64, interval: f64, cut: f64) -> Vec<bool> {
    let bad = counts(times, until, window, interval);
    let requests = |at: usize| CANARY_RATE * ((at + 1) as f64 * interval).min(window);
    bad.iter().enumerate().map(|(at, bad)| *bad as f64 / requests(at) > cut).collect()
}

/// Kayenta's Mann-Whitney judge: 98 % interval, tolerance a quarter of the shift, effect of the means; every
/// `every` minutes over all points so far. Ties at zero are settled in its favour.
pub(crate) fn kayenta(canary: &[f64], baseline: &[f64], every: usize) -> f64 {
    (1..=canary.len() / every)
        .map(|judgement| judgement * every)
        .find(|n| is_high(&canary[..*n], &baseline[..*n]))
        .map_or(f64::INFINITY, |n| n as f64 * 60.0)
}

fn is_high(canary: &[f64], baseline: &[f64]) -> bool {
    let first = canary[0];
    if canary.iter().chain(baseline).all(|value| *value == first) {
        return false;
    }
    const Z_98: f64 = 2.326_347_874_040_841;
    let (shift, low) = (root(canary, baseline, 0.0), root(canary, baseline, Z_98));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let is_effect = mean(baseline) <= 0.0 || mean(canary) >= mean(baseline);
    low > 0.25 * shift.abs() && is_effect
}

fn z_of(shift: f64, canary: &[f64], baseline: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = canary.iter().map(|value| (value - shift, true)).collect();
    all.extend(baseline.iter().map(|value| (*value, false)));
    all.sort_by(|left, right| left.0.total_cmp(&right.0));
    let (m, n) = (canary.len() as f64, baseline.len() as f64);
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0);
    while at < all.len() {
        let end = at + all[at..].iter().take_while(|(value, _)| *value == all[at].0).count();
        let rank = (at + end + 1) as f64 / 2.0;
        ranks += rank * all[at..end].iter().filter(|(_, is_canary)| *is_canary).count() as f64;
        let tied = (end - at) as f64;
        ties += tied * tied * tied - tied;
        at = end;
    }
    let d = ranks - m * (m + 1.0) / 2.0 - m * n / 2.0;
    let variance = m * n / 12.0 * ((m + n + 1.0) - ties / ((m + n) * (m + n - 1.0)));
    if variance > 0.0 { (d - 0.5 * d.signum() * f64::from(u8::from(d != 0.0))) / variance.sqrt() } else { 0.0 }
}

fn root(canary: &[f64], baseline: &[f64], quantile: f64) -> f64 {
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut low, mut high) = (least(canary) - most(baseline), most(canary) - least(baseline));
    if z_of(low, canary, baseline) <= quantile {
        return low;
    }
    if z_of(high, canary, baseline) >= quantile {
        return high;
    }
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if z_of(middle, canary, baseline) > quantile {
            low = middle;
        } else {
            high = middle;
        }
    }
    let found = 0.5 * (low + high);
    if found.abs() < 1e-6 { 0.0 } else { found }
}

/// The 99th percentile of each window, of values with ascending times.
pub(crate) fn p99s(times: &[f64], values: &[f64], until: f64, window: f64, interval: f64) -> Vec<f64> {
    let n = (until / interval + 1e-9) as usize;
    (1..=n)
        .map(|at| {
            let end = at as f64 * interval;
            let (from, to) = (
                times.partition_point(|time| *time <= (end - window).max(0.0)),
                times.partition_point(|time| *time <= end),
            );
            let mut inside = values[from..to].to_vec();
            if inside.is_empty() {
                return 0.0;
            }
            let place = ((inside.len() as f64 * 0.99) as usize).min(inside.len() - 1);
            *inside.select_nth_unstable_by(place, f64::total_cmp).1
        })
        .collect()
}
