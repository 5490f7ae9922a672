//! `wardline demo`: a bundled scenario through a real server, at high speed, and what came of it.

use std::{
    fs::File,
    io::{BufWriter, IsTerminal as _, Write as _},
    path::Path,
    sync::Arc,
    time::Instant,
};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use tokio::sync::oneshot;
use wardline_domain::{Alert, Timestamp};
use wardline_simulate::{Options, Scenario};

use super::{
    Outcome,
    client::Api,
    send::{Sent, deliver},
};
use crate::{
    cli::{DemoArguments, Remote},
    pipeline::Pipeline,
    screen,
    server::{Server, Shared},
    settings::Settings,
};

const SCENARIO: &str = "demo";
/// Events in one request.
const BATCH: usize = 4_000;

pub(super) async fn run(arguments: &DemoArguments, mut settings: Settings) -> anyhow::Result<Outcome> {
    let scenario = Scenario::find(SCENARIO).context("this binary was built without its demo scenario")?;
    if let Some(file) = &arguments.write {
        return write(scenario, arguments.seed, file);
    }
    let temporary = tempfile::tempdir()?;
    settings.data = arguments.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    settings.models = scenario.settings(arguments.seed, &scenario.options);
    if !arguments.keep {
        settings.server.listen.set_port(0);
    }
    // Its traffic is made up and its server open to this machine alone, whatever the settings say.
    settings.server.tokens.clear();
    settings.server.listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());

    println!("Wardline plays {} simulated days of telemetry through a real server:", days(&scenario.options));
    println!("  {}\n", scenario.about);
    let running = Running::start(settings).await?;
    let api = Api::new(&Remote { url: running.url.clone(), token: None })?;
    let started = Instant::now();
    let sent = play(scenario, arguments, &api).await?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{} events stored and watched in {seconds:.1} s ({:.0} events/s)\n",
        sent.accepted,
        sent.accepted as f64 / seconds
    );

    show(&api, &running, arguments).await?;
    if arguments.keep {
        println!("\nThe server goes on at {} until Ctrl-C.", running.url);
        tokio::signal::ctrl_c().await?;
    }
    running.stop().await?;
    Ok(Outcome::Good)
}

/// Writes the scenario and its settings to files.
fn write(scenario: &Scenario, seed: u64, file: &Path) -> anyhow::Result<Outcome> {
    let cannot = |file: &Path| format!("cannot write `{}`", file.display());
    let mut lines = BufWriter::new(File::create(file).with_context(|| cannot(file))?);
    for line in scenario.events(seed, &scenario.options) {
        lines.write_all(&line)?;
        lines.write_all(b"\n")?;
    }
    lines.flush().with_context(|| cannot(file))?;
    let settings = file.with_extension("toml");
    std::fs::write(&settings, scenario.configuration(seed, &scenario.options)).with_context(|| cannot(&settings))?;
    println!("wardline --config {} hunt {} --report report.html", settings.display(), file.display());
    Ok(Outcome::Good)
}

fn days(options: &Options) -> i64 {
    options.until().since(options.from) / Timestamp::DAY
}

/// Sends the scenario as a client would, batch by batch.
async fn play(scenario: &Scenario, arguments: &DemoArguments, api: &Api) -> anyhow::Result<Sent> {
    let progress = progress(arguments.no_progress);
    let mut total = Sent::default();
    let mut lines = scenario.events(arguments.seed, &scenario.options).peekable();
    while lines.peek().is_some() {
        let mut body = Vec::with_capacity(BATCH * 512);
        for line in lines.by_ref().take(BATCH) {
            body.extend_from_slice(&line);
            body.push(b'\n');
        }
        let sent = deliver(api, body).await?;
        total.accepted += sent.accepted;
        total.duplicates += sent.duplicates;
        total.rejected += sent.rejected;
        progress.set_position(total.accepted);
    }
    progress.finish_and_clear();
    Ok(total)
}

#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Alert>,
}

/// What was found, and where to look next.
async fn show(api: &Api, running: &Running, arguments: &DemoArguments) -> anyhow::Result<()> {
    running.shared.pipeline.catch_up().await?;
    let Alerts { mut alerts } = api.get("/v1/alerts", &[("limit", "100".to_owned())]).await?;
    alerts.reverse();
    print!("{}", screen::alerts_table(&alerts));
    println!("\nWhere to look next:");
    let at = if arguments.keep { format!(" --url {}", running.url) } else { String::new() };
    if let Some(alert) = alerts.first() {
        let evidence = alert.findings.first().map_or("SELECT * FROM alert", |finding| finding.evidence.as_str());
        println!("  wardline query '{}'{at}", evidence.replace('\'', r"'\''"));
        println!("  wardline baseline {}{at}", alert.model);
    }
    println!(
        "  wardline query \"SELECT model, version, count(*) AS events, percentile(latency_ms, 0.99) AS p99 FROM inference GROUP BY 1, 2\"{at}"
    );
    if !arguments.keep {
        println!("  (wardline demo --keep leaves the server running for these)");
    }
    Ok(())
}

/// A server in this process.
struct Running {
    shared: Arc<Shared>,
    url: String,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Running {
    async fn start(settings: Settings) -> anyhow::Result<Self> {
        let pipeline = Pipeline::open(&settings).await?;
        let shared = Arc::new(Shared::open(pipeline, settings).await?);
        let server = Server::bind(Arc::clone(&shared)).await?;
        let url = format!("http://{}", server.address()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(server.run(async move {
            // A sender that was dropped means stop as well.
            let _ = stopped.await;
        }));
        Ok(Self { shared, url, stop, task })
    }

    async fn stop(self) -> anyhow::Result<()> {
        let _ = self.stop.send(());
        self.task.await??;
        self.shared.pipeline.close().await
    }
}

fn progress(off: bool) -> ProgressBar {
    if off || std::env::var_os("NO_COLOR").is_some() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} events, {per_sec}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::no_length().with_style(style)
}
