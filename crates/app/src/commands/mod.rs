//! The commands, one file each.

mod accounts;
mod alerts;
mod answer;
mod atlas;
mod audit;
mod backtest;
mod baseline;
mod bench;
mod budget;
mod check;
mod client;
mod dead_letters;
mod demo;
mod dora;
mod entities;
mod estimate;
mod evidence;
mod hunt;
mod hunt_report;
mod hunts;
mod incident;
mod lineage;
mod notifications;
mod openapi;
mod playbook;
mod query;
mod rollout;
mod rules;
mod send;
mod serve;
mod slo;

use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::{
    cli::{Arguments, Command, ExportArguments, ExportCommand},
    settings::Settings,
};

/// How a command ended, where it did what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing is wrong.
    Good,
    /// Something is wrong with what was looked at.
    Wrong,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Good => Self::SUCCESS,
            Outcome::Wrong => Self::from(1),
        }
    }
}

/// Does what the command line says.
///
/// # Errors
/// Where it could not be done.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let settings = || Ok::<_, anyhow::Error>(Settings::load(arguments.config.as_deref(), std::env::vars())?);
    match &arguments.command {
        Command::Hunt(hunt) => hunt::run(hunt, &settings()?),
        Command::Estimate(estimate) => estimate::run(estimate, &settings()?),
        Command::Serve(serve) => wait(serve::run(serve, settings()?)),
        Command::Send(send) => wait(send::run(send)),
        Command::Query(query) => wait(query::run(query, settings()?)),
        Command::Baseline(baseline) => wait(baseline::run(baseline)),
        Command::Alerts(alerts) => wait(alerts::run(alerts)),
        Command::Hunts(hunts) => wait(hunts::run(hunts, settings()?)),
        Command::Atlas(atlas) => wait(atlas::run(atlas, settings()?)),
        Command::Budget(budget) => wait(budget::run(budget)),
        Command::Slo(slo) => wait(slo::run(slo, settings()?)),
        Command::Dora(dora) => wait(dora::run(dora, settings()?)),
        Command::Entities(entities) => wait(entities::run(entities)),
        Command::Backtest(backtest) => backtest::run(backtest, &settings()?),
        Command::DeadLetters(letters) => wait(dead_letters::run(letters)),
        Command::Playbook(arguments) => wait(playbook::run(arguments, settings()?)),
        Command::Rollout(arguments) => wait(rollout::run(arguments, settings()?)),
        Command::Evidence(arguments) => wait(evidence::run(arguments)),
        Command::Verify(arguments) => evidence::verify(arguments),
        Command::Incident(arguments) => wait(incident::run(arguments)),
        Command::Lineage(arguments) => wait(lineage::run(arguments)),
        Command::Rules(arguments) => rules::run(arguments, &settings()?),
        Command::User(arguments) => wait(accounts::user(arguments)),
        Command::Token(arguments) => wait(accounts::token(arguments)),
        Command::Audit(arguments) => wait(audit::run(arguments)),
        Command::Notifications(arguments) => wait(notifications::run(arguments)),
        Command::Export(ExportArguments { command: ExportCommand::Alerts(arguments) }) => {
            wait(notifications::export(arguments))
        }
        Command::Check => check::run(&settings()?),
        Command::Demo(demo) => wait(demo::run(demo, settings()?)),
        Command::Bench(bench) => bench::run(bench),
        Command::Openapi => openapi::run(),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Arguments::command(), "wardline", &mut std::io::stdout());
            Ok(Outcome::Good)
        }
        Command::Manual => {
            clap_mangen::Man::new(Arguments::command()).render(&mut std::io::stdout())?;
            Ok(Outcome::Good)
        }
    }
}

fn wait(work: impl Future<Output = anyhow::Result<Outcome>>) -> anyhow::Result<Outcome> {
    wait_for(work)
}

fn wait_for<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    // A thread that hangs on a disk must not keep the process from its end.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome
}
