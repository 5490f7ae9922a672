//! `wardline incident`: lists, shows and works on incidents.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wardline_domain::Timestamp;
use wardline_respond::incident::{Class, IncidentSeverity, Resolution, Role};

use super::{Outcome, client::Api, lineage};
use crate::{
    cli::{IncidentArguments, IncidentCommand},
    incidents::{IncidentView, incident_text, incidents_table},
    screen::plain,
    server::{Declared, IncidentList, RadiusAnswer},
};

/// How often a watch asks what is new.
const WATCH_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

pub(super) async fn run(arguments: &IncidentArguments) -> anyhow::Result<Outcome> {
    let api = Api::new(&arguments.remote)?;
    let Some(command) = &arguments.command else { return list(&api, true, None, false).await };
    match command {
        IncidentCommand::List { active, model, json } => list(&api, *active, model.as_deref(), *json).await,
        IncidentCommand::Show { id, json } => show(&api, id, *json).await,
        IncidentCommand::Log { id } => {
            let id = whole_id(&api, id).await?;
            print!("{}", api.get_text(&format!("/v1/incidents/{id}/log")).await?);
            Ok(Outcome::Good)
        }
        IncidentCommand::Radius { id, json } => {
            let id = whole_id(&api, id).await?;
            let answer: RadiusAnswer = api.get(&format!("/v1/incidents/{id}/radius"), &[]).await?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&answer)?);
            } else {
                print!("{}", lineage::radius_text(&answer));
            }
            Ok(Outcome::Good)
        }
        IncidentCommand::Watch { id } => watch(&api, id.as_deref()).await,
        IncidentCommand::Open { title } => {
            let answer = api.ask("/v1/incidents", &json!({ "title": title }), "application/json").await?;
            let Declared { incident } = answer.json().await?;
            println!("{incident}");
            Ok(Outcome::Good)
        }
        command => work(&api, command).await,
    }
}

async fn list(api: &Api, active: bool, model: Option<&str>, as_json: bool) -> anyhow::Result<Outcome> {
    let mut query = vec![("active", active.to_string())];
    query.extend(model.map(|model| ("model", model.to_owned())));
    let IncidentList { incidents } = api.get("/v1/incidents", &query).await?;
    if as_json {
        println!("{}", serde_json::to_string_pretty(&incidents)?);
    } else {
        print!("{}", incidents_table(&incidents));
    }
    let is_over = incidents.iter().all(|view| !view.incident.status.is_active());
    Ok(if is_over { Outcome::Good } else { Outcome::Wrong })
}

async fn show(api: &Api, id: &str, as_json: bool) -> anyhow::Result<Outcome> {
    let id = whole_id(api, id).await?;
    let view: IncidentView = api.get(&format!("/v1/incidents/{id}"), &[]).await?;
    if as_json {
        println!("{}", serde_json::to_string_pretty(&view)?);
    } else {
        print!("{}", incident_text(&view));
    }
    Ok(if view.incident.status.is_active() { Outcome::Wrong } else { Outcome::Good })
}

/// The one incident whose id begins so.
pub(super) async fn whole_id(api: &Api, start: &str) -> anyhow::Result<String> {
    let IncidentList { incidents } = api.get("/v1/incidents", &[("limit", "10000".to_owned())]).await?;
    let mut ids = incidents.iter().map(|view| &view.incident.id).filter(|id| id.starts_with(start));
    match (ids.next(), ids.next()) {
        (Some(id), None) => Ok(id.clone()),
        (Some(one), Some(other)) => bail!("`{start}` may be {one}, {other} or more: write more of it"),
        (None, _) => bail!("there is no incident `{start}`: `wardline incident list` shows them"),
    }
}

