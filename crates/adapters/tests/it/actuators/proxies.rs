//! HAProxy and Envoy between clients and two versions, 90 to 10.

use std::process::Command;

use serde_json::{Value, json};

use super::{
    programs::{Program, free_port, installed, of_debian},
    server::Server,
};

/// A proxy with two upstreams, 90 to 10.
pub(crate) struct HaProxy {
    _program: Program,
    _upstreams: [Server; 2],
    pub(crate) folder: tempfile::TempDir,
    port: u16,
    pub(crate) tcp_port: u16,
}

impl HaProxy {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let upstreams = [Server::saying("2.0"), Server::saying("2.1")];
        let (port, tcp_port) = (free_port(), free_port());
        let configuration = format!(
            "global\n stats socket {socket} level admin\n stats socket 127.0.0.1:{tcp_port} level admin\n nbthread 2\n\
             defaults\n mode http\n timeout connect 2s\n timeout client 20s\n timeout server 20s\n\
             frontend fraud\n bind 127.0.0.1:{port}\n default_backend fraud\n\
             backend fraud\n balance roundrobin\n server v20 127.0.0.1:{} weight 90\n server v21 127.0.0.1:{} weight 10\n",
            upstreams[0].port(),
            upstreams[1].port(),
            socket = folder.path().join("admin.sock").display(),
        );
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, configuration).unwrap();
        let mut program =
            Program::start(Command::new(of_debian("haproxy")).arg("-db").arg("-f").arg(&file), folder.path());
        program.wait_for(&format!("http://127.0.0.1:{port}/"));
        Self { _program: program, _upstreams: upstreams, folder, port, tcp_port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/predict", self.port)
    }

    pub(crate) fn socket(&self) -> String {
        format!("unix:{}", self.folder.path().join("admin.sock").display())
    }

    pub(crate) fn settings(&self) -> Value {
        json!({
            "name": "edge", "kind": "haproxy", "model": "fraud", "address": self.socket(), "backend": "fraud",
            "servers": {"2.0": "v20", "2.1": ["v21"]}, "time_limit_ms": 20_000,
        })
    }

    /// The settings with one changed.
    pub(crate) fn with(&self, key: &str, value: impl Into<Value>) -> Value {
        let mut settings = self.settings();
        settings[key] = value.into();
        settings
    }
}

/// A proxy with two clusters, 90 to 10.
pub(crate) struct Envoy {
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

impl Envoy {
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
        let layers = if has_admin_layer {
            json!([{"name": "admin", "admin_layer": {}}])
        } else {
            json!([{"name": "fixed", "static_layer": {}}])
        };
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
