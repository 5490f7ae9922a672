//! The least that `model_extraction` must tell, and the most that it must not.

use wardline_domain::Timestamp;

use crate::{
    client_stream::{Ask, Habit, accused, learning, population, requests, score_of, watched},
    stream::{Dice, Told},
};

const DETECTOR: &str = "model_extraction";

/// Sixty clients over a fortnight, ten days learned, and requests of attackers from the eleventh day on.
fn with_attack(attack: impl FnOnce() -> Vec<Ask>) -> Told {
    let mut asks = population(8, 60, 60, 14);
    asks.extend(attack());
    watched(learning(10), &mut asks, 4_000)
}

/// So many queries a day over some hours from the eleventh day on, with features of the attacker's choice.
fn queries(name: &str, a_day: f64, hours: usize, features: impl Fn(usize, &mut Dice) -> Vec<f64>) -> Vec<Ask> {
    let seed = name.bytes().fold(77, |seed: u64, byte| 31 * seed + u64::from(byte));
    let mut asks = requests(seed, name, (Habit::Steady, a_day), 245..245 + hours, |_, _| {});
    asks.sort_by_key(|ask| ask.time);
    let mut dice = Dice(seed);
    for (index, ask) in asks.iter_mut().enumerate() {
        ask.features = features(index, &mut dice);
        ask.score = score_of(&ask.features);
    }
    asks
}

/// Anywhere in the usual ranges.
fn uniform(_: usize, dice: &mut Dice) -> Vec<f64> {
    vec![
        (80_000.0 * dice.next()).round(),
        (10.0 + 50.0 * dice.next()).round(),
        (4_000.0 * dice.next()).round(),
        (4_000.0 * dice.next()).round(),
        (6.0 * dice.next() - 1.0).round(),
        4.0 * dice.next() - 2.0,
    ]
}

fn grid(index: usize, _: &mut Dice) -> Vec<f64> {
    let step = |place: usize, n: usize| (index / place % n) as f64;
    vec![10_000.0 * (1.0 + step(1, 6)), 20.0 + 8.0 * step(6, 5), 500.0 * (1.0 + step(30, 4)), 900.0, 2.0, 0.25]
}

#[test]
fn alerts_on_random_queries() {
    let told = with_attack(|| queries("thief", 900.0, 12, uniform));
    assert_eq!(accused(&told, DETECTOR), ["api_key=thief"]);
}

#[test]
fn alerts_on_a_grid() {
    let told = with_attack(|| queries("thief", 900.0, 12, grid));
    assert_eq!(accused(&told, DETECTOR), ["api_key=thief"]);
}

/// Goal: a known honest key that turns to random queries is told although it asks no more than before.
#[test]
fn alerts_on_a_known_client_that_turns() {
    let told = with_attack(|| queries("key-2", 300.0, 48, uniform));
    assert_eq!(accused(&told, DETECTOR), ["api_key=key-2"]);
}

/// Goal: slowly, a hundred and fifty queries a day over three days.
#[test]
fn alerts_on_slow_queries() {
    let told = with_attack(|| queries("thief", 150.0, 72, uniform));
    assert_eq!(accused(&told, DETECTOR), ["api_key=thief"]);
}

/// Goal: ten new keys with thirty queries each are told together.
#[test]
fn alerts_on_an_attack_split_over_ten_keys() {
    let told = with_attack(|| (0..10).flat_map(|key| queries(&format!("thief-{key}"), 30.0, 24, uniform)).collect());
    let mut named: Vec<&str> = told
        .findings
        .iter()
        .filter(|finding| finding.detector == DETECTOR)
        .flat_map(|finding| finding.responsible.iter().map(|carrier| carrier.name.as_str()))
        .collect();
    named.sort_unstable();
    named.dedup();
    assert!(named.len() >= 8 && named.iter().all(|name| name.starts_with("api_key=thief-")), "{named:?}");
}

/// Goal: a new client that takes honest inputs by the thousand.
#[test]
fn alerts_on_far_more_than_anybody() {
    let attack = requests(99, "thief", (Habit::Steady, 8_000.0), 250..274, |_, _| {});
    assert_eq!(accused(&with_attack(|| attack), DETECTOR), ["api_key=thief"]);
}

/// Goal: of 200 honest clients at most two are accused in 30 days, with a batch client and new clients among them,
/// and though everybody's inputs drift.
#[test]
fn stays_quiet_on_honest_clients() {
    let mut asks = population(9, 200, 170, 30);
    let until = crate::stream::monday().plus(15 * Timestamp::DAY);
    for ask in asks.iter_mut().filter(|ask| ask.time >= until) {
        ask.features[1] += 6.0;
    }
    let accused = accused(&watched(learning(10), &mut asks, 8_000), DETECTOR);
    assert!(accused.len() <= 2, "{accused:?}");
}

/// Goal: it does not matter how the stream is cut.
#[test]
fn stays_quiet_about_batches() {
    let mut asks = population(8, 20, 20, 12);
    asks.extend(queries("thief", 900.0, 6, uniform));
    let (whole, cut) = (watched(learning(10), &mut asks, 100_000), watched(learning(10), &mut asks, 7));
    let of = |told: &Told| -> Vec<String> { told.findings.iter().map(|finding| finding.title.clone()).collect() };
    assert_eq!(of(&whole), of(&cut));
}
