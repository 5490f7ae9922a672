//! Rows about what the model says. Numbers are requests or labels, not seconds.

use wardline_domain::Timestamp;
use wardline_respond::judge::{
    Audience, Change, Frozen, Hold, JudgeSettings, JudgedEvent, JudgedOutcome, Key, Measure, Role, State, Trial,
};

use super::{
    chance::Chance,
    errors::settings,
    table::{Row, rows, runs},
};

fn at(number: u64) -> Timestamp {
    Timestamp::from_micros(1_793_600_000_000_000 + number as i64 * 10_000)
}

fn yes() -> Key {
    Key::of_class("approve")
}

fn no() -> Key {
    Key::of_class("decline")
}

/// A model with latencies, scores and decisions.
fn frozen() -> Frozen {
    Frozen {
        events: 20_000,
        latency_ms: vec![50.0, 91.5, 150.0, 215.0],
        scores_above: vec![0.265, 0.389, 0.510, 0.706],
        scores_below: vec![0.033, 0.093, 0.161, 0.265],
        decisions: vec![(yes(), 0.8), (no(), 0.2)],
        ..Frozen::default()
    }
}

fn is_sent_back(change: &Option<Change>) -> bool {
    change.as_ref().is_some_and(|change| change.state == State::RollBack)
}

/// Mirrored requests until decisions that differ too often send back; 2 % are tolerated.
pub(crate) fn flips(share: f64, most: u64, n: u64) -> Vec<Row> {
    let found = runs(n, |seed| {
        let mut chance = Chance::new(seed);
        let Ok(mut trial) = Trial::new(settings(0.01), Some(frozen()), None, Audience::Copies) else {
            return vec![f64::NAN];
        };
        let found = (1..=most).find(|number| {
            let standing = JudgedEvent {
                decision: yes(),
                ..JudgedEvent::good(at(*number), Role::Standing, Key::numbered(*number))
            };
            let decision = if chance.yes(share) { no() } else { yes() };
            trial.observe(&standing);
            is_sent_back(&trial.observe(&JudgedEvent { decision, role: Role::Shadow, id: Key::NONE, ..standing }).1)
        });
        vec![found.map_or(f64::INFINITY, |number| number as f64)]
    });
    rows(
        &format!("decisions that flip: {:.0} %, 2 % tolerated (mirrored requests)", share * 100.0),
        &["Wardline"],
        found,
    )
}

/// Labels until a version that is right less often is sent back: of mirrored requests, and of the version's own.
pub(crate) fn labels(accuracy: f64, most: u64, n: u64) -> Vec<Row> {
    let found = runs(n, |seed| {
        let mut chance = Chance::new(seed);
        vec![pairs(accuracy, most, &mut chance), split(accuracy, most, &mut chance)]
    });
    let name = format!("accuracy 90 % to {:.0} % (labels)", accuracy * 100.0);
    rows(&name, &["Wardline, mirrored requests", "Wardline, labels of the canary"], found)
}

/// Both versions share most errors: 3 % the new one mends.
fn pairs(accuracy: f64, most: u64, chance: &mut Chance) -> f64 {
    let Ok(mut trial) = Trial::new(settings(0.01), Some(frozen()), None, Audience::Copies) else { return f64::NAN };
    let (mended, broken) = (0.03, 0.03 + 0.9 - accuracy);
    // Decisions that differ are meant here.
    let found = (1..=most).find(|number| {
        let draw = chance.even();
        let (old_right, new_right) = match draw {
            draw if draw < broken => (true, false),
            draw if draw < broken + mended => (false, true),
            draw if draw < broken + mended + 0.07 => (false, false),
            _ => (true, true),
        };
        let decision = |right: bool| if right { yes() } else { no() };
        let id = Key::numbered(*number);
        let standing =
            JudgedEvent { decision: decision(old_right), ..JudgedEvent::good(at(*number), Role::Standing, id) };
        trial.observe(&standing);
        trial.observe(&JudgedEvent { decision: decision(new_right), role: Role::Shadow, id: Key::NONE, ..standing });
        is_sent_back(
            &trial.observe_outcome(&JudgedOutcome { time: at(*number), id, label: yes(), feedback: f64::NAN }).1,
        )
    });
    found.map_or(f64::INFINITY, |number| number as f64)
}

