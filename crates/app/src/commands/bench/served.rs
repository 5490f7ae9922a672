//! A server as its users run it: `wardline serve`, in a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::process::{self, Memory};
use crate::{cli::Remote, commands::client::Api};

/// A running server; killed where it is dropped without being stopped.
pub(super) struct Served {
    child: Child,
    pub(super) api: Api,
}

/// A line of the server's log.
#[derive(Deserialize)]
struct LogLine {
    fields: LogFields,
}

#[derive(Deserialize)]
struct LogFields {
    #[serde(default)]
    message: String,
    #[serde(default)]
    address: String,
}

impl Served {
    /// Starts a server over a folder, and returns once it is ready.
    pub(super) fn start(data: &Path, settings: Option<&Path>) -> anyhow::Result<Self> {
        let mut command = wardline()?;
        if let Some(settings) = settings {
            command.arg("--config").arg(settings);
        }
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let log = child.stderr.take().context("the server has no log")?;
        let address = match ready(log) {
            Ok(address) => address,
            Err(error) => {
                let status = child.wait()?;
                bail!("the server ended with {status} before it was ready: {error:#}");
            }
        };
        let api = Api::new(&Remote { url: format!("http://{address}"), token: None })?;
        Ok(Self { child, api })
    }

    /// Processor seconds so far.
    pub(super) fn processor_seconds(&self) -> anyhow::Result<f64> {
        Ok(process::processor_time(self.child.id())?.own)
    }

    /// Memory now.
    pub(super) fn memory(&self) -> anyhow::Result<Memory> {
        process::memory(self.child.id())
    }

    /// Waits until detection has seen every event that is durable, and returns how long that took.
    pub(super) async fn caught_up(&self) -> anyhow::Result<Duration> {
        const LONGEST: Duration = Duration::from_secs(120);
        let started = Instant::now();
        while self.gauge("wardline_detection_lag_records").await? > 0.0 {
            if started.elapsed() > LONGEST {
                bail!("detection has not caught up within {} s", LONGEST.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(started.elapsed())
    }

    async fn gauge(&self, name: &str) -> anyhow::Result<f64> {
        let text = self.api.get_text("/metrics").await?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(value.with_context(|| format!("the server has no metric {name}"))?.trim().parse()?)
    }

    /// Stops it as an operator would, and returns how long it took to finish its work.
    pub(super) fn stop(mut self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        // The standard library can only kill.
        let told = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        let status = self.child.wait()?;
        if !told.success() || !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(started.elapsed())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // After `stop` there is nothing to kill, and that is an error nobody needs to hear of.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This program, without settings from the environment: they would change what is measured.
pub(super) fn wardline() -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WARDLINE_")) {
        command.env_remove(name);
    }
    Ok(command)
}

/// Reads the log until the server says at which address it is ready, and goes on reading it elsewhere: a
/// server whose log nobody reads would block.
fn ready(log: ChildStderr) -> anyhow::Result<String> {
    let mut lines = BufReader::new(log).lines();
    let mut said = String::new();
    for line in lines.by_ref() {
        let line = line?;
        match serde_json::from_str::<LogLine>(&line) {
            Ok(entry) if entry.fields.message == "ready" => {
                std::thread::spawn(move || {
                    for line in lines.map_while(Result::ok).filter(|line| is_trouble(line)) {
                        eprintln!("server: {line}");
                    }
                });
                return Ok(entry.fields.address);
            }
            _ => said = line,
        }
    }
    bail!("{said}")
}

fn is_trouble(line: &str) -> bool {
    ["\"ERROR\"", "\"WARN\"", "panicked"].iter().any(|sign| line.contains(sign))
}
