//! `wardline check`: what the settings amount to.

use wardline_domain::{Learning, ModelSettings, Slo, Timestamp};

use super::Outcome;
use crate::{rule_files, settings::Settings};

pub(super) fn run(settings: &Settings) -> anyhow::Result<Outcome> {
    let active = rule_files::active(&settings.rules)?;
    print!("{}", described(settings));
    println!("rules         {} run", active.set.rules().iter().filter(|rule| rule.tells).count());
    active.errors.iter().for_each(|error| println!("  not usable: {error}"));
    Ok(if active.errors.is_empty() { Outcome::Good } else { Outcome::Wrong })
}

fn described(settings: &Settings) -> String {
    let mut lines = vec![
        "the settings are good".to_owned(),
        format!("data folder   {}", settings.data.display()),
        format!("listens on    {} ({})", settings.server.listen, tokens(settings)),
        format!(
            "privacy       {} rules; prompts and outputs are hashed unless a rule says otherwise",
            settings.privacy.rules.len()
        ),
        format!("every model   {}", model(&settings.model_default)),
    ];
    lines.extend(settings.models.iter().map(|(name, settings)| format!("{name:<13} {}", model(settings))));
    lines.extend(settings.notifications.described());
    for slo in settings.slos(&[]).iter().filter(|slo| slo.name != Slo::SUCCESS && slo.name != Slo::LATENCY) {
        lines.push(format!("{:<13} {}: {}", slo.service, slo.name, objective(slo)));
    }
    lines.join("\n") + "\n"
}

/// The objective, and whether its target is too loose for a rule.
fn objective(slo: &Slo) -> String {
    let is_lowered = slo.burn_rules().iter().any(|rule| rule.reachable(slo.budget()).1);
    let lowered = if is_lowered { "; its fast burn rates are lowered, as the target cannot reach them" } else { "" };
    format!("{}, of {}{lowered}", super::slo::objective(slo), slo.models.join(", "))
}

fn tokens(settings: &Settings) -> String {
    match settings.server.tokens.as_slice() {
        [] => "no token needed on loopback".to_owned(),
        tokens => {
            format!("tokens of {}", tokens.iter().map(|token| token.name.as_str()).collect::<Vec<_>>().join(", "))
        }
    }
}

fn model(settings: &ModelSettings) -> String {
    let learning = match settings.learning {
        Learning::Until(until) => format!("learns until {until}"),
        Learning::For { span, least_events } => {
            format!("learns for {:.1} days and at least {least_events} events", span as f64 / Timestamp::DAY as f64)
        }
    };
    let objectives = settings.objectives.map_or_else(
        || "no objectives: warned about, never paged for".to_owned(),
        |objectives| {
            let success = objectives.success.map(|success| format!("{} % succeed", success * 100.0));
            let latency = objectives
                .latency_p99_ms
                .map(|limit| format!("{} % within {limit} ms", (1.0 - objectives.latency_budget) * 100.0));
            let both: Vec<String> = success.into_iter().chain(latency).collect();
            format!("{} over {} days", both.join(", "), objectives.window_days)
        },
    );
    format!("{learning}; {objectives}")
}
