//! A tabular model with other customers at weekends, a holiday, and a rebuilt version; nothing is wrong.

use wardline_domain::Timestamp;

use crate::{
    Options, Scenario, fleet,
    model::{ModelPlan, VersionSpec},
    random::Random,
    rhythm::Holiday,
};

pub(super) static SCENARIO: Scenario = Scenario {
    name: "healthy-tabular",
    about: "other customers at weekends, a holiday with 2.3 times the traffic, the same model rebuilt; nothing is wrong",
    options: Options::days(14, 10),
    plan,
};

fn plan(random: &mut Random, options: &Options) -> Vec<ModelPlan> {
    let holiday =
        Holiday { from: options.hours_in(random.between(20.0, 30.0)), until: options.hours_in(58.0), factor: 2.3 };
    let rebuilt = options.hours_in(random.between(100.0, 130.0));
    let mut spec = fleet::offer_ranker(options.from);
    spec.rhythm.holidays.push(holiday);
    spec.versions.push(VersionSpec::stable("4.1.1", rebuilt));
    let plan = spec
        .healthy()
        .and_harmless("a holiday brings 2.3 times the traffic", holiday.from, holiday.until)
        .and_harmless("version 4.1.1, the same model rebuilt, takes over", rebuilt, rebuilt.plus(Timestamp::DAY));
    vec![plan]
}
