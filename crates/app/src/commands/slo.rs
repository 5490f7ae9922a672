//! `wardline slo`: objectives, what is left of their budgets, and the files of other tools.

mod counts;

use std::{fs, io::Write as _};

use anyhow::{Context as _, bail};
use wardline_detect::slo::{self, SloFormat, SloStatus, WindowStatus};
use wardline_domain::{Indicator, Severity, Slo, Timestamp};

use super::{Outcome, answer::Tables, client::Api};
use crate::{
    cli::{SloArguments, SloCommand, SloExportArguments, SloFormatName, SloImportArguments, SloViewArguments},
    pipeline::now,
    screen,
    server::SlosAnswer,
    settings::{Settings, slos_to_toml},
};

pub(super) async fn run(arguments: &SloArguments, settings: Settings) -> anyhow::Result<Outcome> {
    match &arguments.command {
        SloCommand::List(view) => list(view, settings).await,
        SloCommand::Show { model, view } => show(model, view, settings).await,
        SloCommand::Import(arguments) => import(arguments),
        SloCommand::Export(arguments) => export(arguments, &settings),
    }
}

/// The objectives, how they stand, and what was told of them.
struct Standing {
    statuses: Vec<SloStatus>,
    alerts: Vec<counts::Fired>,
    at: Timestamp,
}

async fn standing(view: &SloViewArguments, whose: Option<&str>, settings: Settings) -> anyhow::Result<Standing> {
    let at = view.at.as_deref().map(Timestamp::parse).transpose()?.unwrap_or_else(now);
    let mut slos = if view.local {
        settings.slos(&[])
    } else {
        Api::new(&view.remote)?.get::<SlosAnswer>("/v1/slos", &[]).await?.slos
    };
    if slos.is_empty() {
        bail!(
            "no objective is set: write [objectives] or [[slos]] in the settings, or import some with `wardline slo import`"
        );
    }
    if let Some(whose) = whose {
        let names = |slo: &Slo| slo.service == whose || slo.models.iter().any(|model| model == whose);
        let known: Vec<String> = slos.iter().map(|slo| slo.service.clone()).collect();
        slos.retain(names);
        if slos.is_empty() {
            bail!("no objective is set for `{whose}`: there are some for {}", known.join(", "));
        }
    }
    let tables = Tables::open(&view.remote, view.local, settings).await?;
    let asked = ask(&tables, &slos, at).await;
    tables.close().await?;
    let (statuses, alerts) = asked?;
    Ok(Standing { statuses, alerts, at })
}

async fn ask(tables: &Tables, slos: &[Slo], at: Timestamp) -> anyhow::Result<(Vec<SloStatus>, Vec<counts::Fired>)> {
    let mut statuses = Vec::with_capacity(slos.len());
    for slo in slos {
        statuses.push(counts::status(tables, slo, at).await?);
    }
    let alerts = counts::fired(tables, slos, at).await?;
    Ok((statuses, alerts))
}

fn burns(statuses: &[SloStatus]) -> bool {
    statuses.iter().any(|status| status.windows.iter().any(|window| window.fires))
}

async fn list(view: &SloViewArguments, settings: Settings) -> anyhow::Result<Outcome> {
    let standing = standing(view, None, settings).await?;
    let mut out = std::io::stdout().lock();
    if view.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&standing.statuses)?)?;
    } else {
        let rows = standing.statuses.iter().map(|status| {
            let slo = &status.slo;
            vec![
                slo.service.clone(),
                slo.name.clone(),
                objective(slo),
                status.events.to_string(),
                status.bad.to_string(),
                percent(1.0 - status.used_of_forecast),
                firing(status).unwrap_or_else(|| "no".to_owned()),
            ]
        });
        let heading = ["service", "objective", "what", "events", "bad", "budget left", "burns"];
        write!(out, "{}", screen::table(&heading, rows))?;
    }
    Ok(if burns(&standing.statuses) { Outcome::Wrong } else { Outcome::Good })
}

async fn show(model: &str, view: &SloViewArguments, settings: Settings) -> anyhow::Result<Outcome> {
    let standing = standing(view, Some(model), settings).await?;
    let mut out = std::io::stdout().lock();
    if view.json {
        let shown = serde_json::json!({ "at": standing.at, "objectives": standing.statuses, "fired": standing.alerts });
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
    } else {
        for status in &standing.statuses {
            write!(out, "{}", described(status))?;
        }
        write!(out, "{}", told(&standing.alerts))?;
    }
    Ok(if burns(&standing.statuses) { Outcome::Wrong } else { Outcome::Good })
}

/// An objective in a few words.
pub(super) fn objective(slo: &Slo) -> String {
    let what = match slo.indicator {
        Indicator::Success => "succeed".to_owned(),
        Indicator::Latency { within_ms } => format!("within {within_ms} ms"),
    };
    format!("{} {what} over {} days", percent(slo.target), slo.window_days)
}

