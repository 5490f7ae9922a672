//! A busy model's events stop coming.

use wardline_domain::{FindingKind, Timestamp};

use crate::{Effect, Injection, Options, Scenario, Scope, fleet, model::ModelPlan, random::Random};

pub(super) static SCENARIO: Scenario = Scenario {
    name: "feed-stops",
    about: "the telemetry of one of two models falls silent in the middle of a working day",
    options: Options::days(4, 1),
    plan,
};

fn plan(random: &mut Random, options: &Options) -> Vec<ModelPlan> {
    let mut silent = fleet::card_fraud(options.from);
    silent.rhythm.peak_per_hour = 900.0;
    let from = options.hours_in(random.between(9.0, 15.0));
    let injection = Injection {
        what: "no prediction arrives any more".to_owned(),
        model: silent.name.to_owned(),
        scope: Scope::whole(),
        effect: Effect::Silence,
        from,
        until: Some(from.plus(3 * Timestamp::HOUR)),
        symptoms: vec![FindingKind::Traffic],
    };
    // The other model keeps the stream's clock going.
    vec![silent.healthy().with(injection), fleet::ticket_router(options.from).healthy()]
}
