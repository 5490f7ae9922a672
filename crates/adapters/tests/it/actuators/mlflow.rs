//! A real MLflow server with a registry in SQLite.

use serde_json::{Value, json};
use wardline_adapters::actuators::{AliasHistory, AliasReader};
use wardline_domain::{Action, Actuator, Timestamp};

use super::{block_on, build, named, registry::Registry, request};

fn settings(registry: &Registry) -> Value {
    json!({"name": "registry", "kind": "mlflow", "url": registry.url, "models": {"fraud": "fraud-detector"},
           "versions": {"2.0": "1", "2.1": "2"}, "time_limit_ms": 120_000})
}

fn back_to(version: &str, from: Option<&str>) -> Action {
    Action::MoveAlias {
        model: "fraud".to_owned(),
        alias: "champion".to_owned(),
        version: version.to_owned(),
        from: from.map(ToOwned::to_owned),
    }
}

/// One test, because the server takes a while to start.
#[test]
fn aliases_tags_and_training_data_are_set_in_a_real_registry() {
    let registry = Registry::start();
    block_on(async {
        registry.post("registered-models/create", json!({"name": "fraud-detector"})).await;
        registry.train("fraud-detector", "d41").await;
        registry.train("fraud-detector", "e7b").await;
        registry.point("fraud-detector", "champion", "2").await;
        let actuator = build(settings(&registry));
        an_alias_is_moved_back_and_the_move_is_remembered(&registry, &*actuator).await;
        what_somebody_else_moved_stays(&registry, &*actuator).await;
        a_version_is_tagged_with_the_reason(&registry, &*actuator).await;
        training_data_is_pinned_through_the_run(&registry, &*actuator).await;
        what_is_not_there_is_said(&registry, &*actuator).await;
        moves_of_others_are_seen_by_looking(&registry).await;
    });
}

async fn an_alias_is_moved_back_and_the_move_is_remembered(registry: &Registry, actuator: &dyn Actuator) {
    let back = request(back_to("2.0", Some("2.1")));
    assert_eq!(actuator.read(&back.action).await.unwrap(), "champion is version 2");
    let done = actuator.carry_out(&back).await.unwrap();
    assert_eq!(
        (done.before.as_deref(), done.after.as_deref()),
        (Some("champion is version 2"), Some("champion is version 1"))
    );
    assert!(actuator.carry_out(&back).await.unwrap().was_so);
    let url = format!("{}/api/2.0/mlflow/registered-models/get?name=fraud-detector", registry.url);
    let model: Value = registry.people.get(url).send().await.unwrap().json().await.unwrap();
    let tags = model.pointer("/registered_model/tags").and_then(Value::as_array).unwrap();
    let history = tags.iter().find(|tag| tag["key"] == "wardline.alias_history.champion").unwrap();
    let history: Value = serde_json::from_str(history["value"].as_str().unwrap()).unwrap();
    assert_eq!(
        history,
        json!([{"from": "2", "to": "1", "request": "rollout-7/step-2",
                "reason": "errors of 2.1 are five times those of 2.0"}])
    );
}

async fn what_somebody_else_moved_stays(registry: &Registry, actuator: &dyn Actuator) {
    registry.train("fraud-detector", "f00").await;
    registry.point("fraud-detector", "champion", "3").await;
    let error = actuator.carry_out(&request(back_to("2.0", Some("2.1")))).await.unwrap_err();
    insta::assert_snapshot!(error, @"registry refused: the alias champion of fraud-detector points to version 3, and no longer to 2: somebody else moved it, so it stays");
    // Whoever does not say from where means it in any case.
    assert!(!actuator.carry_out(&request(back_to("2.0", None))).await.unwrap().was_so);
}

