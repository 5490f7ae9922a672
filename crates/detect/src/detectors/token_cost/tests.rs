//! The least that `token_cost` must tell, and the most that it must not.

use wardline_domain::{Severity, Timestamp};

use crate::{
    client_stream::{Ask, Habit, accused, habit_of, learning, population, requests, watched},
    stream::{Dice, Told, monday},
};

const DETECTOR: &str = "token_cost";

/// Thirty clients over a fortnight, ten days learned, and what one of them does more from the eleventh day on.
fn with_abuse(number: usize, times: f64, hours: usize, change: impl Fn(&mut Ask, &mut Dice)) -> Told {
    let mut asks = population(5, 30, 30, 14);
    let from = 24 * 10 + 9;
    let (_, a_day) = habit_of(number);
    let abuse = (Habit::Steady, times * a_day);
    asks.extend(requests(5_000 + number as u64, &format!("key-{number}"), abuse, from..from + hours, change));
    watched(learning(10), &mut asks, 4_000)
}

/// Goal: a key that is used at ten times its mean is told before a fiftieth of its usual month is gone.
#[test]
fn alerts_before_the_budget_is_burnt() {
    let told = with_abuse(2, 10.0, 12, |_, _| {});
    assert_eq!(accused(&told, DETECTOR), ["api_key=key-2"]);
    let first = told.findings.iter().find(|finding| finding.detector == DETECTOR).unwrap();
    let burnt_days = 10.0 * first.time.since(monday().plus(249 * Timestamp::HOUR)) as f64 / Timestamp::DAY as f64;
    assert!(burnt_days < 0.02 * 30.0, "{burnt_days} {}", first.title);
}

/// Goal: a thief from elsewhere, with longer inputs, pages although he uses little more than the key's busiest hours.
#[test]
fn alerts_by_signs_of_other_hands() {
    let told = with_abuse(7, 6.0, 6, |ask, _| {
        ask.address = "203.0.113.9".to_owned();
        ask.input_tokens *= 8;
    });
    assert_eq!(accused(&told, DETECTOR), ["api_key=key-7"]);
    let first = told.findings.iter().find(|finding| finding.detector == DETECTOR).unwrap();
    assert_eq!(first.severity, Severity::Page, "{}", first.title);
    assert!(first.title.contains("addresses new to it") && first.atlas.contains(&"AML.T0012".to_owned()));
}

/// Goal: twice the usual from the usual place is no abuse.
#[test]
fn stays_quiet_on_twice_as_much() {
    assert_eq!(accused(&with_abuse(2, 1.0, 24, |_, _| {}), DETECTOR), [] as [&str; 0]);
}

/// Goal: of 200 honest clients (office, nightly batches, bursts, new ones) at most two are accused in 30 days.
#[test]
fn stays_quiet_on_honest_habits() {
    let mut asks = population(6, 200, 170, 30);
    let told = watched(learning(10), &mut asks, 8_000);
    let accused = accused(&told, DETECTOR);
    assert!(accused.len() <= 2, "{accused:?}");
}
