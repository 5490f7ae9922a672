//! `wardline budget`: the false alerts that were promised, against what was raised.

use comfy_table::{Table, presets};

use super::{Outcome, client::Api};
use crate::{cli::BudgetArguments, screen, server::BudgetAnswer};

pub(super) async fn run(arguments: &BudgetArguments) -> anyhow::Result<Outcome> {
    let answer: BudgetAnswer = Api::new(&arguments.remote)?.get("/v1/budget", &[]).await?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(Outcome::Good);
    }
    println!("accepted in a month: {} false pages, {} false tickets", answer.promised.pages, answer.promised.tickets);
    if answer.lines.is_empty() {
        println!("nothing was raised or held back so far");
        return Ok(Outcome::Good);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "month",
        "model",
        "detector",
        "pages",
        "tickets",
        "held back",
        "set by you",
        "false",
        "true",
        "known",
    ]);
    for line in &answer.lines {
        let mut row = vec![line.month.clone(), screen::plain(&line.model), screen::plain(&line.detector)];
        let counts =
            [line.pages, line.tickets, line.held_back, line.set, line.said.r#false, line.said.r#true, line.said.known];
        row.extend(counts.iter().map(u64::to_string));
        table.add_row(row);
    }
    println!("{table}");
    Ok(Outcome::Good)
}
