//! `wardline backtest`: what a detector or a rule would have raised, over stored events or files.
//!
//! Everything before the end is read through the same watch as live, with all that learns and groups, so that the answer is
//! what the stream gave or would have given; only alerts with a finding of what is asked for are shown.

mod stored;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use serde::Serialize;
use wardline_detect::{
    BudgetCounts, DETECTORS, FalseAlerts, WatchSettings,
    rules::{Placeholders, RuleSet, RuleSource},
};
use wardline_domain::{Alert, Timestamp};

use super::{Outcome, hunt};
use crate::{cli::BacktestArguments, screen, settings::Settings};

/// The answer as JSON.
#[derive(Serialize)]
struct Backtest<'a> {
    name: &'a str,
    alerts: &'a [Alert],
    budget: Budget,
}

#[derive(Serialize)]
struct Budget {
    promised: FalseAlerts,
    observed: BudgetCounts,
}

pub(super) fn run(arguments: &BacktestArguments, settings: &Settings) -> anyhow::Result<Outcome> {
    let from = moment("--from", arguments.from.as_deref())?;
    let to = moment("--to", arguments.to.as_deref())?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let paths = if arguments.events.is_empty() {
        vec![super::wait_for(stored::write(arguments, settings, to, folder.path()))?]
    } else {
        arguments.events.clone()
    };
    let mut watch = hunt::watch_settings(&paths, settings, arguments.learn_until.as_deref())?;
    let names = asked_for(&arguments.name, &mut watch)?;
    let hunted = hunt::read_through(&paths, settings, watch, to, arguments.no_progress)?;
    if !hunted.unreadable.is_empty() {
        bail!("these files could not be read to their end:\n  {}", hunted.unreadable.join("\n  "));
    }
    let is_asked_for = |alert: &&Alert| {
        let is_named = |name: &str| names.contains(name);
        alert.findings.iter().any(|finding| is_named(&finding.detector) || is_named(&finding.measure))
            && from.is_none_or(|from| from <= alert.time)
    };
    let alerts: Vec<Alert> = hunted.alerts.iter().filter(is_asked_for).cloned().collect();
    let report = hunted.watch.budget();
    let mut observed = BudgetCounts::default();
    for line in report.lines.iter().filter(|line| names.contains(&line.detector)) {
        observed.add(&line.counts);
    }
    let budget = Budget { promised: report.promised, observed };
    if arguments.json {
        let answer = Backtest { name: &arguments.name, alerts: &alerts, budget };
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        print!("{}{}", screen::alerts_table(&alerts), told(&budget));
    }
    Ok(if alerts.is_empty() { Outcome::Good } else { Outcome::Wrong })
}

fn moment(flag: &'static str, text: Option<&str>) -> anyhow::Result<Option<Timestamp>> {
    text.map(|text| Timestamp::parse(text).context(flag)).transpose()
}

/// The names that findings carry of what is asked for: a detector, a rule, or the rules of a file, which then run alone.
fn asked_for(name: &str, watch: &mut WatchSettings) -> anyhow::Result<BTreeSet<String>> {
    if Path::new(name).is_file() {
        let text = std::fs::read_to_string(name).with_context(|| format!("cannot read the rule `{name}`"))?;
        let source = RuleSource { file: name.to_owned(), text };
        let (rules, errors) = RuleSet::compile(&[source], &Placeholders::default());
        if let Some(error) = errors.first() {
            bail!("{error}");
        }
        watch.rules = Arc::new(rules);
        return Ok(watch.rules.rules().iter().map(|rule| rule.name.clone()).collect());
    }
    let is_rule = watch.rules.rules().iter().any(|rule| rule.name == name);
    if !is_rule && !DETECTORS.iter().any(|spec| spec.name == name) {
        let known: Vec<&str> = DETECTORS.iter().map(|spec| spec.name).collect();
        bail!("`{name}` is no detector, rule or rule file: there are the detectors {}", known.join(", "));
    }
    Ok(BTreeSet::from([name.to_owned()]))
}

fn told(budget: &Budget) -> String {
    let Budget { promised, observed } = budget;
    format!(
        "charged to the budget of {} pages and {} tickets a month: {} pages, {} tickets; {} findings held back; {} alerts of \
         objectives and rules\n",
        promised.pages, promised.tickets, observed.pages, observed.tickets, observed.held_back, observed.set
    )
}