async fn a_version_is_tagged_with_the_reason(registry: &Registry, actuator: &dyn Actuator) {
    let tag = request(Action::TagVersion {
        model: "fraud".to_owned(),
        version: "2.1".to_owned(),
        key: "wardline.verdict".to_owned(),
        value: "rolled back".to_owned(),
    });
    let done = actuator.carry_out(&tag).await.unwrap();
    assert_eq!(done.before.as_deref(), Some("wardline.verdict of version 2 is none"));
    assert_eq!(done.after.as_deref(), Some("wardline.verdict of version 2 is rolled back"));
    assert!(actuator.carry_out(&tag).await.unwrap().was_so);
    let url = format!("{}/api/2.0/mlflow/model-versions/get?name=fraud-detector&version=2", registry.url);
    let version: Value = registry.people.get(url).send().await.unwrap().json().await.unwrap();
    let tags = version.pointer("/model_version/tags").and_then(Value::as_array).unwrap();
    let reason = tags.iter().find(|tag| tag["key"] == "wardline.verdict.reason").unwrap();
    assert_eq!(reason["value"], "errors of 2.1 are five times those of 2.0");
}

async fn training_data_is_pinned_through_the_run(_: &Registry, actuator: &dyn Actuator) {
    let pin = named("pin_dataset", &[("model", "fraud"), ("version", "2.0")]);
    let done = actuator.carry_out(&pin).await.unwrap();
    assert_eq!(done.after.as_deref(), Some("training data is payments@d41"));
    assert!(actuator.carry_out(&pin).await.unwrap().was_so);
    let pin = named("pin_dataset", &[("model", "fraud"), ("version", "2.1")]);
    let done = actuator.carry_out(&pin).await.unwrap();
    assert_eq!(done.before.as_deref(), Some("training data is payments@d41"));
    assert_eq!(done.after.as_deref(), Some("training data is payments@e7b"));
}

async fn what_is_not_there_is_said(registry: &Registry, actuator: &dyn Actuator) {
    assert!(!actuator.can(&Action::MoveAlias {
        model: "churn".to_owned(),
        alias: "champion".to_owned(),
        version: "1".to_owned(),
        from: None
    }));
    let missing = actuator.carry_out(&request(back_to("99", None))).await.unwrap_err();
    insta::assert_snapshot!(missing, @"registry refused: it answered 404: Model Version (name=fraud-detector, version=99) not found");
    assert!(!missing.is_temporary());
    let named = actuator.carry_out(&request(back_to("v2", None))).await.unwrap_err();
    insta::assert_snapshot!(named, @"registry refused: version v2 is no number of the registry: list it in `versions`");
    let mut settings = settings(registry);
    settings["models"] = json!({"fraud": "nobody-registered-this"});
    let unknown = build(settings).carry_out(&request(back_to("2.0", None))).await.unwrap_err();
    insta::assert_snapshot!(unknown, @"registry refused: it answered 404: Registered Model with name=nobody-registered-this not found");
    // An alias that is not there yet is made.
    let fresh = Action::MoveAlias {
        model: "fraud".to_owned(),
        alias: "fallback".to_owned(),
        version: "2.0".to_owned(),
        from: None,
    };
    let made = actuator.carry_out(&request(fresh)).await.unwrap();
    assert_eq!(
        (made.before.as_deref(), made.after.as_deref()),
        (Some("fallback is version none"), Some("fallback is version 1"))
    );
}

async fn moves_of_others_are_seen_by_looking(registry: &Registry) {
    let settings = json!({"url": registry.url, "models": {"fraud": "fraud-detector"}, "versions": {"2.0": "1"}, "time_limit_ms": 120_000});
    let reader = AliasReader::new("registry", settings, &|_| None).unwrap();
    let mut history = AliasHistory::default();
    let look = async |history: &mut AliasHistory, second: i64| {
        history.observe("fraud", &reader.aliases("fraud").await.unwrap(), Timestamp::from_micros(second * 1_000_000))
    };
    assert!(look(&mut history, 1).await.is_empty());
    registry.point("fraud-detector", "champion", "3").await;
    let moves = look(&mut history, 2).await;
    assert_eq!((moves[0].from.as_deref(), moves[0].to.as_deref()), (Some("1"), Some("3")));
    assert_eq!(history.version_before("fraud", "champion"), Some("1"));
    assert_eq!(reader.training_datasets("fraud", "2.0").await.unwrap(), ["payments@d41"]);
}
