use std::collections::BTreeSet;

use wardline_domain::{Timestamp, atlas::Atlas};

use super::*;
use crate::hunts::bind::BindError;

const RANGE: (Timestamp, Timestamp) =
    (Timestamp::from_micros(1_793_577_600_000_000), Timestamp::from_micros(1_793_664_000_000_000));

fn columns() -> TableColumns {
    let features = vec!["feature_a\"b".to_owned(), "feature_plan".to_owned()];
    TableColumns { training_features: features.clone(), features }
}

fn question(name: &str, written: &[(&str, &str)]) -> Result<Question, BindError> {
    let written: Vec<(String, String)> =
        written.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Question::new(named(name).unwrap(), RANGE, Some("churn".to_owned()), &written)
}

#[test]
fn every_file_is_a_hunt_that_says_what_it_is() {
    for file in FILES {
        read(file).unwrap_or_else(|error| panic!("{error:#}\n{file}"));
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hunts");
    let on_disk: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".sql").map(str::to_owned))
        .collect();
    let listed: BTreeSet<String> = all().iter().map(|hunt| hunt.heading.name.clone()).collect();
    assert_eq!(on_disk, listed, "a file is not in the list, or not named by its heading");
    assert!(30 <= listed.len());
    for hunt in all() {
        for id in &hunt.heading.atlas {
            assert!(Atlas::built_in().technique(id).is_some(), "{}: {id}", hunt.heading.name);
        }
    }
}

#[test]
fn every_name_in_the_sql_stands_for_something() {
    for hunt in all() {
        let needed = hunt.heading.parameters.iter().filter(|(_, parameter)| parameter.default.is_none());
        let written: Vec<(String, String)> = needed.map(|(name, _)| (name.clone(), "group_sex".to_owned())).collect();
        let question = Question::new(hunt, RANGE, Some("churn".to_owned()), &written).unwrap();
        let sql = question.sql(&columns()).unwrap_or_else(|error| panic!("{}: {error}", hunt.heading.name));
        let used = |name: &str| hunt.sql.contains(&format!("${name}"));
        assert!(
            hunt.heading.parameters.keys().all(|name| used(name)),
            "{} has a parameter to spare",
            hunt.heading.name
        );
        assert!(sql.contains("2026-11-02T00:00:00.000Z"), "{sql}");
        assert!(sql.contains("ORDER BY"), "{} has no order", hunt.heading.name);
    }
}

/// Goal: a value is a literal or a name, whatever is in it.
#[test]
fn values_never_become_sql() {
    let evil = "x' OR 1=1; DROP TABLE inference; -- $client";
    let asked = question("injection_phrases", &[("pattern", evil), ("client", "user\" FROM x; --")]).unwrap();
    let sql = asked.sql(&columns()).unwrap();
    assert!(sql.contains("'x'' OR 1=1; DROP TABLE inference; -- $client'"), "{sql}");
    assert!(sql.contains("\"user\"\" FROM x; --\" AS client"), "{sql}");
    let negative = question("slow_erosion", &[("least_loss", "-0.5")]).unwrap().sql(&columns()).unwrap();
    assert!(negative.contains("<= -(-0.5) "), "{negative}");
    let hunt = named("stolen_key").unwrap();
    let model = Question::new(hunt, RANGE, Some("o'brien".to_owned()), &[]).unwrap();
    assert!(model.sql(&columns()).unwrap().contains("model = 'o''brien'"));
    let sweep = Question::new(named("extraction_sweep").unwrap(), RANGE, Some("a\"b".to_owned()), &[]).unwrap();
    let sql = sweep.sql(&columns()).unwrap();
    assert!(sql.contains("FROM \"model.a\"\"b\"") && sql.contains("\"feature_a\"\"b\""), "{sql}");
}

#[test]
fn what_does_not_fit_is_a_sentence() {
    let said = |name: &str, written: &[(&str, &str)]| question(name, written).unwrap_err().to_string();
    insta::assert_snapshot!(said("silent_swap", &[("gracE", "1")]), @"the hunt `silent_swap` has no parameter `gracE`; it has grace_minutes, least_predictions");
    insta::assert_snapshot!(said("silent_swap", &[("least_predictions", "1; --")]), @"`1; --` is no integer, and the parameter `least_predictions` is one");
    insta::assert_snapshot!(said("silent_swap", &[("grace_minutes", "NaN")]), @"`NaN` is no number, and the parameter `grace_minutes` is one");
    insta::assert_snapshot!(said("system_prompt_leak", &[]), @"the hunt needs `system_prompt`: the system prompt, or the parts of it that must not be told; write --param system_prompt=VALUE");
    let without = Question::new(named("backdoor_trigger").unwrap(), RANGE, None, &[]).unwrap_err();
    insta::assert_snapshot!(without, @"the hunt `backdoor_trigger` looks at the features of one model: name it with --model");
}

#[test]
fn what_is_missing_is_a_sentence() {
    let asked = question("stolen_key", &[]).unwrap();
    let presence = |rows, present, readable| Presence {
        table: "inference".to_owned(),
        column: "api_key".to_owned(),
        rows,
        present,
        readable,
    };
    let said = |presence: Presence| presence.obstacle(&asked, RANGE);
    assert_eq!(said(presence(5, 1, 1)), None);
    insta::assert_snapshot!(said(presence(0, 0, 0)).unwrap(), @"there is no row of `churn` in `inference` between 2026-11-02T00:00:00.000Z and 2026-11-03T00:00:00.000Z: widen --from and --to, or look at another model");
    insta::assert_snapshot!(said(presence(5, 0, 0)).unwrap(), @"none of the 5 rows of `inference` in that time has `api_key`: send it, or name another column with --param client=COLUMN");
    let prompt = Presence { column: "prompt".to_owned(), ..presence(5, 5, 0) };
    assert!(said(prompt).unwrap().starts_with("`prompt` is stored as a hash"));
}
