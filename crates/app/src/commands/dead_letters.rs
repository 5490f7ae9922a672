//! `wardline dead-letters`: what could not be taken in, why, and once more.

use comfy_table::{ContentArrangement, Table, presets};

use super::{Outcome, client::Api, send::Sent};
use crate::{
    cli::DeadLettersArguments,
    screen,
    server::{Letters, ListedLetter},
};

pub(super) async fn run(arguments: &DeadLettersArguments) -> anyhow::Result<Outcome> {
    let api = Api::new(&arguments.remote)?;
    let mut query = vec![("limit", arguments.limit.to_string())];
    query.extend(arguments.reason.iter().map(|reason| ("reason", reason.clone())));
    query.extend(arguments.source.iter().map(|source| ("source", source.clone())));
    if arguments.replay {
        let sent: Sent = api.post("/v1/dead-letters/replay", &query).await?;
        println!("{} accepted, {} duplicate, {} rejected again", sent.accepted, sent.duplicates, sent.rejected);
        return Ok(if sent.rejected == 0 { Outcome::Good } else { Outcome::Wrong });
    }
    let Letters { dead_letters } = api.get("/v1/dead-letters", &query).await?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&dead_letters)?);
        return Ok(Outcome::Good);
    }
    if dead_letters.is_empty() {
        println!("no record was refused");
        return Ok(Outcome::Good);
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["id", "time", "source", "offset", "why", "record"]);
    for ListedLetter { id, letter } in &dead_letters {
        let record: String = letter.record.chars().take(60).collect();
        table.add_row([
            id.to_string(),
            letter.time.to_string(),
            screen::plain(&letter.source),
            letter.offset.to_string(),
            screen::plain(&letter.reason.to_string()),
            screen::plain(&record),
        ]);
    }
    println!("{table}");
    Ok(Outcome::Good)
}
