//! `wardline entities`: users, keys, channels and the like that findings name, the riskiest first.

use comfy_table::{Table, presets};

use super::{Outcome, client::Api};
use crate::{cli::EntitiesArguments, screen, server::EntitiesAnswer};

pub(super) async fn run(arguments: &EntitiesArguments) -> anyhow::Result<Outcome> {
    let query = [("limit", arguments.limit.to_string())];
    let answer: EntitiesAnswer = Api::new(&arguments.remote)?.get("/v1/entities", &query).await?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&answer.entities)?);
        return Ok(Outcome::Good);
    }
    if answer.entities.is_empty() {
        println!("no finding names a user, a key, a channel or the like");
        return Ok(Outcome::Good);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["risk", "entity", "model", "findings", "kinds", "ATLAS"]);
    for entity in &answer.entities {
        table.add_row([
            format!("{:.1}", entity.score),
            screen::plain(&entity.entity),
            screen::plain(&entity.model),
            entity.n_findings.to_string(),
            entity.kinds.join(", "),
            entity.atlas.join(", "),
        ]);
    }
    println!("{table}");
    Ok(Outcome::Good)
}
