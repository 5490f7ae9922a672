//! `wardline alerts`: what was raised.

use serde::Deserialize;
use wardline_domain::Alert;

use super::{Outcome, client::Api};
use crate::{
    cli::{AckArguments, AlertsArguments, AlertsCommand},
    screen,
};

#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Alert>,
}

pub(super) async fn run(arguments: &AlertsArguments) -> anyhow::Result<Outcome> {
    if let Some(AlertsCommand::Ack(ack)) = &arguments.command {
        return acknowledge(ack).await;
    }
    let api = Api::new(&arguments.remote)?;
    let mut query = vec![("limit", arguments.limit.to_string())];
    if let Some(model) = &arguments.model {
        query.push(("model", model.clone()));
    }
    let Alerts { alerts } = api.get("/v1/alerts", &query).await?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&alerts)?);
    } else {
        print!("{}", screen::alerts_table(&alerts));
    }
    Ok(Outcome::Good)
}

async fn acknowledge(arguments: &AckArguments) -> anyhow::Result<Outcome> {
    let path = format!("/v1/alerts/{}/acknowledgement", arguments.id);
    let saying = serde_json::json!({ "verdict": arguments.verdict, "note": arguments.note });
    Api::new(&arguments.remote)?.ask(&path, &saying, "application/json").await?;
    println!("{} is acknowledged as {}", arguments.id, arguments.verdict);
    Ok(Outcome::Good)
}
