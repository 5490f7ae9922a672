//! `wardline openapi`: the description of the HTTP API.

use super::Outcome;
use crate::server;

pub(super) fn run() -> anyhow::Result<Outcome> {
    println!("{}", serde_json::to_string_pretty(&server::api_document())?);
    Ok(Outcome::Good)
}