fn split(accuracy: f64, most: u64, chance: &mut Chance) -> f64 {
    let Ok(mut trial) = Trial::new(settings(0.01), Some(frozen()), Some(0.1), Audience::People) else {
        return f64::NAN;
    };
    let mut labels = 0;
    for number in 1..=most * 10 {
        let role = if chance.yes(0.1) { Role::Canary } else { Role::Standing };
        let right = chance.yes(if role == Role::Canary { accuracy } else { 0.9 });
        let id = Key::numbered(number);
        // The mix of decisions stays as it was.
        let decision = if chance.yes(0.8) { yes() } else { no() };
        let wrong = if decision == yes() { no() } else { yes() };
        let change = trial.observe(&JudgedEvent { decision, ..JudgedEvent::good(at(number), role, id) }).1;
        labels += u64::from(role == Role::Canary);
        let label = if right { decision } else { wrong };
        let later = trial.observe_outcome(&JudgedOutcome { time: at(number), id, label, feedback: f64::NAN }).1;
        if is_sent_back(&change) || is_sent_back(&later) {
            return labels as f64;
        }
    }
    f64::INFINITY
}

/// Scores of the version on trial.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Same,
    /// The same mean, narrower.
    Narrower,
    /// A tenth lies above 0.9.
    Bimodal,
}

/// Requests of the version until moved scores send back; scores are Beta(2, 5).
pub(crate) fn scores(name: &str, shape: Shape, most: u64, n: u64) -> Vec<Row> {
    let found = runs(n, |seed| {
        let mut chance = Chance::new(seed);
        let Ok(mut trial) = Trial::new(settings(0.01), Some(frozen()), Some(0.1), Audience::People) else {
            return vec![f64::NAN];
        };
        let mut canary = 0;
        for number in 1..=most * 10 {
            let role = if chance.yes(0.1) { Role::Canary } else { Role::Standing };
            canary += u64::from(role == Role::Canary);
            let score = match (role, shape) {
                (Role::Canary, Shape::Narrower) => chance.beta(4, 10),
                (Role::Canary, Shape::Bimodal) if chance.yes(0.1) => 0.9 + 0.1 * chance.even(),
                _ => chance.beta(2, 5),
            };
            let event = JudgedEvent { score, ..JudgedEvent::good(at(number), role, Key::NONE) };
            if is_sent_back(&trial.observe(&event).1) {
                return vec![canary as f64];
            }
        }
        vec![f64::INFINITY]
    });
    rows(&format!("scores {name} (canary requests)"), &["Wardline"], found)
}

const SEGMENTS: u64 = 20;

/// Requests of the version until the alarm about one segment of twenty, and whether the list at the end is right.
pub(crate) fn fairness(rate: f64, most: u64, n: u64) -> Vec<Row> {
    let segment = |number: u64| Key::of_segment("segment", &number.to_string());
    let found = runs(n, |seed| {
        let mut chance = Chance::new(seed);
        let settings = JudgeSettings {
            favourable_decision: Some("approve".to_owned()),
            segments: vec!["segment".to_owned()],
            observe_only: Measure::ALL.iter().map(|(measure, ..)| *measure).collect(),
            ..settings(0.01)
        };
        let frozen = Frozen { segments: (0..SEGMENTS).map(segment).collect(), ..frozen() };
        let Ok(mut trial) = Trial::new(settings, Some(frozen), Some(0.1), Audience::People) else {
            return vec![f64::NAN];
        };
        let (mut canary, mut alarm) = (0, f64::INFINITY);
        for number in 1..=most * 10 {
            let role = if chance.yes(0.1) { Role::Canary } else { Role::Standing };
            canary += u64::from(role == Role::Canary);
            let place = chance.below(SEGMENTS);
            let share = if role == Role::Canary && place == 7 { rate } else { 0.2 };
            let decision = if chance.yes(share) { no() } else { yes() };
            let mut event = JudgedEvent { decision, ..JudgedEvent::good(at(number), role, Key::NONE) };
            event.segments[0] = segment(place);
            let change = trial.observe(&event).1;
            if change.is_some_and(|change| change.hold == Some(Hold::Fairness)) && alarm.is_infinite() {
                alarm = canary as f64;
            }
        }
        let listed: Vec<Key> = trial.segments_worse_off();
        let is_worse = rate > 0.2;
        let wrong =
            listed.iter().filter(|key| !is_worse || **key != segment(7)).count() as f64 / listed.len().max(1) as f64;
        let hit = listed.contains(&segment(7)) && is_worse;
        vec![alarm, if hit { 1.0 } else { f64::INFINITY }, if wrong > 0.0 { wrong } else { f64::INFINITY }]
    });
    let name = format!("one of 20 segments: {:.0} % declined where 20 % were (canary requests)", rate * 100.0);
    rows(
        &name,
        &["alarm", "in the list at the end (share of runs)", "wrong entries in the list (share of runs)"],
        found,
    )
}
