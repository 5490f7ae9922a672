//! What settings say to the person who wrote them.

use super::*;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wardline.toml");
    std::fs::write(&file, text).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(Some(&file), environment)
        .map_err(|error| error.to_string().replace(&folder.path().display().to_string(), ""))
}

#[test]
fn an_empty_file_is_complete() {
    let settings = load("", &[]).unwrap();
    assert_eq!(settings.server.listen, ServerSettings::DEFAULT_LISTEN);
    assert!(!settings.learning_is_set);
    assert_eq!(settings.model_default.objectives, None);
}

#[test]
fn every_problem_is_reported_at_once_with_what_would_do() {
    let text = r#"
        dta = "x"
        [server]
        listen = "0.0.0.0:7430"
        [objectives]
        success = 99.9
        [learning]
        span = "soon"
        [[privacy.rules]]
        field = "user"
        treatment = "encrypt"
    "#;
    insta::assert_snapshot!(load(text, &[]).unwrap_err(), @r"
    5 problems in /wardline.toml

    `server.listen` is 0.0.0.0:7430, which others can reach, and there is no token
      hint: add [[server.tokens]] with name and secret_file, or listen on 127.0.0.1

    `privacy.rules[0].treatment` is `encrypt`
      hint: write keep, drop, hash or hmac

    `learning.span` is `soon`, and must be a length of time
      hint: write 90s, 5m, 12h or 7d

    `objectives.success` is 99.9, and must lie between 0.5 and 0.999999
      hint: write a share, such as 0.999, not a percentage

    `dta` is not a setting
      hint: did you mean `data`?
    ");
}

#[test]
fn a_model_lays_its_settings_over_the_default() {
    let text = r#"
        [learning]
        until = 2026-03-01T00:00:00Z
        [objectives]
        success = 0.99
        [models."credit-decision"]
        positive_class = "decline"
        canary_versions = ["2.1"]
        [models."credit-decision".objectives]
        success = 0.9999
        latency_p99_ms = 150
    "#;
    let settings = load(text, &[]).unwrap();
    let model = &settings.models["credit-decision"];
    assert_eq!(model.objectives.unwrap().success, Some(0.9999));
    assert_eq!(model.objectives.unwrap().latency_p99_ms, Some(150.0));
    assert_eq!(settings.model_default.objectives.unwrap().success, Some(0.99));
    assert_eq!(model.learning, settings.model_default.learning);
    assert!(settings.learning_is_set);
}

#[test]
fn the_environment_wins_over_the_file() {
    let environment =
        [("WARDLINE_QUERY__MAX_ROWS", "7"), ("WARDLINE_DATA", "/srv/wardline"), ("WARDLINE_TOKEN", "no setting")];
    let settings = load("data = \"here\"\n[query]\nmax_rows = 9", &environment).unwrap();
    assert_eq!(settings.query.max_rows, 7);
    assert_eq!(settings.data, PathBuf::from("/srv/wardline"));
}

#[test]
fn a_short_token_is_refused_and_a_good_one_is_kept_as_a_hash() {
    let refused = load("[[server.tokens]]\nname = \"ci\"\nsecret = \"short\"", &[]).unwrap_err();
    assert!(refused.contains("at least 16"), "{refused}");
    let settings = load("[[server.tokens]]\nname = \"ci\"\nsecret = \"0123456789abcdef\"", &[]).unwrap();
    assert!(!format!("{settings:?}").contains("0123456789abcdef"));
}

#[test]
fn rows_are_kept_by_kind_and_by_model() {
    let text = "[lake]\nretention_days = 365\n[lake.retention]\nlog_days = 30\n[models.\"m\"]\nretention_days = 90\n";
    let lake = load(text, &[]).unwrap().lake;
    assert_eq!(lake.retention_days, Some(365));
    assert_eq!(lake.retention_by_kind[&RecordKind::Log], 30);
    assert_eq!(lake.retention_by_model["m"], 90);
}

#[test]
fn the_budget_and_silences_are_read() {
    let text = r#"
        [budget]
        false_pages_a_month = 1
        findings_per_model_week = 0.2
        [budget.models."fraud"]
        false_tickets_a_month = 5
        [[silences]]
        name = "database upgrade"
        model = "fraud"
        kind = "latency"
        slice = "instance=api-2"
        from = 2026-03-01T00:00:00Z
        until = 2026-03-01T04:00:00Z
    "#;
    let alerts = load(text, &[]).unwrap().alerts;
    assert_eq!((alerts.budget.all.pages, alerts.budget.all.tickets, alerts.false_alerts_per_week), (1.0, 20.0, 0.2));
    assert_eq!(alerts.budget.models["fraud"].tickets, 5.0);
    assert_eq!(alerts.silences[0].slice, Some(("instance".to_owned(), "api-2".to_owned())));
}

#[test]
fn silences_that_make_no_sense_are_refused() {
    let text = r#"
        [budget]
        false_pages_a_month = -1
        [[silences]]
        name = "all"
        [[silences]]
        name = "typing"
        kind = "slow"
        slice = "api-2"
    "#;
    let error = load(text, &[]).unwrap_err();
    for part in ["false_pages_a_month", "without a condition", "`slow`", "dimension=value"] {
        assert!(error.contains(part), "{error}");
    }
}
