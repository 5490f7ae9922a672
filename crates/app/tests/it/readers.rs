//! What others read: the tables with the `deltalake` package, answers with `pyarrow`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::server::{Server, prediction};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A Python with `deltalake` and `pyarrow`; made by the script the first time.
fn python() -> Command {
    let made = Command::new(repository().join(".ci/python")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Command::new(String::from_utf8(made.stdout).unwrap().trim())
}

fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn deltalake_reads_the_tables_and_finds_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    for part in 0..3 {
        let lines: String = (0..500).map(|event| prediction(&format!("r{part}-{event}"), part * 500 + event)).collect();
        assert_eq!(server.send(lines).status(), 200);
    }
    server.send(r#"{"kind":"outcome","id":"r0-1","time":1793601400,"label":"stay"}"#);
    assert!(server.stop().success());

    let mut check = python();
    check.arg(repository().join("crates/store/tests/python/read_lake.py")).arg(folder.path().join("lake"));
    run(check);
    let mut read = python();
    // `_exit`, because threads of the readers outlive the interpreter now and then, which then aborts.
    let script = "import os, sys, deltalake\nt = deltalake.DeltaTable(sys.argv[1]).to_pyarrow_table()\nprint(t.num_rows, t.schema.field('feature_age').type, t['feature_plan'][0], flush=True)\nos._exit(0)";
    read.args(["-c", script]).arg(folder.path().join("lake/inference/churn"));
    assert_eq!(run(read), "1500 double basic\n");
}

#[test]
fn pyarrow_reads_an_answer_as_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    server.send((0..100).map(|event| prediction(&format!("s{event}"), event)).collect::<String>());
    let script = r#"
import json, sys, urllib.request, pyarrow.ipc
body = json.dumps({"sql": "SELECT channel, count(*) AS n, avg(latency_ms) AS mean FROM inference GROUP BY channel"}).encode()
headers = {"content-type": "application/json", "accept": "application/vnd.apache.arrow.stream"}
answer = urllib.request.urlopen(urllib.request.Request(sys.argv[1] + "/v1/query", body, headers))
print(pyarrow.ipc.open_stream(answer.read()).read_all().to_pydict()["n"])
"#;
    let mut read = python();
    read.args(["-c", script, &server.url]);
    assert_eq!(run(read), "[100]\n");
}
