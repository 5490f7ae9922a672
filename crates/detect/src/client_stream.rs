//! Streams of a model whose clients have habits, made from a seed: for the tests of detectors that ask who asks.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::Int32Type,
};
use wardline_domain::{EventBatch, RecordKind, Timestamp};

use crate::{
    Watch, WatchSettings,
    stream::{Dice, Told},
};

/// One request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) time: Timestamp,
    pub(crate) client: String,
    pub(crate) address: String,
    pub(crate) session: Option<String>,
    pub(crate) input_tokens: i64,
    pub(crate) output_tokens: i64,
    pub(crate) features: Vec<f64>,
    pub(crate) prompt: Option<String>,
    pub(crate) latency_ms: f64,
    pub(crate) score: f64,
}

/// When and how much a client asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Habit {
    /// In office hours of working days.
    Office,
    /// At night, a batch of everything at once.
    Nightly,
    /// Around the clock.
    Steady,
    /// Seldom, many at once.
    Bursty,
}

impl Habit {
    /// Expected requests in an hour, of so many a day.
    fn rate(self, dice: &mut Dice, hour: usize, a_day: f64) -> f64 {
        let (hour_of_day, is_weekend) = (hour % 24, hour / 24 % 7 >= 5);
        match self {
            Self::Office if is_weekend => 0.002 * a_day,
            Self::Office => a_day * if (8..18).contains(&hour_of_day) { 0.1 } else { 0.001 },
            Self::Nightly => a_day * f64::from(u8::from(hour_of_day == 2)),
            Self::Steady => a_day / 24.0,
            Self::Bursty => a_day * if dice.next() < 0.04 { 1.0 + 2.0 * dice.next() } else { 0.005 },
        }
    }
}

/// A client of a number: its habit and how much it asks a day, a few ask much.
pub(crate) fn habit_of(number: usize) -> (Habit, f64) {
    let habit = [Habit::Office, Habit::Office, Habit::Steady, Habit::Nightly, Habit::Bursty][number % 5];
    (habit, 6.0 + 260.0 / (1.0 + (number / 5) as f64))
}

/// Poisson.
pub(crate) fn count(dice: &mut Dice, mean: f64) -> usize {
    let (mut left, mut n) = (mean, 0);
    loop {
        left += dice.next().max(1e-12).ln();
        if left < 0.0 {
            return n;
        }
        n += 1;
    }
}

/// Requests of a client over some hours from a Monday on.
pub(crate) fn requests(
    seed: u64,
    name: &str,
    (habit, a_day): (Habit, f64),
    hours: std::ops::Range<usize>,
    change: impl Fn(&mut Ask, &mut Dice),
) -> Vec<Ask> {
    let mut dice = Dice(seed);
    let mut asks = Vec::new();
    for hour in hours {
        let mean = habit.rate(&mut dice, hour, a_day);
        for _ in 0..count(&mut dice, mean) {
            let mut ask = usual(&mut dice, name, crate::stream::monday().plus(hour as i64 * Timestamp::HOUR), seed);
            change(&mut ask, &mut dice);
            asks.push(ask);
        }
    }
    asks
}

/// A usual request within an hour: features hang together, and are of the client's own kind.
pub(crate) fn usual(dice: &mut Dice, name: &str, hour: Timestamp, seed: u64) -> Ask {
    let own = 0.3 * ((seed % 7) as f64 - 3.0);
    let wealth = own + dice.normal();
    let features = vec![
        (20_000.0 * (wealth + 0.3 * dice.normal()).exp()).round(),
        (35.0 + 5.0 * wealth + 8.0 * dice.normal()).round(),
        (1_000.0 * (wealth + 0.5 * dice.normal()).exp()).round(),
        (900.0 * (wealth + 0.4 * dice.normal()).exp()).round(),
        (2.0 - wealth + dice.normal()).round(),
        dice.normal() + 0.5 * wealth,
    ];
    let input_tokens = (300.0 * (0.6 * dice.normal()).exp()) as i64;
    Ask {
        time: hour.plus((dice.next() * Timestamp::HOUR as f64) as i64),
        client: name.to_owned(),
        address: format!("10.{}.7.{}", seed % 200, (dice.next() * 9.0) as u32),
        session: None,
        input_tokens,
        output_tokens: (150.0 * (0.5 * dice.normal()).exp()) as i64,
        score: score_of(&features),
        features,
        prompt: None,
        latency_ms: 40.0 + 0.2 * input_tokens as f64 * (0.2 * dice.normal()).exp(),
    }
}

