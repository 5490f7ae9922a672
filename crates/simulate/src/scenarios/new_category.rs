//! One channel starts to send a category that nobody knows, and leaves a field out.

use wardline_domain::{FindingKind, Slice};

use crate::{Effect, Injection, Options, Scenario, Scope, fleet, model::ModelPlan, random::Random};

pub(super) static SCENARIO: Scenario = Scenario {
    name: "new-category",
    about: "one channel sends a customer segment that was never seen, and leaves the basket's value out",
    options: Options::days(7, 2),
    plan,
};

fn plan(random: &mut Random, options: &Options) -> Vec<ModelPlan> {
    let mut spec = fleet::offer_ranker(options.from);
    spec.rhythm.peak_per_hour = 500.0;
    let channel = spec.channels[random.below(spec.channels.len())].0;
    let from = options.hours_in(random.between(8.0, 14.0));
    let (new, missing) = (random.between(0.4, 0.8), random.between(0.3, 0.7));
    let model = spec.name.to_owned();
    let inject = |what: String, effect: Effect| Injection {
        what,
        model: model.clone(),
        scope: Scope::slice(Slice::of("channel", channel)),
        effect,
        from,
        until: None,
        symptoms: vec![FindingKind::DataQuality, FindingKind::DataDrift],
    };
    let category = inject(
        format!("{:.0} % of the predictions through {channel} have the new segment `household`", new * 100.0),
        Effect::NewCategory { feature: "segment", value: "household", share: new },
    );
    let basket = inject(
        format!("{:.0} % of the predictions through {channel} lack `basket_eur`", missing * 100.0),
        Effect::Missing { feature: "basket_eur", share: missing },
    );
    vec![spec.healthy().with(category).with(basket)]
}
