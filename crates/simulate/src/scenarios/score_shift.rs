//! A new version's feature pipeline gives one feature in the wrong unit, and the scores follow.

use wardline_domain::{FindingKind, Timestamp};

use crate::{
    Effect, Injection, Options, Scenario, Scope, fleet,
    model::{ModelPlan, ModelSpec, VersionSpec},
    random::Random,
};

pub(super) static SCENARIO: Scenario = Scenario {
    name: "score-shift",
    about: "from a new version on, one feature arrives in the wrong unit and the decisions shift",
    options: Options::days(7, 2),
    plan,
};

fn plan(random: &mut Random, options: &Options) -> Vec<ModelPlan> {
    let mut spec = fleet::credit_limit(options.from);
    spec.rhythm.peak_per_hour = 500.0;
    let from = options.hours_in(random.between(8.0, 20.0));
    let (feature, factor) =
        [("income_eur", 100.0), ("account_months", 1.0 / 12.0), ("debt_ratio", 100.0)][random.below(3)];
    vec![wrong_unit(spec, "5.1", feature, factor, from)]
}

/// A version that takes over from the last one and reads one feature in the wrong unit.
pub(super) fn wrong_unit(
    mut spec: ModelSpec,
    version: &str,
    feature: &'static str,
    factor: f64,
    from: Timestamp,
) -> ModelPlan {
    spec.versions.push(VersionSpec::stable(version, from));
    let injection = Injection {
        what: format!("version {version} gets `{feature}` times {factor:.3}"),
        model: spec.name.to_owned(),
        scope: Scope::version(version),
        effect: Effect::WrongUnit { feature, factor },
        from,
        until: None,
        symptoms: vec![FindingKind::PredictionDrift, FindingKind::DataDrift, FindingKind::DataQuality],
    };
    spec.healthy().with(injection)
}