/// A share with as many digits as a target of many nines needs.
fn percent(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn window(window: &WindowStatus) -> String {
    let short = |span: i64| match span {
        span if span % Timestamp::DAY == 0 => format!("{}d", span / Timestamp::DAY),
        span if span % Timestamp::HOUR == 0 => format!("{}h", span / Timestamp::HOUR),
        span => format!("{}m", span / Timestamp::MINUTE),
    };
    format!("{}/{}", short(window.long), short(window.short))
}

fn firing(status: &SloStatus) -> Option<String> {
    let fires: Vec<String> = status.windows.iter().filter(|window| window.fires).map(window).collect();
    (!fires.is_empty()).then(|| fires.join(", "))
}

fn described(status: &SloStatus) -> String {
    let slo = &status.slo;
    let mut text = format!("{} `{}`: {}\n", screen::plain(&slo.service), screen::plain(&slo.name), objective(slo));
    if !slo.description.is_empty() {
        text.push_str(&format!("  {}\n", screen::plain(&slo.description)));
    }
    text.push_str(&format!(
        "  {} events, {} bad: {} good\n  budget used   {} of the requests so far, {} of the forecast ({} events)\n  budget left   {} ({:.0} bad events)\n",
        status.events,
        status.bad,
        percent(status.good_share),
        percent(status.used_so_far),
        percent(status.used_of_forecast),
        status.forecast_events,
        percent(1.0 - status.used_of_forecast),
        status.bad_events_left,
    ));
    let rows = status.windows.iter().map(|one| {
        let limit = if one.is_lowered {
            format!("{:.1} (lowered: more cannot be reached)", one.limit)
        } else {
            format!("{:.1}", one.limit)
        };
        vec![
            window(one),
            format!("{:.2}", one.long_burn),
            format!("{:.2}", one.short_burn),
            limit,
            if one.severity == Severity::Page { "page" } else { one.severity.name() }.to_owned(),
            if one.fires { "FIRES" } else { "quiet" }.to_owned(),
        ]
    });
    text.push_str(&screen::table(&["windows", "burn, long", "burn, short", "fires at", "severity", "now"], rows));
    text
}

fn told(alerts: &[counts::Fired]) -> String {
    if alerts.is_empty() {
        return "no alert of a burning budget in that time\n".to_owned();
    }
    let rows = alerts
        .iter()
        .map(|alert| vec![alert.time.clone(), alert.severity.clone(), alert.status.clone(), alert.title.clone()]);
    screen::table(&["raised (UTC)", "severity", "status", "what fired"], rows)
}

fn import(arguments: &SloImportArguments) -> anyhow::Result<Outcome> {
    let mut texts = Vec::new();
    for file in &arguments.files {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        texts.push((file.display().to_string(), text));
    }
    let files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mut imported = slo::import(&files);
    if !arguments.models.is_empty() {
        imported.slos.iter_mut().for_each(|slo| slo.models.clone_from(&arguments.models));
    }
    imported.notes.iter().for_each(|note| eprintln!("note: {note}"));
    imported.problems.iter().for_each(|problem| eprintln!("error: {problem}"));
    let settings = slos_to_toml(&imported.slos);
    match &arguments.append {
        Some(file) if !imported.slos.is_empty() => append(file, &settings)?,
        _ => std::io::stdout().lock().write_all(settings.as_bytes())?,
    }
    eprintln!("{} objectives were read, {} problems", imported.slos.len(), imported.problems.len());
    Ok(if imported.problems.is_empty() { Outcome::Good } else { Outcome::Wrong })
}

/// Adds settings to a file, unless it could not be used with them.
fn append(file: &std::path::Path, settings: &str) -> anyhow::Result<()> {
    let old = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", file.display())),
    };
    let separator = if old.is_empty() || old.ends_with("\n\n") { "" } else { "\n" };
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| std::path::Path::new("."));
    let mut draft =
        tempfile::NamedTempFile::new_in(folder).with_context(|| format!("cannot write beside `{}`", file.display()))?;
    draft.write_all(format!("{old}{separator}{settings}").as_bytes())?;
    Settings::load(Some(draft.path()), std::iter::empty())
        .context("the settings would be wrong with these objectives, and are left as they are")?;
    draft.persist(file).with_context(|| format!("cannot write `{}`", file.display()))?;
    Ok(())
}

fn export(arguments: &SloExportArguments, settings: &Settings) -> anyhow::Result<Outcome> {
    let mut slos = settings.slos(&[]);
    if let Some(whose) = &arguments.model {
        slos.retain(|slo| slo.service == *whose || slo.models.contains(whose));
    }
    if slos.is_empty() {
        bail!(
            "the settings hold no such objective: write [[slos]] or [models.\"name\".objectives], and name the file with --config"
        );
    }
    let format = match arguments.format {
        SloFormatName::Openslo => SloFormat::OpenSlo,
        SloFormatName::OpensloV1alpha => SloFormat::OpenSloV1Alpha,
        SloFormatName::Sloth => SloFormat::SlothRules,
        SloFormatName::Pyrra => SloFormat::PyrraRules,
    };
    std::io::stdout().lock().write_all(slo::export(&slos, format).as_bytes())?;
    Ok(Outcome::Good)
}
