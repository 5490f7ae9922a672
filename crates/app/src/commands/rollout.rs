//! `wardline rollout`: begins, shows, decides and replays rollouts.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use wardline_respond::{
    judge::{DecisionRecord, replay},
    rollout::Entry,
};

use super::{Outcome, client::Api, hunt};
use crate::{
    cli::{RolloutArguments, RolloutCommand},
    rollouts::RolloutView,
    settings::Settings,
};

#[derive(Deserialize)]
struct Listed {
    rollouts: Vec<RolloutView>,
}

#[derive(Deserialize)]
struct Begun {
    rollout: String,
}

pub(super) async fn run(arguments: &RolloutArguments, settings: Settings) -> anyhow::Result<Outcome> {
    let api = Api::new(&arguments.remote)?;
    match &arguments.command {
        RolloutCommand::Start { file, .. } => {
            let plan = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
            let Begun { rollout } = api.post_file("/v1/rollouts", plan).await?;
            println!("{rollout}");
            Ok(Outcome::Good)
        }
        RolloutCommand::List { json, .. } => list(&api, None, *json).await,
        RolloutCommand::Status { model, json, .. } => list(&api, Some(model), *json).await,
        RolloutCommand::Promote { model, reason, .. } => decide(&api, model, "promote", reason).await,
        RolloutCommand::Abort { model, reason, .. } => decide(&api, model, "abort", reason).await,
        RolloutCommand::Replay { decision, paths, .. } => {
            let record = record_of(&api, decision).await?;
            replay_files(&record, paths, &settings)
        }
    }
}

async fn list(api: &Api, model: Option<&str>, json: bool) -> anyhow::Result<Outcome> {
    let query: Vec<(&str, String)> = model.map(|model| ("model", model.to_owned())).into_iter().collect();
    let Listed { rollouts } = api.get("/v1/rollouts", &query).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&rollouts)?);
    } else if rollouts.is_empty() {
        println!("no rollout");
    } else {
        rollouts.iter().for_each(|view| print!("{}", text_of(view)));
    }
    let is_bad = rollouts.first().is_some_and(RolloutView::is_back);
    Ok(if model.is_some() && is_bad { Outcome::Wrong } else { Outcome::Good })
}

fn text_of(view: &RolloutView) -> String {
    let standing = view.ending.map_or_else(
        || format!("{} {} %", view.course.name(), view.percent),
        |ending| format!("{ending:?}").to_lowercase(),
    );
    let mut text = format!(
        "{}  {} of {} beside {}: {standing}{}\n  {}\n",
        view.rollout,
        view.version,
        view.model,
        view.standing,
        view.state.map_or_else(String::new, |state| format!(", {state}")),
        view.reason
    );
    for entry in &view.log {
        let what = match &entry.entry {
            Entry::Started { by, .. } => format!("begun by {by}"),
            Entry::Judged { state, .. } => format!("judged: {state}"),
            Entry::Decided { course, by, .. } => format!("decided by {by}: {}", course.name()),
            Entry::Stepped { step, .. } => format!("step {}", step + 1),
            Entry::Intended { actuator, request, attempt } => {
                format!("{actuator}: {} (attempt {attempt})", request.action)
            }
            Entry::Came { id, outcome, .. } => format!("{id}: {}", outcome_text(outcome)),
            Entry::Verified { is_so, what } => format!("{}: {what}", if *is_so { "verified" } else { "not verified" }),
            Entry::Ended { ending, .. } => format!("ended: {ending:?}"),
        };
        text.push_str(&format!("  {}  {what}\n", entry.time));
    }
    text
}

fn outcome_text(outcome: &wardline_respond::rollout::Outcome) -> String {
    use wardline_respond::rollout::Outcome;
    match outcome {
        Outcome::Done { receipt } => {
            let now = receipt.after.as_ref().map_or_else(String::new, |after| format!(", now {after}"));
            format!("done{}{now}", if receipt.was_so { " before" } else { "" })
        }
        Outcome::Failed { reason, .. } => format!("failed: {reason}"),
        Outcome::DryRun => "would have been done".to_owned(),
    }
}

async fn decide(api: &Api, model: &str, decision: &str, reason: &str) -> anyhow::Result<Outcome> {
    let body = serde_json::json!({ "reason": reason });
    api.ask(&format!("/v1/rollouts/{model}/{decision}"), &body, "application/json").await?;
    println!("{model}: {decision}");
    Ok(Outcome::Good)
}

/// The record of a file, or of a rollout by its id.
async fn record_of(api: &Api, decision: &str) -> anyhow::Result<DecisionRecord> {
    if Path::new(decision).is_file() {
        let text = std::fs::read_to_string(decision)?;
        return serde_json::from_str(&text).with_context(|| format!("`{decision}` is no record of a decision"));
    }
    let Listed { rollouts } = api.get("/v1/rollouts", &[]).await?;
    let Some(view) = rollouts.into_iter().find(|view| view.rollout == decision) else {
        bail!("`{decision}` is neither a file nor a rollout: `wardline rollout list` shows them");
    };
    let record = view.log.into_iter().rev().find_map(|entry| match entry.entry {
        Entry::Decided { record, .. } | Entry::Judged { record, .. } => record,
        _ => None,
    });
    record.map(|record| *record).context("nothing was decided in this rollout yet")
}

fn replay_files(record: &DecisionRecord, paths: &[PathBuf], settings: &Settings) -> anyhow::Result<Outcome> {
    let mut files = hunt::open(paths, settings)?;
    let mut unreadable = Vec::new();
    let pieces = std::iter::from_fn(|| files.next()).filter_map(|piece| match piece {
        Ok(decoded) => Some(decoded.batches),
        Err(error) => {
            unreadable.push(error.to_string());
            None
        }
    });
    let replayed = replay(record, pieces)?;
    if !unreadable.is_empty() {
        bail!("these files could not be read to their end:\n  {}", unreadable.join("\n  "));
    }
    println!("recorded: {} at {}: {}", record.state, time_text(record), record.reason);
    match &replayed.found {
        Some(found) => println!("replayed: {} at {}: {}", found.state, time_text(found), found.reason),
        None => println!("replayed: nothing"),
    }
    for difference in &replayed.differences {
        println!("differs: {difference}");
    }
    println!(
        "{}",
        if replayed.agrees() { "the events give the same decision" } else { "the events do not give this decision" }
    );
    Ok(if replayed.agrees() { Outcome::Good } else { Outcome::Wrong })
}

fn time_text(record: &DecisionRecord) -> String {
    record.time.map_or_else(|| "no time".to_owned(), |time| time.to_string())
}
