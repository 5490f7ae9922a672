//! A real `wardline serve`, and a client for it.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::blocking::{Client, Response};
use serde_json::Value;

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    client: Client,
}

pub(crate) fn wardline() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardline"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WARDLINE_")) {
        command.env_remove(name);
    }
    command
}

pub(crate) fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap()
}

impl Server {
    /// Starts a server on a free port, and waits until it says that it is ready.
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut command = wardline();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(arguments);
        Self::start_command(command)
    }

    /// Starts a command that ends up as a server.
    pub(crate) fn start_command(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            if log.read_line(&mut line).unwrap() == 0 {
                let status = child.wait().unwrap();
                panic!("the server ended with {status} before it was ready:\n{said}");
            }
            let fields = serde_json::from_str::<Value>(&line).map(|entry| entry["fields"].clone()).unwrap_or_default();
            if fields["message"] == "ready" {
                break fields["address"].as_str().unwrap().to_owned();
            }
            said.push_str(&line);
        };
        // Somebody must go on reading, or the server would block on a full pipe.
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if line.contains("\"ERROR\"") || line.contains("panicked") {
                    eprintln!("{line}");
                }
            }
        });
        Self { child, url: format!("http://{address}"), client: client() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit status.
    pub(crate) fn stop(mut self) -> std::process::ExitStatus {
        let stopped = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(stopped.success());
        self.child.wait().unwrap()
    }

    pub(crate) fn send(&self, lines: impl Into<Vec<u8>>) -> Response {
        self.client.post(format!("{}/v1/events", self.url)).body(lines.into()).send().unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().unwrap()
    }

    pub(crate) fn post(&self, path: &str) -> Response {
        self.client.post(format!("{}{path}", self.url)).send().unwrap()
    }

    /// Waits until the tables and detection have all that was acknowledged: they follow within a second.
    fn settle(&self) {
        let started = Instant::now();
        let is_behind = || {
            let metrics = self.get("/metrics").text().unwrap();
            !metrics.lines().any(|line| line == "wardline_detection_lag_records 0")
        };
        while is_behind() {
            assert!(started.elapsed() < Duration::from_secs(60), "the server does not catch up");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The rows of an answer, each a JSON object.
    pub(crate) fn query(&self, sql: &str) -> Vec<Value> {
        self.settle();
        let response =
            self.client.post(format!("{}/v1/query", self.url)).json(&serde_json::json!({ "sql": sql })).send().unwrap();
        let status = response.status();
        let answer: Value = response.json().unwrap();
        assert!(status.is_success(), "{sql}: {answer}");
        answer["rows"].as_array().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A prediction as NDJSON, with its line feed.
pub(crate) fn prediction(id: &str, second: u64) -> String {
    let time = 1_793_601_365_u64 + second;
    format!(
        "{{\"id\":\"{id}\",\"time\":{time},\"model\":\"churn\",\"version\":\"1.2\",\"latency_ms\":{}.5,\"score\":0.{},\"decision\":\"stay\",\"channel\":\"web\",\"features\":{{\"age\":{},\"plan\":\"basic\"}}}}\n",
        20 + second % 7,
        1 + second % 9,
        20 + second % 50
    )
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files
}
