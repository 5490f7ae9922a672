//! `wardline lineage`: takes in and shows what flows into what.

use anyhow::Context as _;
use wardline_domain::Timestamp;
use wardline_respond::lineage::{BlastRadius, Lineage};

use super::{Outcome, client::Api};
use crate::{
    cli::{LineageArguments, LineageCommand},
    screen,
    server::{RadiusAnswer, TakenIn},
};

pub(super) async fn run(arguments: &LineageArguments) -> anyhow::Result<Outcome> {
    let api = Api::new(&arguments.remote)?;
    match &arguments.command {
        LineageCommand::Import { file, format } => {
            let bytes = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
            let path = format!("/v1/lineage?format={}", format.name());
            let TakenIn { nodes, edges } = api.post_file(&path, bytes).await?;
            println!("{}: {nodes} nodes, {edges} edges", file.display());
        }
        LineageCommand::Show { json } => {
            let graph: Lineage = api.get("/v1/lineage", &[]).await?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&graph)?);
            } else {
                print!("{}", text_of(&graph));
            }
        }
        LineageCommand::Radius { node, since, json } => {
            let since = Timestamp::parse(since).context("--since")?;
            let query = [("node", node.clone()), ("since", since.to_string())];
            let answer: RadiusAnswer = api.get("/v1/lineage/radius", &query).await?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&answer)?);
            } else {
                print!("{}", radius_text(&answer));
            }
        }
    }
    Ok(Outcome::Good)
}

fn text_of(graph: &Lineage) -> String {
    if graph.edges().is_empty() {
        return "nothing is known of what flows into what: send events, or `wardline lineage import`\n".to_owned();
    }
    let name = |index| graph.node(index).map(ToString::to_string).unwrap_or_default();
    let rows = graph.edges().iter().map(|(from, to, edge)| {
        let kind = serde_json::to_value(edge.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
        let last = edge.uses.stretches().last().map(|(_, to)| until_text(*to)).unwrap_or_default();
        vec![name(*from), kind.unwrap_or_default(), name(*to), last]
    });
    screen::table(&["from", "how", "to", "last used"], rows)
}

fn until_text(time: Timestamp) -> String {
    if time.micros() == i64::MAX { "in use".to_owned() } else { time.to_string().chars().take(16).collect() }
}

/// What was reached, the first first.
pub(super) fn radius_text(answer: &RadiusAnswer) -> String {
    let RadiusAnswer { origin, since, radius } = answer;
    let BlastRadius { reached, unused, people, decisions, cost_hundredths } = radius;
    let rows = reached.iter().map(|reached| {
        let via = reached.via.and_then(|via| radius.reached.iter().find(|other| other.index == via));
        vec![
            reached.since.to_string().chars().take(16).collect(),
            reached.node.to_string(),
            via.map(|via| via.node.to_string()).unwrap_or_default(),
            format!("{:.0} %", 100.0 * reached.chance),
        ]
    });
    let mut text = format!("what {origin} has reached since {since}\n");
    text.push_str(&screen::table(&["since (UTC)", "node", "by way of", "chance"], rows));
    if !unused.is_empty() {
        let names: Vec<String> = unused.iter().take(10).map(ToString::to_string).collect();
        text.push_str(&format!("connected, and not used since: {}\n", names.join(", ")));
    }
    text.extend(people.map(|people| format!("people concerned: {people}\n")));
    text.extend(decisions.map(|decisions| format!("decisions since: {decisions:.0}\n")));
    text.extend(cost_hundredths.map(|cost| format!("at most: {:.2}\n", cost / 100.0)));
    text
}
