//! A new version on trial fails more often than the one beside it.

use wardline_domain::{FindingKind, Timestamp};

use crate::{
    Effect, Injection, Options, Scenario, Scope, fleet,
    model::{ModelPlan, ModelSpec, VersionSpec},
    random::Random,
};

/// Share of the canary's predictions that fail.
const FAILING: f64 = 0.06;

pub(super) static SCENARIO: Scenario = Scenario {
    name: "canary-errors",
    about: "a canary at 10 % of the traffic fails in 6 % of its predictions, the stable version in 0.03 %",
    options: Options::days(2, 1),
    plan,
};

fn plan(random: &mut Random, options: &Options) -> Vec<ModelPlan> {
    let mut spec = fleet::card_fraud(options.from);
    spec.rhythm.peak_per_hour = 2_400.0;
    let from = options.hours_in(random.between(8.0, 14.0));
    vec![failing_canary(spec, "3.2", from, from.plus(4 * Timestamp::HOUR))]
}

/// A canary that fails from its first prediction on.
pub(super) fn failing_canary(mut spec: ModelSpec, version: &str, from: Timestamp, until: Timestamp) -> ModelPlan {
    spec.versions.push(VersionSpec::canary(version, from, Some(until), 0.1));
    spec.settings.canary_versions.push(version.to_owned());
    let injection = Injection {
        what: format!("{:.0} % of version {version}'s predictions fail", FAILING * 100.0),
        model: spec.name.to_owned(),
        scope: Scope::version(version),
        effect: Effect::ErrorRate(FAILING),
        from,
        until: Some(until),
        symptoms: vec![FindingKind::Errors, FindingKind::SloBurn],
    };
    spec.healthy().with(injection)
}
