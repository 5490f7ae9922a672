//! Values for the variables of a playbook: those that somebody gave, then those that an incident or an alert tells.

use std::collections::BTreeMap;

use wardline_domain::Alert;
use wardline_respond::{incident::Incident, playbook::Playbook};

/// The name of a variable without what marks it: `__channel__:value` is `channel`.
pub(super) fn plain(name: &str) -> &str {
    let name = name.strip_suffix(":value").unwrap_or(name);
    name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__")).unwrap_or(name)
}

/// Adds names such as `channel=partner-7`, the first of each sort.
fn add_entities<'a>(values: &mut BTreeMap<String, String>, entities: impl IntoIterator<Item = &'a str>) {
    // A slice of several conditions is written `channel=web and device=tablet`.
    for condition in entities.into_iter().flat_map(|entity| entity.split(" and ")) {
        if let Some((dimension, value)) = condition.split_once('=') {
            values.entry(dimension.trim().to_owned()).or_insert_with(|| value.trim().to_owned());
        }
    }
}

/// What an alert tells, by plain names of variables.
pub(crate) fn values_of_alert(alert: &Alert) -> BTreeMap<String, String> {
    let mut values = BTreeMap::from([
        ("alert".to_owned(), alert.id.clone()),
        ("model".to_owned(), alert.model.clone()),
        ("kind".to_owned(), alert.kind.name().to_owned()),
    ]);
    values.extend(alert.version.iter().map(|version| ("version".to_owned(), version.clone())));
    add_entities(&mut values, alert.responsible.iter().map(|carrier| carrier.name.as_str()));
    for (dimension, value) in alert.slice.conditions() {
        values.entry(dimension.clone()).or_insert_with(|| value.clone());
    }
    values
}

/// What an incident tells, by plain names of variables: of its alerts, the one where it began goes first.
pub(crate) fn values_of_incident(incident: &Incident) -> BTreeMap<String, String> {
    let mut values = BTreeMap::from([("incident".to_owned(), incident.id.clone())]);
    let mut alerts: Vec<_> = incident.alerts.values().map(|attached| &attached.alert).collect();
    alerts.sort_by_key(|alert| (alert.onset, alert.time));
    let Some(first) = alerts.first() else { return values };
    values.insert("alert".to_owned(), first.id.clone());
    values.insert("model".to_owned(), first.model.clone());
    values.insert("kind".to_owned(), first.kind.name().to_owned());
    // What other models name is about them.
    for alert in alerts.iter().filter(|alert| alert.model == first.model) {
        if let Some(version) = &alert.version {
            values.entry("version".to_owned()).or_insert_with(|| version.clone());
        }
        add_entities(&mut values, alert.entities.iter().map(String::as_str));
    }
    values
}

/// Values for a playbook's variables: what was given, and of what is offered, what it takes.
///
/// # Errors
/// Everything that it does not take, and everything that it lacks.
pub(super) fn fit(
    playbook: &Playbook,
    given: &BTreeMap<String, String>,
    offered: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Vec<String>> {
    let taken: Vec<&str> =
        playbook.variables.iter().filter(|(_, variable)| variable.external).map(|(name, _)| plain(name)).collect();
    let mut problems: Vec<String> = given
        .keys()
        .filter(|name| !taken.contains(&plain(name)))
        .map(|name| format!("it takes no value `{}`; it takes {}", plain(name), taken.join(", ")))
        .collect();
    let given: BTreeMap<&str, &String> = given.iter().map(|(name, value)| (plain(name), value)).collect();
    let mut values = BTreeMap::new();
    for (name, variable) in playbook.variables.iter().filter(|(_, variable)| variable.external) {
        let short = plain(name);
        match given.get(short).copied().or_else(|| offered.get(short)) {
            Some(value) => {
                values.insert(name.clone(), value.clone());
            }
            None if variable.value.is_none() => {
                let what = variable.description.as_deref().unwrap_or("no description");
                problems.push(format!("`{short}` has no value: add --set {short}=VALUE ({what})"));
            }
            None => {}
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use wardline_domain::{FindingKind, Severity, Timestamp};
    use wardline_respond::{
        incident::{Actor, AlertFacts, Incidents},
        playbook::SHIPPED,
    };

    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn alert(id: &str, onset: i64, model: &str, entities: &[&str]) -> AlertFacts {
        AlertFacts {
            id: id.to_owned(),
            time: Timestamp::from_micros(1_000_000),
            onset: Timestamp::from_micros(onset),
            model: model.to_owned(),
            version: Some(format!("{model}-2")),
            kind: FindingKind::Errors,
            severity: Severity::Page,
            title: "something is wrong".to_owned(),
            atlas: Default::default(),
            entities: entities.iter().map(|entity| (*entity).to_owned()).collect(),
        }
    }

    #[test]
    fn an_incident_tells_of_the_model_where_it_began() {
        let mut incidents = Incidents::default();
        let alerts = vec![
            alert("a-late", 900, "promotion", &["channel=shop"]),
            alert("a-first", 100, "recommender", &["channel=partner-7 and device=tablet", "feature=age"]),
        ];
        let by = Actor::Person("ana".to_owned());
        let time = Timestamp::from_micros(2_000_000);
        let (id, _) = incidents.open("poisoned".to_owned(), alerts, None, &by, time).unwrap();
        let values = values_of_incident(incidents.get(&id).unwrap());
        let expected = texts(&[
            ("alert", "a-first"),
            ("channel", "partner-7"),
            ("device", "tablet"),
            ("feature", "age"),
            ("incident", &id),
            ("kind", "errors"),
            ("model", "recommender"),
            ("version", "recommender-2"),
        ]);
        assert_eq!(values, expected);
    }

    #[test]
    fn what_is_given_goes_before_what_is_offered_and_all_that_lacks_is_said() {
        let found = SHIPPED.iter().find(|shipped| shipped.name == "poisoning_by_channel").unwrap();
        let playbook = Playbook::read(found.json.as_bytes()).unwrap();
        let offered = texts(&[("model", "offered"), ("channel", "partner-7"), ("feature", "age"), ("standing", "1")]);
        let given = texts(&[("__model__", "fraud"), ("incident", "INC-1"), ("version", "2")]);
        let values = fit(&playbook, &given, &offered).unwrap();
        assert_eq!(values["__model__"], "fraud");
        assert_eq!(values["__channel__"], "partner-7");
        assert!(!values.contains_key("__trained__"), "it has a value of its own");
        let problems = fit(&playbook, &texts(&[("chanel", "web")]), &BTreeMap::new()).unwrap_err();
        insta::assert_snapshot!(problems.join("\n"), @r"
        it takes no value `chanel`; it takes channel, incident, model, standing, trained, version
        `channel` has no value: add --set channel=VALUE (The channel that carries it)
        `incident` has no value: add --set incident=VALUE (The incident that it responds to)
        `model` has no value: add --set model=VALUE (The model)
        `standing` has no value: add --set standing=VALUE (The version that served before)
        `version` has no value: add --set version=VALUE (The version in trouble)
        ");
    }
}
