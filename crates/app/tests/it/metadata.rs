//! A server whose metadata is in a real PostgreSQL.

#[path = "../../../store/tests/it/postgres.rs"]
#[allow(dead_code, reason = "the tests of the store use more of it")]
pub(crate) mod postgres;

use std::path::{Path, PathBuf};

use serde_json::Value;

use self::postgres::Postgres;
use crate::server::{Server, prediction, wardline};

fn settings(folder: &Path, address: &str) -> PathBuf {
    let file = folder.join("wardline.toml");
    std::fs::write(&file, format!("[metadata]\nurl = \"{address}\"\n")).unwrap();
    file
}

fn server(settings: &Path, data: &Path) -> Server {
    let mut command = wardline();
    command.arg("--config").arg(settings).args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    Server::start_command(command)
}

fn rollouts(server: &Server) -> usize {
    let answer: Value = server.get("/v1/rollouts").json().unwrap();
    answer["rollouts"].as_array().unwrap().len()
}

/// Goal: one setting moves a server's metadata to PostgreSQL; killed, it goes on, and nobody else gets in.
#[test]
fn a_server_goes_on_with_its_metadata_in_postgresql() {
    let postgres = Postgres::start();
    let address = postgres.database();
    let folder = tempfile::tempdir().unwrap();
    let (settings, data) = (settings(folder.path(), &address), folder.path().join("data"));
    let before = Server::start(&data, &[]);
    let plan = |model: &str| {
        let file = folder.path().join(format!("{model}.yml"));
        std::fs::write(&file, format!("model: {model}\nstanding: \"1.0\"\nversion: \"1.1\"\n")).unwrap();
        file
    };
    let begin = |server: &Server, model: &str| {
        let output = wardline().args(["rollout", "start", "--url", &server.url]).arg(plan(model)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    begin(&before, "ads");
    assert!(before.stop().success());

    let first = server(&settings, &data);
    assert_eq!(rollouts(&first), 1, "what was in SQLite went along");
    begin(&first, "churn");
    assert!(first.send((0..50).map(|n| prediction(&format!("e{n}"), n)).collect::<String>()).status().is_success());
    first.kill();
    postgres.crash_and_start_again();

    let second = server(&settings, &data);
    assert_eq!(rollouts(&second), 2);
    assert_eq!(second.query("SELECT count(*) AS n FROM inference")[0]["n"], 50);
    assert!(second.get("/readyz").status().is_success());
    assert_eq!(postgres.ask(&address, "SELECT count(DISTINCT rollout) FROM rollout_entry"), "2");
    assert!(postgres.ask(&address, "SELECT name FROM state").contains("schema"));

    let other = folder.path().join("other");
    let output = wardline().arg("--config").arg(&settings).args(["serve", "--data"]).arg(other).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("belongs to the data folder") && said.contains(&data.display().to_string()), "{said}");
    drop(second);
    let output = wardline().args(["serve", "--data"]).arg(&data).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("set `[metadata] url` to it"), "{said}");
}
