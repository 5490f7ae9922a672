use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::Value;
use wardline_domain::Timestamp;

use super::SCENARIOS;
use crate::{Effect, Injection, Options, Scenario};

/// A stream that is short enough to test with, and has its whole story.
fn short(scenario: &Scenario) -> Options {
    Options { learning_days: 2, volume: scenario.options.volume * 0.6, ..scenario.options }
}

fn read(scenario: &Scenario, seed: u64, options: &Options) -> Vec<Value> {
    scenario.events(seed, options).map(|line| serde_json::from_slice(&line).unwrap()).collect()
}

fn time_of(event: &Value) -> Timestamp {
    Timestamp::parse(event["time"].as_str().unwrap()).unwrap()
}

/// Predictions that an injection's scope holds, during it or not.
fn touched<'a>(events: &'a [Value], injection: &'a Injection, on: bool) -> impl Iterator<Item = &'a Value> {
    events.iter().filter(move |event| {
        event.get("kind").is_none()
            && event["model"] == injection.model.as_str()
            && injection.is_on(time_of(event)) == on
            && injection.scope.version.as_ref().is_none_or(|version| !on || event["version"] == version.as_str())
            && injection.scope.slice.conditions().iter().all(|(dimension, value)| {
                event[dimension] == value.as_str() || event["attributes"][dimension] == value.as_str()
            })
    })
}

fn share<'a>(events: impl Iterator<Item = &'a Value>, holds: impl Fn(&Value) -> bool) -> f64 {
    let (mut holding, mut all) = (0.0, 0.0);
    for event in events {
        all += 1.0;
        holding += f64::from(u8::from(holds(event)));
    }
    assert!(all >= 20.0, "only {all} events");
    holding / all
}

fn mean<'a>(events: impl Iterator<Item = &'a Value>, field: impl Fn(&Value) -> Option<f64>) -> f64 {
    let values: Vec<f64> = events.filter_map(field).collect();
    assert!(values.len() >= 20, "only {} values", values.len());
    values.iter().sum::<f64>() / values.len() as f64
}

/// Goal: what the truth says is in the data, as large as it says.
/// Method: the touched slice during the injection against the same slice outside it.
fn check_truth(events: &[Value], injection: &Injection) {
    let during = || touched(events, injection, true);
    let before = || touched(events, injection, false);
    let what = &injection.what;
    match &injection.effect {
        Effect::ErrorRate(rate) => {
            let failed = share(during(), |event| event["status"] == "error");
            assert!((rate * 0.5..rate * 1.6).contains(&failed), "{what}: {failed}");
        }
        Effect::Pauses { every_ms, pause_ms } => {
            let waiting = share(during(), |event| event["queue_ms"].as_f64() > Some(50.0));
            assert!(waiting > 0.7 * pause_ms / every_ms, "{what}: {waiting}");
            assert!(share(before(), |event| event["queue_ms"].as_f64() > Some(50.0)) < 0.1, "{what}");
        }
        Effect::LongerInputs { factor } => {
            let tokens = |event: &Value| event["input_tokens"].as_f64();
            let ratio = mean(during(), tokens) / mean(before(), tokens);
            assert!((factor * 0.8..factor * 1.2).contains(&ratio), "{what}: {ratio}");
        }
        Effect::WrongUnit { feature, factor } => {
            let value = |event: &Value| event["features"][feature].as_f64();
            let ratio = mean(during(), value) / mean(before(), value);
            assert!((factor * 0.8..factor * 1.2).contains(&ratio), "{what}: {ratio}");
            let score = |event: &Value| event["score"].as_f64();
            let moved = (mean(during(), score) - mean(before(), score)).abs();
            assert!(moved > 0.1, "{what}: the score moved by {moved}");
        }
        Effect::Missing { feature, share: wanted } => {
            let missing = share(during(), |event| event["features"][feature].is_null());
            assert!((wanted - missing).abs() < 0.1, "{what}: {missing}");
            assert_eq!(share(before(), |event| event["features"][feature].is_null()), 0.0, "{what}");
        }
        Effect::NewCategory { feature, value, share: wanted } => {
            let new = share(during(), |event| event["features"][feature] == *value);
            assert!((wanted - new).abs() < 0.1, "{what}: {new}");
            assert_eq!(share(before(), |event| event["features"][feature] == *value), 0.0, "{what}");
        }
        Effect::Silence => assert_eq!(during().count(), 0, "{what}"),
        Effect::Slower { .. } => panic!("no scenario has {what}"),
    }
}

