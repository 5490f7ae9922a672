//! What senders meet: counts, reasons, duplicates, encodings, tokens.

use std::io::Write as _;

use serde_json::Value;

use crate::server::{Server, client, prediction};

#[test]
fn good_records_go_through_beside_bad_ones_which_are_listed_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let good = prediction("a", 0);
    let bad_time =
        good.replace("\"time\":1793601365", "\"time\":\"yesterday\"").replace("\"id\":\"a\"", "\"id\":\"b\"");
    let changed = prediction("c", 2).replace("\"age\":22", "\"age\":\"old\"");
    let body = format!("{good}{bad_time}not json\n{changed}");
    let answer: Value = server.send(body).json().unwrap();
    assert_eq!((answer["accepted"].as_u64(), answer["rejected"].as_u64()), (Some(1), Some(3)), "{answer}");

    let letters: Value = server.get("/v1/dead-letters").json().unwrap();
    let mut reasons: Vec<&str> =
        letters["dead_letters"].as_array().unwrap().iter().map(|letter| letter["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["bad_time", "feature_changed_type", "not_json"]);

    let replayed: Value = server.post("/v1/dead-letters/replay").json().unwrap();
    assert_eq!(replayed["rejected"].as_u64(), Some(3), "nothing was mended: {replayed}");
    let letters: Value = server.get("/v1/dead-letters").json().unwrap();
    assert_eq!(letters["dead_letters"].as_array().unwrap().len(), 3);
    assert_eq!(server.query("SELECT count(*) AS n FROM inference")[0]["n"], 1);
}

#[test]
fn a_body_without_a_good_record_is_a_bad_request() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.send("hello\n").status(), 400);
    assert_eq!(server.send("").status(), 200);
}

#[test]
fn a_batch_that_is_sent_again_is_stored_once_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let batch: String = (0..50).map(|second| prediction(&format!("e{second}"), second)).collect();
    let server = Server::start(folder.path(), &[]);
    let first: Value = server.send(batch.clone()).json().unwrap();
    let again: Value = server.send(batch.clone()).json().unwrap();
    assert_eq!((first["accepted"].as_u64(), again["duplicates"].as_u64()), (Some(50), Some(50)));
    assert!(server.stop().success());

    let server = Server::start(folder.path(), &[]);
    let third: Value = server.send(batch).json().unwrap();
    assert_eq!(third["duplicates"].as_u64(), Some(50), "{third}");
    assert_eq!(server.query("SELECT count(*) AS n, count(distinct id) AS d FROM inference")[0]["n"], 50);
}

#[test]
fn packed_bodies_are_unpacked_and_unknown_packing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(prediction("g", 0).as_bytes()).unwrap();
    let zstd = zstd::encode_all(prediction("z", 1).as_bytes(), 1).unwrap();
    let send = |body: Vec<u8>, encoding: &str| {
        client()
            .post(format!("{}/v1/events", server.url))
            .header("content-encoding", encoding)
            .body(body)
            .send()
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(send(gzip.finish().unwrap(), "gzip"), 200);
    assert_eq!(send(zstd, "zstd"), 200);
    assert_eq!(send(b"x".to_vec(), "br"), 415);
    assert_eq!(send(b"no gzip".to_vec(), "gzip"), 400);
    assert_eq!(server.query("SELECT count(*) AS n FROM inference")[0]["n"], 2);
}

#[test]
fn a_token_opens_intake_and_queries_and_health_needs_none() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wardline.toml");
    std::fs::write(&config, "[[server.tokens]]\nname = \"ci\"\nsecret = \"0123456789abcdef\"\n").unwrap();
    let server = Server::start(&folder.path().join("data"), &["--config", config.to_str().unwrap()]);
    assert_eq!(server.send(prediction("a", 0)).status(), 401);
    assert_eq!(server.get("/v1/alerts").status(), 401);
    assert_eq!(server.get("/healthz").status(), 200);
    assert_eq!(server.get("/readyz").status(), 200);
    let sent = client()
        .post(format!("{}/v1/events", server.url))
        .bearer_auth("0123456789abcdef")
        .body(prediction("a", 0))
        .send()
        .unwrap();
    assert_eq!(sent.status(), 200);
    let metrics =
        client().get(format!("{}/metrics", server.url)).bearer_auth("0123456789abcdef").send().unwrap().text().unwrap();
    assert!(metrics.contains("wardline_events_accepted_total 1"), "{metrics}");
}

#[test]
fn every_kind_of_record_has_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let lines = [
        prediction("p1", 0).trim_end().to_owned(),
        r#"{"kind":"outcome","id":"p1","time":1793601400,"label":"stay","source":"crm"}"#.to_owned(),
        r#"{"kind":"training_row","time":1793601400,"model":"churn","dataset":"d","dataset_version":"1","row_id":"r1","channel":"web","features":{"age":31},"label":"stay"}"#.to_owned(),
        r#"{"kind":"deployment","time":1793601400,"model":"churn","version":"1.2","action":"promote","weight":100}"#.to_owned(),
        r#"{"kind":"metric","time":1793601400,"service":"api","instance":"api-1","name":"process_cpu_percent","value":12.5}"#.to_owned(),
        r#"{"kind":"log","time":1793601400,"service":"api","severity":"warn","body":"slow"}"#.to_owned(),
    ];
    let answer: Value = server.send(lines.join("\n")).json().unwrap();
    assert_eq!(answer["accepted"].as_u64(), Some(6), "{answer}");
    for table in ["inference", "outcome", "training_row", "deployment", "metric", "log"] {
        assert_eq!(server.query(&format!("SELECT count(*) AS n FROM {table}"))[0]["n"], 1, "{table}");
    }
    let joined = server.query("SELECT label, decision, correct FROM labelled");
    assert_eq!(joined[0]["label"], "stay");
    assert_eq!(joined[0]["correct"], true);
    assert_eq!(server.query("SELECT feature_age FROM \"model.churn\"")[0]["feature_age"], 20.0);
}
