//! Envoy between clients and two versions.

use std::process::Command;

use serde_json::{Value, json};

use super::{
    block_on, build,
    programs::{Program, free_port, installed},
    server::Server,
    share,
    traffic::{Clients, answers},
};

/// A proxy with two clusters, 90 to 10.
pub(crate) struct Proxy {
    _program: Program,
    _upstreams: [Server; 2],
    _folder: tempfile::TempDir,
    port: u16,
    admin_port: u16,
}

fn cluster(name: &str, port: u16) -> Value {
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
            "socket_address": {"address": "127.0.0.1", "port_value": port}}}}]}]},
    })
}

impl Proxy {
    pub(crate) fn start(has_admin_layer: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let upstreams = [Server::saying("2.0"), Server::saying("2.1")];
        let (port, admin_port) = (free_port(), free_port());
        let weights = json!({"runtime_key_prefix": "split.fraud", "clusters": [
            {"name": "v20", "weight": 90}, {"name": "v21", "weight": 10}]});
        let connections = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "fraud",
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                {"match": {"prefix": "/"}, "route": {"weighted_clusters": weights}}]}]},
            "http_filters": [{"name": "router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
        });
        let layers = if has_admin_layer { json!([{"name": "admin", "admin_layer": {}}]) } else { json!([]) };
        let address = |port: u16| json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
        let configuration = json!({
            "admin": {"address": address(admin_port)},
            "layered_runtime": {"layers": layers},
            "static_resources": {
                "listeners": [{"address": address(port), "filter_chains": [{"filters": [
                    {"name": "http", "typed_config": connections}]}]}],
                "clusters": [cluster("v20", upstreams[0].port()), cluster("v21", upstreams[1].port())],
            },
        });
        let file = folder.path().join("envoy.json");
        std::fs::write(&file, configuration.to_string()).unwrap();
        let mut command = Command::new(installed().join("envoy"));
        command.args(["--concurrency", "2", "--disable-hot-restart", "-l", "warning", "-c"]).arg(&file);
        let mut program = Program::start(&mut command, folder.path());
        program.wait_for(&format!("http://127.0.0.1:{admin_port}/ready"));
        program.wait_for(&format!("http://127.0.0.1:{port}/"));
        Self { _program: program, _upstreams: upstreams, _folder: folder, port, admin_port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/predict", self.port)
    }

    pub(crate) fn settings(&self) -> Value {
        json!({
            "name": "mesh", "kind": "envoy", "model": "fraud", "admin": format!("http://127.0.0.1:{}", self.admin_port),
            "runtime_key_prefix": "split.fraud", "clusters": {"2.0": "v20", "2.1": "v21"}, "time_limit_ms": 20_000,
        })
    }
}

#[test]
fn a_share_is_set_and_nothing_reaches_the_version_after_the_acknowledgement() {
    let proxy = Proxy::start(true);
    block_on(async {
        let mesh = build(proxy.settings());
        let before = answers(&proxy.url(), 500).await;
        // Each request is drawn for itself: 50 on average, and outside of this once in a million tests.
        assert!((15..=90).contains(&before["2.1"]), "{before:?}");

        let done = mesh.carry_out(&share(0.0)).await.unwrap();
        assert_eq!(done.before.as_deref(), Some("split.fraud.v21=as configured split.fraud.v20=as configured"));
        assert_eq!(done.after.as_deref(), Some("split.fraud.v21=0 split.fraud.v20=10000"));
        assert_eq!(answers(&proxy.url(), 500).await, [("2.0".to_owned(), 500)].into());
        assert!(mesh.carry_out(&share(0.0)).await.unwrap().was_so);

        mesh.carry_out(&share(100.0)).await.unwrap();
        assert_eq!(answers(&proxy.url(), 100).await, [("2.1".to_owned(), 100)].into());
        let third = mesh.carry_out(&share(33.33)).await.unwrap();
        assert_eq!(third.after.as_deref(), Some("split.fraud.v21=3333 split.fraud.v20=6667"));
        let split = answers(&proxy.url(), 300).await;
        assert!((55..=145).contains(&split["2.1"]), "{split:?}");
    });
}

#[test]
fn clients_that_ask_all_the_time_see_no_failure_and_no_leak() {
    let proxy = Proxy::start(true);
    block_on(async {
        let mesh = build(proxy.settings());
        for _ in 0..5 {
            mesh.carry_out(&share(50.0)).await.unwrap();
            let clients = Clients::start(&proxy.url(), 4, "2.1");
            mesh.carry_out(&share(0.0)).await.unwrap();
            clients.acknowledged();
            let seen = clients.seen_after(500).await;
            assert_eq!((seen.leaked, seen.failed), (0, 0), "{seen:?}");
        }
    });
}

#[test]
fn a_proxy_without_an_admin_layer_says_what_to_add() {
    let proxy = Proxy::start(false);
    let error = block_on(async { build(proxy.settings()).carry_out(&share(0.0)).await.unwrap_err() });
    insta::assert_snapshot!(error, @"mesh refused: its `layered_runtime` has no `admin_layer`: add one as the last layer");
}
