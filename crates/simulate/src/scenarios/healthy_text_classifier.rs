//! A text classifier that was just deployed behind REST, and nothing is wrong with it.

use crate::{Options, Scenario, fleet, model::ModelPlan, random::Random};

pub(super) static SCENARIO: Scenario = Scenario {
    name: "healthy-text-classifier",
    about: "a four-class text classifier with its daily and weekly rhythm; nothing is wrong",
    options: Options::days(14, 14),
    plan,
};

fn plan(_random: &mut Random, options: &Options) -> Vec<ModelPlan> {
    vec![fleet::ticket_router(options.from).healthy()]
}
