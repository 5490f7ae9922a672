//! A year of fifty models under the budget of false alerts: what is promised against what is raised, and how soon planted
//! faults are.
//!
//! `cargo run --release -p wardline-detect --example budget_year [models] [events an hour]`
//!
//! Traffic is made from a seed: it differs by hour and weekday, latency and inputs wander with a memory of hours, versions
//! follow each other every six weeks or so, and holidays halve the traffic. Three budgets see the same clean year; the
//! default one sees the same year with twelve faults of three days each.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "an example that is run by people")]

#[path = "../tests/it/stream.rs"]
mod stream;

use std::collections::BTreeMap;

use stream::{Dice, Event, batch, monday};
use wardline_detect::{BudgetSettings, FalseAlerts, Observed, Watch, WatchSettings};
use wardline_domain::{Alert, AlertChange, EventBatch, HeldBack, Severity, Timestamp};

const DAYS: i64 = 365;
const FAULT_DAYS: i64 = 3;
const NAMES: [&str; 10] = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"];

type Change = fn(&mut Event, &mut Dice);

struct Fault {
    name: &'static str,
    model: usize,
    day: i64,
    change: Change,
}

const FAULTS: [Fault; 12] = [
    Fault {
        name: "every tenth request fails",
        model: 3,
        day: 60,
        change: |event, dice| event.failed |= dice.next() < 0.1,
    },
    Fault {
        name: "one instance fails every third request",
        model: 7,
        day: 85,
        change: |event, dice| event.failed |= event.instance == "api-2" && dice.next() < 0.33,
    },
    Fault {
        name: "everything takes three times as long",
        model: 11,
        day: 110,
        change: |event, _| event.latency_ms *= 3.0,
    },
    Fault {
        name: "one instance takes five times as long",
        model: 14,
        day: 130,
        change: |event, _| event.latency_ms *= if event.instance == "api-1" { 5.0 } else { 1.0 },
    },
    Fault { name: "an input moves by 1.5 deviations", model: 18, day: 150, change: |event, _| event.age += 18.0 },
    Fault {
        name: "an input is missing in every second request",
        model: 21,
        day: 175,
        change: |event, dice| event.segment = event.segment.filter(|_| dice.next() < 0.5),
    },
    Fault {
        name: "an unknown category",
        model: 25,
        day: 200,
        change: |event, dice| {
            if dice.next() < 0.3 {
                event.segment = Some("unheard-of")
            }
        },
    },
    Fault { name: "an input is frozen", model: 29, day: 220, change: |event, _| event.age = 40.0 },
    Fault { name: "scores move up", model: 33, day: 245, change: |event, _| event.score = event.score.sqrt() },
    Fault { name: "scores collapse", model: 37, day: 270, change: |event, _| event.score = 0.5 + 0.02 * event.score },
    Fault { name: "no traffic at all", model: 41, day: 300, change: |event, _| event.instance = "" },
    Fault {
        name: "a segment fails every second request",
        model: 45,
        day: 330,
        change: |event, dice| event.failed |= event.segment == Some("student") && dice.next() < 0.5,
    },
];

/// What a model's traffic remembers from one event to the next.
struct Model {
    dice: Dice,
    wander: (f64, f64),
    seed: usize,
}

impl Model {
    fn day(&mut self, day: i64, per_hour: f64, faults: bool) -> Vec<Event> {
        let start = monday().plus(day * Timestamp::DAY);
        let is_holiday = [45, 46, 47, 160, 161, 250, 330].contains(&day);
        let seed = self.seed as u64 * 1_000_003 + day as u64;
        let most = 1.6 * per_hour;
        let version = NAMES[((day as usize + 7 * self.seed) / 43) % NAMES.len()];
        let fault = FAULTS.iter().find(|fault| faults && fault.model == self.seed);
        let (dice, wander) = (std::cell::RefCell::new(&mut self.dice), std::cell::Cell::new(self.wander));
        let mut events = stream::events(seed, most, start, start.plus(Timestamp::DAY), |event, own| {
            let hour = event.time.hour_of_day() as f64;
            let is_weekend = event.time.hour_of_week() >= 120;
            let mut share = (1.0 + 0.6 * (hour / 24.0 * std::f64::consts::TAU).sin()) / 1.6;
            share *= if is_weekend { 0.6 } else { 1.0 } * if is_holiday { 0.5 } else { 1.0 };
            // A memory of some two hours, whatever the rate.
            let keep = (-1.0 / (2.0 * per_hour)).exp();
            let mut dice = dice.borrow_mut();
            let next = |before: f64, dice: &mut Dice| keep * before + (1.0 - keep * keep).sqrt() * dice.normal();
            let (latency, age) = wander.get();
            let now = (next(latency, &mut dice), next(age, &mut dice));
            wander.set(now);
            event.latency_ms *= (0.1 * now.0).exp();
            event.age += 2.0 * now.1 - if is_weekend { 4.0 } else { 0.0 };
            event.version = version;
            if own.next() > share {
                event.instance = "";
            }
            if let Some(fault) = fault
                && (fault.day..fault.day + FAULT_DAYS).contains(&day)
            {
                (fault.change)(event, own);
            }
        });
        self.wander = wander.get();
        events.retain(|event| !event.instance.is_empty());
        events
    }
}

