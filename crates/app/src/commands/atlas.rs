//! `wardline atlas`: which attacks are looked for, can be seen, and were found.

use std::{fs, io::Write as _, path::Path};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use wardline_domain::{Timestamp, atlas::Atlas};

use super::{Outcome, client::Api, hunts::range};
use crate::{
    atlas::{self, AtlasReport, TechniqueReport, View},
    cli::{AtlasArguments, AtlasCommand, AtlasViewArguments},
    pipeline::Pipeline,
    settings::Settings,
};

pub(super) async fn run(arguments: &AtlasArguments, settings: Settings) -> anyhow::Result<Outcome> {
    match &arguments.command {
        None => view(&arguments.view, View::Coverage, settings).await,
        Some(AtlasCommand::Coverage(arguments)) => view(arguments, View::Coverage, settings).await,
        Some(AtlasCommand::Visibility(arguments)) => view(arguments, View::Visibility, settings).await,
        Some(AtlasCommand::Fired(arguments)) => view(arguments, View::Fired, settings).await,
        Some(AtlasCommand::Technique { id, view }) => technique(id, view, settings).await,
        Some(AtlasCommand::Import { file, view }) => import(file, view, settings).await,
    }
}

async fn view(arguments: &AtlasViewArguments, view: View, settings: Settings) -> anyhow::Result<Outcome> {
    let needs_telemetry = view != View::Coverage && arguments.built_in;
    ensure!(!needs_telemetry, "what was seen and found is in a server or a data folder: leave --built-in out");
    let (report, layer) = asked(arguments, view, settings).await?;
    if let Some(file) = &arguments.layer {
        let text = serde_json::to_string_pretty(&layer)?;
        fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        write!(out, "{}", report.table(view))?;
    }
    Ok(Outcome::Good)
}

/// The report, and its layer.
async fn asked(
    arguments: &AtlasViewArguments,
    view: View,
    settings: Settings,
) -> anyhow::Result<(AtlasReport, serde_json::Value)> {
    if arguments.built_in {
        let report = atlas::built_in();
        let layer = report.layer(Atlas::built_in(), view);
        return Ok((report, layer));
    }
    let range = range(arguments.from.as_deref(), arguments.to.as_deref())?;
    if arguments.local {
        let pipeline = Pipeline::open(&settings).await?;
        let report = local(&pipeline, &settings, range, view).await;
        pipeline.close().await?;
        return report;
    }
    let api = Api::new(&arguments.remote)?;
    let mut query = vec![("from", range.0.to_string()), ("to", range.1.to_string())];
    let report = api.get("/v1/atlas", &query).await?;
    let mut layer = serde_json::Value::Null;
    if arguments.layer.is_some() {
        let name = format!("{view:?}").to_lowercase();
        query.extend([("view", name), ("form", "layer".to_owned())]);
        layer = api.get("/v1/atlas", &query).await?;
    }
    Ok((report, layer))
}

async fn local(
    pipeline: &Pipeline,
    settings: &Settings,
    range: (Timestamp, Timestamp),
    view: View,
) -> anyhow::Result<(AtlasReport, serde_json::Value)> {
    let report = atlas::report(pipeline, settings, range).await?;
    let layer = report.layer(&atlas::catalogue(pipeline).await?, view);
    Ok((report, layer))
}

async fn technique(id: &str, arguments: &AtlasViewArguments, settings: Settings) -> anyhow::Result<Outcome> {
    let (report, _) = asked(arguments, View::Coverage, settings).await?;
    let is_it = |technique: &&TechniqueReport| technique.id.eq_ignore_ascii_case(id);
    let found = report.techniques.iter().find(is_it).with_context(|| {
        format!("ATLAS {} has no technique `{id}`: they look like AML.T0051 or AML.T0051.000", report.version)
    })?;
    let forms: Vec<&TechniqueReport> =
        report.techniques.iter().filter(|technique| technique.parent.as_ref() == Some(&found.id)).collect();
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string_pretty(found)?)?;
    } else {
        write!(out, "{}", found.described(&forms))?;
    }
    Ok(Outcome::Good)
}

/// What a server says of an imported release.
#[derive(Deserialize)]
struct Imported {
    summary: String,
}

async fn import(file: &Path, arguments: &AtlasViewArguments, settings: Settings) -> anyhow::Result<Outcome> {
    let bytes = fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let release = Atlas::read(&bytes).with_context(|| format!("`{}` is not taken", file.display()))?;
    ensure!(!arguments.built_in, "an imported release is kept by a server or in a data folder: leave --built-in out");
    let summary = if arguments.local {
        let pipeline = Pipeline::open(&settings).await?;
        let kept = atlas::keep(&pipeline, &release).await;
        pipeline.close().await?;
        kept?;
        atlas::summary(&release)
    } else {
        let imported: Imported = Api::new(&arguments.remote)?.post_file("/v1/atlas", bytes).await?;
        imported.summary
    };
    println!("{summary}");
    Ok(Outcome::Good)
}
