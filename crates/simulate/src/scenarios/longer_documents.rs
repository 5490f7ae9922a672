//! One kind of document grows, through one channel, and takes longer.

use wardline_domain::{FindingKind, Slice};

use crate::{Effect, Injection, Options, Scenario, Scope, fleet, model::ModelPlan, random::Random};

pub(super) static SCENARIO: Scenario = Scenario {
    name: "longer-documents",
    about: "documents of one kind that come through one channel grow to several times their length",
    options: Options::days(3, 1),
    plan,
};

fn plan(random: &mut Random, options: &Options) -> Vec<ModelPlan> {
    let mut spec = fleet::document_reader(options.from);
    spec.rhythm.peak_per_hour = 1_100.0;
    let kind = fleet::DOCUMENT_LENGTHS[2 + random.below(2)].0;
    let channel = spec.channels[random.below(2)].0;
    let factor = random.between(3.5, 5.0);
    let injection = Injection {
        what: format!("{kind}s through {channel} have {factor:.1} times as many tokens"),
        model: spec.name.to_owned(),
        scope: Scope::slice(Slice::of("channel", channel).and("doc_type", kind)),
        effect: Effect::LongerInputs { factor },
        from: options.hours_in(random.between(8.0, 12.0)),
        until: None,
        symptoms: vec![FindingKind::Latency, FindingKind::DataDrift],
    };
    vec![spec.healthy().with(injection)]
}