/// A year, seen by one watch.
struct Year {
    /// As they were raised, at their highest severity.
    alerts: BTreeMap<String, Alert>,
    held_back: usize,
    findings: usize,
}

impl Year {
    fn run(settings: WatchSettings, models: usize, per_hour: f64, faults: bool) -> Self {
        let mut watch = Watch::new(settings);
        let mut year = Self { alerts: BTreeMap::new(), held_back: 0, findings: 0 };
        let mut traffic: Vec<Model> =
            (0..models).map(|seed| Model { dice: Dice(seed as u64 + 77), wander: (0.0, 0.0), seed }).collect();
        for day in 0..DAYS {
            let mut batches: Vec<EventBatch> = Vec::new();
            for (index, model) in traffic.iter_mut().enumerate() {
                // Models come over time: the last fifth begins in the third month.
                if index >= models * 4 / 5 && day < 61 {
                    continue;
                }
                let events = model.day(day, per_hour, faults);
                if !events.is_empty() {
                    let name = format!("model-{index:02}");
                    batches.push(EventBatch { model: Some(name.as_str().into()), ..batch(&events) });
                }
            }
            year.take(watch.observe_together(&batches));
        }
        year.take(watch.finish());
        year
    }

    fn take(&mut self, observed: Observed) {
        let told = observed.findings.iter().filter(|finding| finding.severity > Severity::Info);
        for finding in told {
            self.findings += 1;
            self.held_back += usize::from(finding.held_back == Some(HeldBack::Budget));
        }
        for change in observed.alerts {
            let (AlertChange::Raised(alert) | AlertChange::Extended(alert) | AlertChange::Closed(alert)) = change;
            if alert.severity > Severity::Info {
                self.alerts.insert(alert.id.clone(), alert);
            }
        }
    }

    fn count(&self, severity: Severity) -> usize {
        self.alerts.values().filter(|alert| alert.severity == severity).count()
    }
}

fn settings(pages: f64, tickets: f64) -> WatchSettings {
    let budget = BudgetSettings { all: FalseAlerts { pages, tickets }, ..BudgetSettings::default() };
    WatchSettings { budget, ..WatchSettings::default() }
}

fn main() {
    let arguments: Vec<f64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let models = arguments.first().map_or(50, |models| *models as usize);
    let per_hour = arguments.get(1).copied().unwrap_or(12.0);
    println!("a clean year of {models} models, {per_hour} events an hour each at the most usual hour");
    println!(
        "{:>24} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "", "pages", "raised", "tickets", "raised", "findings", "held back"
    );
    let months = DAYS as f64 / 30.0;
    let mut is_kept = true;
    for (pages, tickets) in [(0.5, 4.0), (3.0, 20.0), (10.0, 60.0)] {
        let year = Year::run(settings(pages, tickets), models, per_hour, false);
        let raised = (year.count(Severity::Page), year.count(Severity::Ticket));
        is_kept &= raised.0 as f64 <= pages * months && raised.1 as f64 <= tickets * months;
        println!(
            "{:>24} {:>10.0} {:>10} {:>10.0} {:>10} {:>10} {:>10}",
            format!("{pages} and {tickets} a month"),
            pages * months,
            raised.0,
            tickets * months,
            raised.1,
            year.findings,
            year.held_back,
        );
        let mut by_detector: BTreeMap<&str, usize> = BTreeMap::new();
        for alert in year.alerts.values() {
            *by_detector.entry(alert.findings[0].detector.as_str()).or_default() += 1;
        }
        println!("{:>24} {by_detector:?}", "");
    }
    println!("the same year with faults, at the default budget");
    let default = BudgetSettings::default().all;
    let year = Year::run(settings(default.pages, default.tickets), models, per_hour, true);
    let mut found = 0;
    for fault in FAULTS.iter().filter(|fault| fault.model < models) {
        let start = monday().plus(fault.day * Timestamp::DAY);
        let name = format!("model-{:02}", fault.model);
        let is_of_it = |alert: &&Alert| {
            alert.model == name && start <= alert.time && alert.time < start.plus((FAULT_DAYS + 1) * Timestamp::DAY)
        };
        let first = year.alerts.values().filter(is_of_it).min_by_key(|alert| alert.time);
        let told = first.map_or_else(
            || "not found".to_owned(),
            |alert| {
                let hours = alert.time.since(start) as f64 / Timestamp::HOUR as f64;
                format!("{} after {hours:.1} h: {}", alert.severity.name(), alert.title)
            },
        );
        found += usize::from(first.is_some());
        println!("  {}: {told}", fault.name);
    }
    println!("{found} of the faults found; the budgets were {}kept", if is_kept { "" } else { "not " });
}
