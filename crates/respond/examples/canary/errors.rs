//! Rows about failed requests: 100 a second, a tenth of them to the version on trial.

use wardline_domain::Timestamp;
use wardline_respond::judge::{Audience, Frozen, JudgeSettings, JudgedEvent, Key, Role, State, Trial};

use super::{
    chance::Chance,
    rules::{Argo, CANARY_RATE, Flagger, above, counts, kayenta},
    table::{Row, runs},
};

/// Most requests in one step, so that the look at moves of the share stays sharp.
const STEP: u64 = 200;
pub(crate) const REQUESTS_A_SECOND: f64 = 100.0;

/// What happens.
#[derive(Clone, Copy)]
pub(crate) struct Errors {
    pub(crate) standing: f64,
    pub(crate) canary: f64,
    /// Share of the traffic that the version really gets, and the one that was asked for.
    pub(crate) share: f64,
    pub(crate) asked: Option<f64>,
    pub(crate) seconds: f64,
    /// Both versions fail so often more from the first to the second moment.
    pub(crate) outage: Option<(f64, f64, f64)>,
    pub(crate) cut: f64,
}

impl Default for Errors {
    fn default() -> Self {
        Self { standing: 0.01, canary: 0.01, share: 0.1, asked: Some(0.1), seconds: 3_600.0, outage: None, cut: 0.03 }
    }
}

fn at(request: u64) -> Timestamp {
    Timestamp::from_micros(1_793_600_000_000_000 + (request as f64 / REQUESTS_A_SECOND * 1e6) as i64)
}

/// A model with latencies and without outputs: errors have 64 % of the error rate.
pub(crate) fn frozen() -> Frozen {
    Frozen { events: 20_000, latency_ms: vec![50.0, 91.5, 150.0, 215.0], ..Frozen::default() }
}

pub(crate) fn settings(alpha: f64) -> JudgeSettings {
    // Nothing is promoted, so that every run lasts as long as the others.
    JudgeSettings { alpha, beta: 1e-300, ..JudgeSettings::default() }
}

/// Bad requests in order: their number and whether the version on trial answered.
fn bad(errors: &Errors, chance: &mut Chance) -> Vec<(u64, bool, u64)> {
    let end = (errors.seconds * REQUESTS_A_SECOND) as u64;
    let mut found = Vec::new();
    let (mut request, mut canary_before) = (0_u64, 0_u64);
    while request < end {
        let second = request as f64 / REQUESTS_A_SECOND;
        let (more, limit) = match errors.outage {
            Some((from, to, rate)) if from <= second && second < to => (rate, to),
            Some((from, ..)) if second < from => (0.0, from),
            _ => (0.0, errors.seconds),
        };
        let (canary, standing) = (errors.canary + more, errors.standing + more);
        let all = errors.share * canary + (1.0 - errors.share) * standing;
        let good = chance.geometric(all);
        let limit = (limit * REQUESTS_A_SECOND) as u64;
        let gap = good.min(limit - request);
        // Whose the good ones were.
        let of_canary = errors.share * (1.0 - canary) / (1.0 - all);
        canary_before =
            if gap < 2_000 { chance.binomial(gap, of_canary) } else { normal_binomial(chance, gap, of_canary) };
        request += gap;
        if request >= limit {
            if limit >= end {
                break;
            }
            continue;
        }
        found.push((request, chance.yes(errors.share * canary / all), canary_before));
        request += 1;
    }
    let _ = canary_before;
    found
}

fn normal_binomial(chance: &mut Chance, n: u64, p: f64) -> u64 {
    let mean = n as f64 * p;
    (mean + chance.normal() * (mean * (1.0 - p)).sqrt()).round().clamp(0.0, n as f64) as u64
}

/// Seconds until it is sent back.
fn ours(errors: &Errors, bad: &[(u64, bool, u64)], alpha: f64) -> f64 {
    let Ok(mut trial) = Trial::new(settings(alpha), Some(frozen()), errors.asked, Audience::People) else {
        return f64::NAN;
    };
    let mut request = 0;
    for (number, is_canary, good_canary) in bad {
        pass(&mut trial, number - request, (*good_canary).min(number - request), at(*number));
        request = number + 1;
        let role = if *is_canary { Role::Canary } else { Role::Standing };
        let event = JudgedEvent { is_error: true, ..JudgedEvent::good(at(*number), role, Key::numbered(*number)) };
        if trial.observe(&event).1.is_some_and(|change| change.state == State::RollBack) {
            return *number as f64 / REQUESTS_A_SECOND;
        }
    }
    f64::INFINITY
}

