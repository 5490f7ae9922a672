//! A bank's four models: two weeks of ordinary days, then three in which things happen to three of them.

use wardline_domain::Timestamp;

use super::{canary_errors::failing_canary, score_shift::wrong_unit, slow_replica::pausing};
use crate::{Options, Scenario, fleet, model::ModelPlan, random::Random};

pub(super) static SCENARIO: Scenario = Scenario {
    name: "demo",
    about: "a bank's four models over 17 days: a failing canary, a slow instance, a feature in the wrong unit",
    options: Options::days(14, 3),
    plan,
};

fn plan(random: &mut Random, options: &Options) -> Vec<ModelPlan> {
    let slow_from = options.hours_in(random.between(8.5, 9.5));
    let canary_from = options.hours_in(24.0 + random.between(9.0, 11.0));
    let unit_from = options.hours_in(48.0 + random.between(6.0, 8.0));

    let reader = fleet::document_reader(options.from);
    let slow = pausing(reader.name, &reader.instance(random.below(reader.serving.instances)), slow_from, random);
    let fraud = fleet::card_fraud(options.from);
    let limit = fleet::credit_limit(options.from);
    vec![
        fleet::ticket_router(options.from).healthy(),
        reader.healthy().with(slow),
        failing_canary(fraud, "3.2", canary_from, canary_from.plus(4 * Timestamp::HOUR)),
        wrong_unit(limit, "5.1", "income_eur", 100.0, unit_from),
    ]
}
