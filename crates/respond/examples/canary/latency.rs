//! Rows about latency: lognormal, p50 50 ms and p99 150 ms.

use wardline_domain::Timestamp;
use wardline_respond::judge::{Audience, Frozen, JudgedEvent, Key, Learning, Role, State, Trial};

use super::{
    chance::Chance,
    errors::{ARGO, FLAGGER, NAMES, REQUESTS_A_SECOND, settings},
    rules::{kayenta, p99s},
    table::{Row, rows, runs},
};

/// `ln 3` over the 99 % point of the normal law: p99 is three times p50.
const SIGMA: f64 = 0.472_249_6;
/// Between the good and the bad p99.
const CUT_MS: f64 = 212.0;

/// How the version on trial is slow.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Slow {
    Not,
    /// Everything takes twice as long.
    Twice,
    /// Two of a hundred take 200 to 400 ms; the median stays.
    Tail,
}

fn standing(chance: &mut Chance) -> f64 {
    50.0 * (SIGMA * chance.normal()).exp()
}

fn canary(slow: Slow, chance: &mut Chance) -> f64 {
    let usual = standing(chance);
    match slow {
        Slow::Not => usual,
        Slow::Twice => 2.0 * usual,
        Slow::Tail if chance.yes(0.02) => 200.0 + 200.0 * chance.even(),
        Slow::Tail => usual,
    }
}

fn learned(chance: &mut Chance) -> Option<Frozen> {
    let mut learning = Learning::default();
    for _ in 0..20_000 {
        let event = JudgedEvent::good(Timestamp::from_micros(0), Role::Standing, Key::NONE);
        learning.observe(&JudgedEvent { latency_ms: standing(chance), ..event });
    }
    learning.freeze()
}

fn ours(slow: Slow, seconds: f64, alpha: f64, chance: &mut Chance) -> f64 {
    let frozen = learned(chance);
    let Ok(mut trial) = Trial::new(settings(alpha), frozen, Some(0.1), Audience::People) else { return f64::NAN };
    for request in 0..(seconds * REQUESTS_A_SECOND) as u64 {
        let second = request as f64 / REQUESTS_A_SECOND;
        let (role, latency_ms) =
            if chance.yes(0.1) { (Role::Canary, canary(slow, chance)) } else { (Role::Standing, standing(chance)) };
        let time = Timestamp::from_micros(1_793_600_000_000_000 + (second * 1e6) as i64);
        let event = JudgedEvent { latency_ms, ..JudgedEvent::good(time, role, Key::NONE) };
        if trial.observe(&event).1.is_some_and(|change| change.state == State::RollBack) {
            return second;
        }
    }
    f64::INFINITY
}

/// One row, for every rule.
pub(crate) fn row(name: &str, slow: Slow, seconds: f64, n: u64) -> Vec<Row> {
    let found = runs(n, |seed| {
        let mut chance = Chance::new(seed);
        let mut all = vec![ours(slow, seconds, 0.01, &mut chance), ours(slow, seconds, 0.001, &mut chance)];
        let (mut times, mut values) = (Vec::new(), Vec::new());
        let mut time = 0.0;
        while time < seconds {
            time -= chance.even().ln() / super::rules::CANARY_RATE;
            times.push(time);
            values.push(canary(slow, &mut chance));
        }
        let is_bad = |window: f64, interval: f64| -> Vec<bool> {
            p99s(&times, &values, seconds, window, interval).into_iter().map(|p99| p99 > CUT_MS).collect()
        };
        all.extend(FLAGGER.iter().map(|flagger| flagger.seconds(&is_bad(flagger.window, flagger.interval))));
        all.extend(ARGO.iter().map(|argo| argo.seconds(&is_bad(argo.interval, argo.interval))));
        let each = p99s(&times, &values, seconds, 60.0, 60.0);
        let baseline: Vec<f64> = each
            .iter()
            .map(|_| {
                let mut minute: Vec<f64> = (0..600).map(|_| standing(&mut chance)).collect();
                *minute.select_nth_unstable_by(594, f64::total_cmp).1
            })
            .collect();
        all.push(kayenta(&each, &baseline, 10));
        all
    });
    rows(name, &NAMES, found)
}