fn pass(trial: &mut Trial, mut all: u64, mut canary: u64, time: Timestamp) {
    while all > 0 {
        let part = all.min(STEP);
        let of_canary = if part == all { canary } else { (canary * part).div_ceil(all).min(part) };
        trial.observe_good(of_canary, part - of_canary, time);
        all -= part;
        canary -= of_canary;
    }
}

/// One row of the table, for every rule.
pub(crate) fn row(name: &str, errors: Errors, n: u64) -> Vec<Row> {
    let found = runs(n, |seed| {
        let mut chance = Chance::new(seed);
        let bad = bad(&errors, &mut chance);
        let times: Vec<f64> =
            bad.iter().filter(|bad| bad.1).map(|(request, ..)| *request as f64 / REQUESTS_A_SECOND).collect();
        let mut all = vec![ours(&errors, &bad, 0.01), ours(&errors, &bad, 0.001)];
        let until = errors.seconds;
        for flagger in FLAGGER {
            all.push(flagger.seconds(&above(&times, until, flagger.window, flagger.interval, errors.cut)));
        }
        for argo in ARGO {
            all.push(argo.seconds(&above(&times, until, argo.interval, argo.interval, errors.cut)));
        }
        let rate = |times: &[f64]| -> Vec<f64> {
            counts(times, until, 60.0, 60.0).iter().map(|bad| *bad as f64 / (CANARY_RATE * 60.0)).collect()
        };
        let canary = rate(&times);
        let baseline: Vec<f64> = canary
            .iter()
            .map(|_| chance.poisson(CANARY_RATE * 60.0 * errors.standing) as f64 / (CANARY_RATE * 60.0))
            .collect();
        all.push(kayenta(&canary, &baseline, 10));
        all
    });
    super::table::rows(name, &NAMES, found)
}

pub(crate) const FLAGGER: [Flagger; 4] = [
    Flagger { interval: 60.0, window: 60.0, threshold: 5 },
    Flagger { interval: 60.0, window: 60.0, threshold: 10 },
    Flagger { interval: 10.0, window: 60.0, threshold: 1 },
    Flagger { interval: 10.0, window: 60.0, threshold: 5 },
];
pub(crate) const ARGO: [Argo; 3] =
    [Argo { interval: 300.0, limit: 3 }, Argo { interval: 60.0, limit: 3 }, Argo { interval: 60.0, limit: 0 }];
pub(crate) const NAMES: [&str; 10] = [
    "Wardline, alpha 0.01",
    "Wardline, alpha 0.001",
    "Flagger, 60 s, threshold 5",
    "Flagger, 60 s, threshold 10",
    "Flagger, 10 s, threshold 1",
    "Flagger, 10 s, threshold 5",
    "Argo Rollouts, 5 min, limit 3",
    "Argo Rollouts, 1 min, limit 3",
    "Argo Rollouts, 1 min, limit 0",
    "Kayenta, every 10 min",
];

/// Sessions that stay on one version and fail as a whole, five requests each on average.
pub(crate) fn clumps(n: u64, requests: u64) -> Vec<Row> {
    let found = runs(n, |seed| {
        let mut chance = Chance::new(seed);
        let one = |sticky: Option<bool>, chance: &mut Chance| -> f64 {
            let settings = JudgeSettings { sticky, ..settings(0.01) };
            let Ok(mut trial) = Trial::new(settings, Some(frozen()), Some(0.1), Audience::People) else {
                return f64::NAN;
            };
            let (mut request, mut session) = (0_u64, 0_u64);
            while request < requests {
                session += 1;
                let role = if chance.yes(0.1) { Role::Canary } else { Role::Standing };
                let is_error = chance.yes(0.001);
                for _ in 0..=chance.geometric(0.2) {
                    let key = Key::numbered(request);
                    let event = JudgedEvent {
                        is_error,
                        session: Key::numbered(session),
                        ..JudgedEvent::good(at(request), role, key)
                    };
                    if trial.observe(&event).1.is_some_and(|change| change.state == State::RollBack) {
                        return request as f64 / REQUESTS_A_SECOND;
                    }
                    request += 1;
                }
            }
            f64::INFINITY
        };
        vec![one(None, &mut chance), one(Some(false), &mut chance)]
    });
    super::table::rows(
        "sticky sessions that fail as a whole",
        &["Wardline", "the same, told that routing is not sticky"],
        found,
    )
}
