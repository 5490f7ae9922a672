//! A real MLflow server with a registry in SQLite, and what people do in it.

use std::process::Command;

use serde_json::{Value, json};

use super::programs::{Program, free_port, installed};

/// The server, and what people do in it besides us.
pub(crate) struct Registry {
    _program: Program,
    _folder: tempfile::TempDir,
    pub(crate) url: String,
    pub(crate) people: reqwest::Client,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new(installed().join("mlflow"));
        command
            .args(["server", "--host", "127.0.0.1", "--workers", "1", "--port", &port.to_string()])
            .arg("--backend-store-uri")
            .arg(format!("sqlite:///{}", folder.path().join("registry.db").display()))
            .arg("--artifacts-destination")
            .arg(folder.path().join("artifacts"))
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .current_dir(folder.path());
        let mut program = Program::start(&mut command, folder.path());
        let url = format!("http://127.0.0.1:{port}");
        program.wait_for(&format!("{url}/health"));
        let people = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { _program: program, _folder: folder, url, people }
    }

    pub(crate) async fn post(&self, call: &str, body: Value) -> Value {
        let request = self.people.post(format!("{}/api/2.0/mlflow/{call}", self.url)).json(&body);
        let answer = request.send().await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{call}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// A version that was trained in a run on some data.
    pub(crate) async fn train(&self, model: &str, digest: &str) {
        let run = self.post("runs/create", json!({"experiment_id": "0"})).await;
        let run = run.pointer("/run/info/run_id").and_then(Value::as_str).unwrap().to_owned();
        let dataset = |name: &str, digest: &str, context: &str| {
            json!({"dataset": {"name": name, "digest": digest, "source_type": "local", "source": "{}"},
                   "tags": [{"key": "mlflow.data.context", "value": context}]})
        };
        let datasets = [dataset("payments", digest, "training"), dataset("holdout", "h1", "eval")];
        self.post("runs/log-inputs", json!({"run_id": run, "datasets": datasets})).await;
        self.post(
            "model-versions/create",
            json!({"name": model, "source": format!("s3://models/{digest}"), "run_id": run}),
        )
        .await;
    }

    pub(crate) async fn point(&self, model: &str, alias: &str, version: &str) {
        self.post("registered-models/alias", json!({"name": model, "alias": alias, "version": version})).await;
    }
}
