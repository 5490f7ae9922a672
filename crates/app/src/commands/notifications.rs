//! `wardline notifications` and `wardline export`: what was told whom, and alerts for other systems.

use serde_json::json;
use wardline_domain::Timestamp;
use wardline_store::metadata::MessageStatus;

use super::{Outcome, client::Api};
use crate::{
    cli::{ExportAlertsArguments, NotificationsArguments, NotificationsCommand},
    notifications::{MessageView, notifications_table},
    server::NotificationList,
};

/// The most that are tried again at once.
const MOST_RETRIED: u32 = 10_000;

pub(super) async fn run(arguments: &NotificationsArguments) -> anyhow::Result<Outcome> {
    let api = Api::new(&arguments.remote)?;
    match &arguments.command {
        NotificationsCommand::List { status, to, limit, json, .. } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(status.map(|status| ("status", status.name().to_owned())));
            query.extend(to.as_ref().map(|to| ("receiver", to.clone())));
            let NotificationList { notifications } = api.get("/v1/notifications", &query).await?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&notifications)?);
            } else {
                print!("{}", notifications_table(&notifications));
            }
            let is_dead = notifications.iter().any(|message| message.status == MessageStatus::Dead);
            Ok(if is_dead { Outcome::Wrong } else { Outcome::Good })
        }
        NotificationsCommand::Retry { id, .. } => retry(&api, id.as_deref()).await,
        NotificationsCommand::Test { name, .. } => {
            api.ask("/v1/notifications/test", &json!({ "receiver": name }), "application/json").await?;
            println!("{name} took the test");
            Ok(Outcome::Good)
        }
    }
}

async fn retry(api: &Api, id: Option<&str>) -> anyhow::Result<Outcome> {
    let ids = match id {
        Some(id) => vec![id.to_owned()],
        None => {
            let query = [("status", "dead".to_owned()), ("limit", MOST_RETRIED.to_string())];
            let NotificationList { mut notifications } = api.get("/v1/notifications", &query).await?;
            // In the order in which they were told.
            notifications.reverse();
            notifications.into_iter().map(|message| message.id).collect()
        }
    };
    for id in &ids {
        let message: MessageView = api.post(&format!("/v1/notifications/{id}/retry"), &[]).await?;
        println!("{id}: {}", message.status.name());
    }
    if ids.is_empty() {
        println!("nothing was given up");
    }
    Ok(Outcome::Good)
}

pub(super) async fn export(arguments: &ExportAlertsArguments) -> anyhow::Result<Outcome> {
    let mut query = vec![("format", arguments.format.name().to_owned()), ("limit", arguments.limit.to_string())];
    for (name, time) in [("since", &arguments.since), ("until", &arguments.until)] {
        if let Some(time) = time {
            query.push((name, Timestamp::parse(time)?.to_string()));
        }
    }
    query.extend(arguments.model.as_ref().map(|model| ("model", model.clone())));
    query.extend(arguments.incident.as_ref().map(|incident| ("incident", incident.clone())));
    print!("{}", Api::new(&arguments.remote)?.text("/v1/export/alerts", &query).await?);
    Ok(Outcome::Good)
}