#[test]
fn the_truth_is_in_the_data() {
    for scenario in SCENARIOS {
        let options = short(scenario);
        let events = read(scenario, 2, &options);
        let truth = scenario.truth(2, &options);
        assert_eq!(truth.injections.is_empty(), scenario.name.starts_with("healthy-"), "{}", scenario.name);
        for injection in &truth.injections {
            assert!(truth.learning_until <= injection.from && injection.from < truth.until, "{}", injection.what);
            check_truth(&events, injection);
        }
    }
}

#[test]
fn every_line_is_valid_and_in_order() {
    for scenario in SCENARIOS {
        let options = short(scenario);
        let events = read(scenario, 3, &options);
        let mut last = options.from;
        let mut ids = HashMap::new();
        for event in &events {
            let time = time_of(event);
            assert!(last <= time && time < options.until(), "{}: {event}", scenario.name);
            last = time;
            match event["kind"].as_str().unwrap_or("inference") {
                "inference" => check_prediction(event, &mut ids),
                "outcome" => assert!(ids.contains_key(event["id"].as_str().unwrap()), "{event}"),
                "deployment" => assert!(event["model"].is_string() && event["action"].is_string(), "{event}"),
                "metric" => assert!(event["service"].is_string() && event["value"].is_number(), "{event}"),
                other => panic!("unexpected kind {other}"),
            }
        }
    }
}

fn check_prediction(event: &Value, ids: &mut HashMap<String, ()>) {
    assert!(ids.insert(event["id"].as_str().unwrap().to_owned(), ()).is_none(), "{event}");
    for field in ["model", "version", "role", "service", "instance", "status", "channel", "user", "session"] {
        assert!(event[field].is_string(), "{field}: {event}");
    }
    assert!(event["latency_ms"].as_f64().unwrap() >= event["queue_ms"].as_f64().unwrap(), "{event}");
    let failed = event["status"] == "error";
    assert_eq!(event["http_status"].as_i64() >= Some(500), failed);
    assert_eq!(event["error"].is_string(), failed);
    assert_eq!(event["decision"].is_string(), !failed);
    if let Some(score) = event["score"].as_f64() {
        assert!((0.0..=1.0).contains(&score), "{event}");
    }
    if let Some(scores) = event["scores"].as_object() {
        let sum: f64 = scores.values().filter_map(Value::as_f64).sum();
        assert!((sum - 1.0).abs() < 0.01, "{event}");
    }
}

/// Goal: traffic follows its rhythm. Method: a model's predictions against the integral of its rate.
#[test]
fn volumes_follow_the_rhythm() {
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.name.starts_with("healthy-")) {
        let options = scenario.options;
        let rhythms: HashMap<&str, _> =
            scenario.models(5, &options).into_iter().map(|plan| (plan.spec.name, plan.spec.rhythm)).collect();
        let mut counts: HashMap<String, f64> = HashMap::new();
        for event in read(scenario, 5, &options) {
            if event.get("kind").is_none() {
                *counts.entry(event["model"].as_str().unwrap().to_owned()).or_default() += 1.0;
            }
        }
        for (model, rhythm) in rhythms {
            let expected = rhythm.expected(options.from, options.until());
            let ratio = counts[model] / expected;
            assert!((0.95..1.05).contains(&ratio), "{model}: {} of {expected:.0}", counts[model]);
        }
    }
}

#[test]
fn the_demo_is_large_enough_to_be_worth_looking_at() {
    let demo = Scenario::find("demo").unwrap();
    let events = demo.records(7, &demo.options).count();
    assert!((200_000..=400_000).contains(&events), "{events}");
    let truth = demo.truth(7, &demo.options);
    let mut models: Vec<&str> = truth.injections.iter().map(|injection| injection.model.as_str()).collect();
    models.dedup();
    assert_eq!(models, ["document-reader", "card-fraud", "credit-limit"]);
}

#[test]
fn a_seed_changes_the_story() {
    let scenario = Scenario::find("slow-replica").unwrap();
    let places: std::collections::HashSet<String> =
        (0..8).map(|seed| scenario.truth(seed, &scenario.options).injections[0].what.clone()).collect();
    assert!(places.len() > 1, "{places:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn the_same_seed_tells_the_same_story(seed in any::<u64>(), index in 0..SCENARIOS.len()) {
        let scenario = SCENARIOS[index];
        let options = Options { learning_days: 1, watched_days: 1, volume: 0.2, ..scenario.options };
        prop_assert_eq!(scenario.truth(seed, &options), scenario.truth(seed, &options));
        let (first, second) = (scenario.events(seed, &options), scenario.events(seed, &options));
        prop_assert!(first.eq(second));
    }
}
