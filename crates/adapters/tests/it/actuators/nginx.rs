//! nginx, as Debian has it, between clients and two versions.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use super::{
    block_on, build,
    programs::{Program, free_port, of_debian},
    server::Server,
    share,
    traffic::answers,
};

struct Proxy {
    _program: Program,
    _upstreams: [Server; 2],
    folder: tempfile::TempDir,
    port: u16,
}

impl Proxy {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Its workers have a user of their own.
        make_readable(folder.path());
        let upstreams = [Server::saying("2.0"), Server::saying("2.1")];
        let (port, at) = (free_port(), folder.path().display());
        std::fs::write(
            folder.path().join("fraud.conf"),
            "split_clients \"$request_id\" $fraud_version {\n 10% v21;\n * v20;\n}\n\
             map \"\" $fraud_version_shows { default \"as it was\"; }\n",
        )
        .unwrap();
        let configuration = format!(
            "daemon off;\nworker_processes 2;\npid {at}/nginx.pid;\nerror_log stderr;\nevents {{ worker_connections 256; }}\n\
             http {{\n access_log off;\n client_body_temp_path {at}/body;\n proxy_temp_path {at}/proxy;\n\
             fastcgi_temp_path {at}/fastcgi;\n uwsgi_temp_path {at}/uwsgi;\n scgi_temp_path {at}/scgi;\n\
             upstream v20 {{ server 127.0.0.1:{}; }}\n upstream v21 {{ server 127.0.0.1:{}; }}\n include {at}/fraud.conf;\n\
             server {{\n listen 127.0.0.1:{port};\n location / {{ proxy_pass http://$fraud_version; }}\n\
             location = /wardline/fraud {{ return 200 $fraud_version_shows; }}\n }}\n}}\n",
            upstreams[0].port(),
            upstreams[1].port(),
        );
        std::fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
        let mut command = Command::new(of_debian("nginx"));
        let mut program = Program::start(command.arg("-c").arg(folder.path().join("nginx.conf")), folder.path());
        program.wait_for(&format!("http://127.0.0.1:{port}/"));
        Self { _program: program, _upstreams: upstreams, folder, port }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn settings(&self) -> Value {
        let nginx = of_debian("nginx").display().to_string();
        let configuration = self.folder.path().join("nginx.conf").display().to_string();
        json!({
            "name": "front", "kind": "nginx", "model": "fraud", "include_file": self.folder.path().join("fraud.conf"),
            "variable": "fraud_version", "upstreams": {"2.0": "v20", "2.1": "v21"},
            "check_command": [nginx, "-t", "-q", "-c", configuration],
            "reload_command": [nginx, "-s", "reload", "-c", configuration],
            "confirm_url": self.url("/wardline/fraud"), "time_limit_ms": 60_000,
        })
    }

    fn include_file(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("fraud.conf")).unwrap()
    }
}

fn make_readable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_share_is_written_loaded_and_confirmed() {
    let proxy = Proxy::start();
    block_on(async {
        let front = build(proxy.settings());
        let done = front.carry_out(&share(25.5)).await.unwrap();
        assert_eq!(done.before.as_deref(), Some("as it was"));
        assert_eq!(done.after.as_deref(), Some("v21=25.50% v20=74.50%"));
        let split = answers(&proxy.url("/predict"), 300).await;
        assert!((35..=120).contains(&split["2.1"]), "{split:?}");

        front.carry_out(&share(0.0)).await.unwrap();
        insta::assert_snapshot!(proxy.include_file(), @r#"
        # Written by Wardline (rollout-7/step-2); the next change overwrites what is changed here.
        split_clients "$request_id" $fraud_version {
            * v20;
        }
        map "" $fraud_version_shows { default "v21=0.00% v20=100.00%"; }
        "#);
        assert_eq!(answers(&proxy.url("/predict"), 200).await, [("2.0".to_owned(), 200)].into());
        assert!(front.carry_out(&share(0.0)).await.unwrap().was_so);
        front.carry_out(&share(100.0)).await.unwrap();
        assert_eq!(answers(&proxy.url("/predict"), 50).await, [("2.1".to_owned(), 50)].into());
    });
}

#[test]
fn a_file_that_nginx_refuses_is_put_back() {
    let proxy = Proxy::start();
    block_on(async {
        let mut settings = proxy.settings();
        settings["key"] = "$no_such_variable".into();
        let former = proxy.include_file();
        let error = build(settings).carry_out(&share(0.0)).await.unwrap_err();
        assert!(error.to_string().contains("no_such_variable") && !error.is_temporary(), "{error}");
        assert_eq!(proxy.include_file(), former);

        let mut settings = proxy.settings();
        settings["reload_command"] = json!(["/nowhere/nginx"]);
        let error = build(settings).carry_out(&share(0.0)).await.unwrap_err();
        assert!(error.to_string().contains("`/nowhere/nginx` cannot be run"), "{error}");
        assert_eq!(proxy.include_file(), former);
    });
}

#[test]
fn a_reload_that_does_nothing_is_not_believed() {
    let proxy = Proxy::start();
    block_on(async {
        let mut settings = proxy.settings();
        settings["reload_command"] = json!(["true"]);
        settings["time_limit_ms"] = 2_000.into();
        let error = build(settings).carry_out(&share(0.0)).await.unwrap_err();
        assert!(error.is_temporary());
        insta::assert_snapshot!(error, @"front said that it was done, and shows as it was where v21=0.00% v20=100.00% was asked for");
    });
}
