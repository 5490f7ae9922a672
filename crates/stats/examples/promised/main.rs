//! Promised against observed, for every test and detector.
//!
//! For each: how often it alarms while nothing changes (independent, autocorrelated and seasonal streams) beside what it
//! promises, and how long it takes, or how often it finds, three sizes of change; and the same for a detector that
//! always alarms.
//!
//! ```sh
//! cargo run --release -p wardline-stats --example promised -- [--quick] [--only TEXT] [--part PART] [--json FILE]
//! ```
//!
//! Ends with 1 if a promise was broken.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its job is to print")]

mod alarms;
mod arms;
mod detectors;
mod discoveries;
mod effort;
mod estimates;
mod fairness;
mod outliers;
mod poisoning;
mod probing;
mod random;
mod search;
mod sequences;
mod slices;
mod streams;
mod table;
mod tables;
mod two_samples;

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::effort::Effort;

/// Prints a part of the report, adds to the broken promises, and answers with all figures.
type Part = fn(&Effort, &mut Vec<String>) -> Value;

const PARTS: &[(&str, Part)] = &[
    ("alarms", alarms::report),
    ("search", search::report),
    ("sequences", sequences::report),
    ("samples", two_samples::report),
    ("tables", tables::report),
    ("discoveries", discoveries::report),
    ("estimates", estimates::report),
    ("outliers", outliers::report),
    ("probing", probing::report),
    ("slices", slices::report),
    ("fairness", fairness::report),
    ("poisoning", poisoning::report),
];

#[derive(Default)]
struct Arguments {
    quick: bool,
    only: Option<String>,
    part: Option<String>,
    json: Option<String>,
}

fn arguments() -> Option<Arguments> {
    let mut found = Arguments::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => found.quick = true,
            "--only" => found.only = Some(words.next()?),
            "--part" => found.part = Some(words.next()?),
            "--json" => found.json = Some(words.next()?),
            _ => return None,
        }
    }
    Some(found)
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        let parts: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
        eprintln!("promised [--quick] [--only TEXT] [--part {}] [--json FILE]", parts.join("|"));
        return ExitCode::from(2);
    };
    let effort = Effort::new(arguments.quick, arguments.only);
    let mut broken = Vec::new();
    let mut parts = Map::new();
    for (name, report) in PARTS {
        if arguments.part.as_ref().is_none_or(|part| part == *name) {
            parts.insert((*name).to_owned(), report(&effort, &mut broken));
        }
    }
    for promise in &broken {
        println!("BROKEN: {promise}");
    }
    parts.insert("broken".to_owned(), json!(broken));
    if let Some(file) = arguments.json
        && let Err(error) = std::fs::write(&file, format!("{:#}\n", Value::Object(parts)))
    {
        eprintln!("cannot write `{file}`: {error}");
        return ExitCode::from(2);
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
