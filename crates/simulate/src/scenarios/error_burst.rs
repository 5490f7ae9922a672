//! An error budget of 99.9 % burns sixteen times too fast for an hour.

use wardline_domain::{FindingKind, Timestamp};

use crate::{Effect, Injection, Options, Scenario, Scope, fleet, model::ModelPlan, random::Random};

/// How many times too fast the budget burns: 2.2 % of 30 days' budget in the hour.
const BURN: f64 = 16.0;

pub(super) static SCENARIO: Scenario = Scenario {
    name: "error-burst",
    about: "an error budget of 99.9 % burns 16 times too fast for an hour",
    options: Options::days(3, 1),
    plan,
};

fn plan(random: &mut Random, options: &Options) -> Vec<ModelPlan> {
    let mut spec = fleet::card_fraud(options.from);
    spec.rhythm.peak_per_hour = 2_600.0;
    let success = spec.settings.objectives.and_then(|objectives| objectives.success).unwrap_or(0.999);
    let from = options.hours_in(random.between(9.0, 17.0));
    let injection = Injection {
        what: format!("{:.1} % of the predictions fail for an hour", BURN * (1.0 - success) * 100.0),
        model: spec.name.to_owned(),
        scope: Scope::whole(),
        effect: Effect::ErrorRate(BURN * (1.0 - success)),
        from,
        until: Some(from.plus(Timestamp::HOUR)),
        symptoms: vec![FindingKind::SloBurn, FindingKind::Errors],
    };
    vec![spec.healthy().with(injection)]
}