/// What the model answers.
pub(crate) fn score_of(features: &[f64]) -> f64 {
    let [income, age, spent, ..] = features else { return 0.5 };
    1.0 / (1.0 + (-(income / 20_000.0).max(1e-3).ln() - 0.02 * (age - 35.0) + (spent / 1_000.0).max(1e-3).ln()).exp())
}

/// Clients of all habits over days; those after the first `known` begin later.
pub(crate) fn population(seed: u64, clients: usize, known: usize, days: usize) -> Vec<Ask> {
    let mut asks = Vec::new();
    for number in 0..clients {
        let first = if number < known { 0 } else { 24 * (10 + number % days.saturating_sub(11).max(1)) };
        let own = seed.wrapping_mul(1_000).wrapping_add(number as u64);
        asks.extend(requests(own, &format!("key-{number}"), habit_of(number), first..24 * days, |_, _| {}));
    }
    asks
}

/// A batch of requests; with prompts where the first has one.
pub(crate) fn batch(asks: &[Ask]) -> EventBatch {
    let text = |of: &dyn Fn(&Ask) -> Option<&str>| -> ArrayRef {
        let array: DictionaryArray<Int32Type> = asks.iter().map(of).collect();
        Arc::new(array)
    };
    let number =
        |of: &dyn Fn(&Ask) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(asks.iter().map(of))) };
    let integer =
        |of: &dyn Fn(&Ask) -> Option<i64>| -> ArrayRef { Arc::new(asks.iter().map(of).collect::<Int64Array>()) };
    let times =
        TimestampMicrosecondArray::from_iter_values(asks.iter().map(|ask| ask.time.micros())).with_timezone("UTC");
    let decisions: StringArray = asks.iter().map(|ask| Some(if ask.score > 0.5 { "yes" } else { "no" })).collect();
    let tokens = |value: i64| (value > 0).then_some(value);
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("time".to_owned(), Arc::new(times)),
        ("version".to_owned(), text(&|_| Some("1.0"))),
        ("api_key".to_owned(), text(&|ask| Some(&ask.client))),
        ("client_ip".to_owned(), text(&|ask| Some(&ask.address))),
        ("latency_ms".to_owned(), number(&|ask| ask.latency_ms)),
        ("score".to_owned(), number(&|ask| ask.score)),
        ("decision".to_owned(), Arc::new(decisions)),
        ("input_tokens".to_owned(), integer(&|ask| tokens(ask.input_tokens))),
        ("output_tokens".to_owned(), integer(&|ask| tokens(ask.output_tokens))),
    ];
    let optional = |of: &dyn Fn(&Ask) -> Option<&str>| -> Option<ArrayRef> {
        let array: StringArray = asks.iter().map(of).collect();
        asks.iter().any(|ask| of(ask).is_some()).then(|| Arc::new(array) as ArrayRef)
    };
    columns.extend(optional(&|ask| ask.prompt.as_deref()).map(|array| ("prompt".to_owned(), array)));
    columns.extend(optional(&|ask| ask.session.as_deref()).map(|array| ("session".to_owned(), array)));
    let width = asks.first().map_or(0, |ask| ask.features.len());
    for feature in 0..width {
        columns.push((format!("feature_x{feature}"), number(&|ask| ask.features[feature])));
    }
    EventBatch {
        kind: RecordKind::Inference,
        model: Some("scorer".into()),
        records: RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
            .unwrap(),
    }
}

/// Watches all requests in order of time.
pub(crate) fn watched(settings: WatchSettings, asks: &mut [Ask], size: usize) -> Told {
    asks.sort_by(|left, right| (left.time, &left.client).cmp(&(right.time, &right.client)));
    let mut watch = Watch::new(settings);
    let mut told = Told::default();
    for part in asks.chunks(size) {
        told.take(watch.observe(&batch(part)));
    }
    told.take(watch.finish());
    told
}

/// The clients that a detector accuses, sorted.
pub(crate) fn accused(told: &Told, detector: &str) -> Vec<String> {
    let mut names: Vec<String> = told
        .findings
        .iter()
        .filter(|finding| finding.detector == detector && finding.severity > wardline_domain::Severity::Info)
        .map(|finding| finding.responsible.first().map_or_else(|| "nobody".to_owned(), |carrier| carrier.name.clone()))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Settings that learn the first days.
pub(crate) fn learning(days: i64) -> WatchSettings {
    crate::stream::settings(crate::stream::monday().plus(days * Timestamp::DAY))
}
