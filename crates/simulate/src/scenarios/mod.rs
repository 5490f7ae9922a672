//! Every scenario there is. A new one is its own file and its line in this list.

use crate::Scenario;

mod canary_errors;
mod demo;
mod error_burst;
mod feed_stops;
mod healthy_tabular;
mod healthy_text_classifier;
mod longer_documents;
mod new_category;
mod score_shift;
mod slow_replica;

/// Every scenario.
pub static SCENARIOS: &[&Scenario] = &[
    &healthy_text_classifier::SCENARIO,
    &healthy_tabular::SCENARIO,
    &error_burst::SCENARIO,
    &slow_replica::SCENARIO,
    &longer_documents::SCENARIO,
    &canary_errors::SCENARIO,
    &score_shift::SCENARIO,
    &new_category::SCENARIO,
    &feed_stops::SCENARIO,
    &demo::SCENARIO,
];

#[cfg(test)]
mod tests;
