//! Traefik with its file provider, between clients and two versions.

use std::process::Command;

use serde_json::json;

use super::{
    block_on, build,
    programs::{Program, free_port, installed},
    server::Server,
    share,
    traffic::answers,
};

#[test]
fn a_share_is_written_and_read_back_from_the_running_program() {
    let folder = tempfile::tempdir().unwrap();
    let dynamic = folder.path().join("dynamic");
    std::fs::create_dir(&dynamic).unwrap();
    let upstreams = [Server::saying("2.0"), Server::saying("2.1")];
    let service = |upstream: &Server| json!({"loadBalancer": {"servers": [{"url": upstream.url()}]}});
    let routes = json!({"http": {
        "routers": {"fraud": {"rule": "PathPrefix(`/`)", "entryPoints": ["web"], "service": "fraud"}},
        "services": {"v20": service(&upstreams[0]), "v21": service(&upstreams[1])},
    }});
    std::fs::write(dynamic.join("routes.yml"), routes.to_string()).unwrap();
    let weighted = json!({"http": {"services": {"fraud": {"weighted": {"services": [
        {"name": "v20", "weight": 90}, {"name": "v21", "weight": 10}]}}}}});
    std::fs::write(dynamic.join("fraud.yml"), weighted.to_string()).unwrap();

    let (port, api_port) = (free_port(), free_port());
    let mut command = Command::new(installed().join("traefik"));
    command
        .arg(format!("--entrypoints.web.address=127.0.0.1:{port}"))
        .arg(format!("--entrypoints.traefik.address=127.0.0.1:{api_port}"))
        .args(["--api.insecure=true", "--providers.file.watch=true", "--providers.providersthrottleduration=100ms"])
        .args(["--global.checknewversion=false", "--global.sendanonymoususage=false"])
        .arg(format!("--providers.file.directory={}", dynamic.display()));
    let mut program = Program::start(&mut command, folder.path());
    program.wait_for(&format!("http://127.0.0.1:{port}/"));

    let url = format!("http://127.0.0.1:{port}/predict");
    block_on(async {
        let edge = build(json!({
            "name": "edge", "kind": "traefik", "model": "fraud", "file": dynamic.join("fraud.yml"), "service": "fraud",
            "services": {"2.0": "v20", "2.1": "v21"}, "api": format!("http://127.0.0.1:{api_port}"), "time_limit_ms": 60_000,
        }));
        let before = answers(&url, 100).await;
        assert!((5..=15).contains(&before["2.1"]), "{before:?}");
        let done = edge.carry_out(&share(0.0)).await.unwrap();
        assert_eq!(done.before.as_deref(), Some("v20=90 v21=10"));
        assert_eq!(done.after.as_deref(), Some("v20=10000 v21=0"));
        assert!(edge.carry_out(&share(0.0)).await.unwrap().was_so);
        assert_eq!(answers(&url, 100).await, [("2.0".to_owned(), 100)].into());
        insta::assert_snapshot!(std::fs::read_to_string(dynamic.join("fraud.yml")).unwrap(), @"
        # Written by Wardline (rollout-7/step-2); the next change overwrites what is changed here.
        http:
          services:
            fraud:
              weighted:
                services:
                - name: v20
                  weight: 10000
                - name: v21
                  weight: 0
        ");
        edge.carry_out(&share(50.0)).await.unwrap();
        let split = answers(&url, 100).await;
        assert!((40..=60).contains(&split["2.1"]), "{split:?}");
    });
}