/// Prints what is new, until it is stopped.
async fn watch(api: &Api, id: Option<&str>) -> anyhow::Result<Outcome> {
    let id = match id {
        Some(id) => Some(whole_id(api, id).await?),
        None => None,
    };
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    let mut after: Option<Timestamp> = None;
    loop {
        let query: Vec<_> = after.map(|after| ("updated_after", after.to_string())).into_iter().collect();
        let IncidentList { incidents } = api.get("/v1/incidents", &query).await?;
        for view in incidents.iter().rev().filter(|view| id.as_ref().is_none_or(|id| *id == view.incident.id)) {
            let incident = &view.incident;
            after = after.max(Some(incident.updated));
            if told.insert(incident.id.clone(), view.head.length) == Some(view.head.length) {
                continue;
            }
            let one: IncidentView = api.get(&format!("/v1/incidents/{}", incident.id), &[]).await?;
            let latest = one.timeline.iter().rfind(|entry| entry.time <= incident.updated);
            let what = latest.map(|entry| format!("{} ({})", entry.what, entry.by)).unwrap_or_default();
            println!("{}  {}  {}  {}", incident.updated, incident.id, incident.status, plain(&what));
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

/// Everything that changes one incident.
async fn work(api: &Api, command: &IncidentCommand) -> anyhow::Result<Outcome> {
    let (start, mut bodies) = command_of(command)?;
    let id = whole_id(api, start).await?;
    if let IncidentCommand::Merge { into, .. } = command {
        bodies[0]["into"] = Value::String(whole_id(api, into).await?);
    }
    let mut view = None;
    for body in &bodies {
        let answer = api.ask(&format!("/v1/incidents/{id}/commands"), body, "application/json").await?;
        view = Some(answer.json::<IncidentView>().await?);
    }
    if let Some(view) = view {
        println!("{} is {}", view.incident.id, view.incident.status);
    }
    Ok(Outcome::Good)
}

/// The incident's id, as it was written, and what is asked of it.
fn command_of(command: &IncidentCommand) -> anyhow::Result<(&str, Vec<Value>)> {
    use IncidentCommand as Asked;
    let one = |body: Value| vec![body];
    Ok(match command {
        Asked::Ack { id } => (id, one(json!({"command": "acknowledge"}))),
        Asked::Assign { id, role, person } => {
            let role: Role = word(role, "role")?;
            (id, one(json!({"command": "assign", "role": role, "person": person})))
        }
        Asked::Note { id, text } => (id, one(json!({"command": "note", "text": text}))),
        Asked::Link { id, label, target } => (id, one(json!({"command": "link", "label": label, "target": target}))),
        Asked::Task { id, title, owner, due } => {
            let due = due.as_deref().map(Timestamp::parse).transpose().context("--due")?;
            (id, one(json!({"command": "add_task", "title": title, "owner": owner, "due": due})))
        }
        Asked::Done { id, task, outcome } => {
            (id, one(json!({"command": "finish_task", "number": task, "outcome": outcome})))
        }
        Asked::Drop { id, task, reason } => {
            (id, one(json!({"command": "drop_task", "number": task, "reason": reason})))
        }
        Asked::Severity { id, severity, reason } => {
            let severity: IncidentSeverity = word(severity, "severity")?;
            (id, one(json!({"command": "set_severity", "severity": severity, "reason": reason})))
        }
        Asked::Classify { id, class } => {
            let class: Class = word(class, "class")?;
            (id, one(json!({"command": "classify", "class": class})))
        }
        Asked::Impact { id, .. } => (id, impact_of(command)?),
        Asked::Mitigate { id, what } => (id, one(json!({"command": "mitigate", "what": what}))),
        Asked::Resolve { id, resolution, what } => {
            let resolution: Resolution = word(resolution, "resolution")?;
            (id, one(json!({"command": "resolve", "resolution": resolution, "what": what})))
        }
        Asked::Reopen { id, reason } => (id, one(json!({"command": "reopen", "reason": reason}))),
        Asked::Merge { id, into, reason } => (id, one(json!({"command": "merge", "into": into, "reason": reason}))),
        Asked::Split { id, title, alerts, reason } => {
            (id, one(json!({"command": "split", "alerts": alerts, "title": title, "reason": reason})))
        }
        Asked::List { .. }
        | Asked::Show { .. }
        | Asked::Log { .. }
        | Asked::Radius { .. }
        | Asked::Watch { .. }
        | Asked::Open { .. } => bail!("this changes no incident"),
    })
}

fn impact_of(command: &IncidentCommand) -> anyhow::Result<Vec<Value>> {
    let IncidentCommand::Impact { basis, people, decisions, cost, since, .. } = command else { return Ok(Vec::new()) };
    let (cost, currency) = cost.as_deref().map(money).transpose()?.unzip();
    let impact = json!({
        "people": people, "decisions": decisions, "cost_hundredths": cost, "currency": currency, "basis": basis,
    });
    let mut bodies = vec![json!({"command": "state_impact", "impact": impact})];
    if let Some(since) = since {
        let time = Timestamp::parse(since).context("--since")?;
        bodies.push(json!({"command": "set_impact_start", "time": time, "basis": basis}));
    }
    Ok(bodies)
}

/// A word of a closed list, with dashes as one writes them in a shell.
fn word<T: DeserializeOwned>(text: &str, what: &'static str) -> anyhow::Result<T> {
    let name = Value::String(text.replace('-', "_"));
    serde_json::from_value(name).with_context(|| format!("`{text}` is no {what}: `wardline incident help` names them"))
}

/// An amount in hundredths, and its currency: `1250.50EUR`.
fn money(text: &str) -> anyhow::Result<(i64, String)> {
    let advice = || {
        format!("`{text}` is no amount: write a number with at most two decimals and a currency, such as 1250.50EUR")
    };
    let split = text.find(|character: char| character.is_ascii_alphabetic()).with_context(advice)?;
    let (amount, currency) = text.split_at(split);
    let (whole, hundredths) = amount.trim().split_once('.').unwrap_or((amount.trim(), ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if currency.len() != 3 || 2 < hundredths.len() || !is_number(hundredths) {
        bail!(advice());
    }
    let whole: i64 = whole.parse().with_context(advice)?;
    let hundredths: i64 = format!("{hundredths:0<2}").parse().with_context(advice)?;
    let amount = whole.checked_mul(100).and_then(|amount| amount.checked_add(hundredths)).with_context(advice)?;
    Ok((amount, currency.to_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_hundredth() {
        assert_eq!(money("1250.50EUR").unwrap(), (125_050, "EUR".to_owned()));
        assert_eq!(money("7 usd").unwrap(), (700, "USD".to_owned()));
        assert_eq!(money("0.5GBP").unwrap(), (50, "GBP".to_owned()));
        for wrong in ["", "12", "EUR", "1.005EUR", "1,50EUR", "1.5EURO", "99999999999999999EUR", "1.-5EUR"] {
            assert!(money(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn roles_are_written_as_in_a_shell() {
        assert_eq!(word::<Role>("model-owner", "role").unwrap(), Role::ModelOwner);
        assert!(word::<Role>("king", "role").unwrap_err().to_string().contains("`king` is no role"));
    }
}
