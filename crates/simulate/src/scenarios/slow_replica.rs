//! One instance stops again and again to collect garbage, and its metrics say so.

use wardline_domain::{FindingKind, Slice, Timestamp};

use crate::{Effect, Injection, Options, Scenario, Scope, fleet, model::ModelPlan, random::Random};

pub(super) static SCENARIO: Scenario = Scenario {
    name: "slow-replica",
    about: "one of three instances pauses for garbage collection again and again",
    options: Options::days(3, 1),
    plan,
};

fn plan(random: &mut Random, options: &Options) -> Vec<ModelPlan> {
    let mut spec = fleet::document_reader(options.from);
    spec.rhythm.peak_per_hour = 1_100.0;
    spec.serving.metrics_every = Some(Timestamp::MINUTE);
    let from = options.hours_in(random.between(8.0, 13.0));
    let instance = spec.instance(random.below(spec.serving.instances));
    let injection = pausing(spec.name, &instance, from, random);
    vec![spec.healthy().with(injection)]
}

/// Garbage collection on one instance: about a third of its time for two and a half hours.
pub(super) fn pausing(model: &str, instance: &str, from: Timestamp, random: &mut Random) -> Injection {
    let every_ms = random.between(3_800.0, 5_200.0);
    Injection {
        what: format!("instance {instance} stops for garbage collection a third of the time"),
        model: model.to_owned(),
        scope: Scope::slice(Slice::of("instance", instance)),
        effect: Effect::Pauses { every_ms, pause_ms: every_ms * 0.34 },
        from,
        until: Some(from.plus(150 * Timestamp::MINUTE)),
        symptoms: vec![FindingKind::Latency, FindingKind::Saturation, FindingKind::SloBurn],
    }
}
