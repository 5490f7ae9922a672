//! How long it takes from a decision until a proxy sends a version nothing, and whether anything leaks after that.
//!
//!     cargo run -p wardline-adapters --example action_latency
//!
//! Twenty times each, with HAProxy and Envoy as they are installed by `.ci/test-programs`: half of the traffic goes to a
//! version, eight clients ask without pause, and the version is set to nothing. The time is of the whole action: reading
//! what holds, changing it, and reading it back. A leak is an answer of the version to a request that began after that.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot go on panics")]

#[allow(dead_code, reason = "of the tests' files, only a part is needed here")]
#[path = "../tests/it/actuators/programs.rs"]
mod programs;
#[allow(dead_code, reason = "of the tests' files, only a part is needed here")]
#[path = "../tests/it/actuators/proxies.rs"]
mod proxies;
#[allow(dead_code, reason = "of the tests' files, only a part is needed here")]
#[path = "../tests/it/actuators/server.rs"]
mod server;
#[allow(dead_code, reason = "of the tests' files, only a part is needed here")]
#[path = "../tests/it/actuators/traffic.rs"]
mod traffic;

use std::time::Instant;

use serde_json::Value;
use traffic::Clients;
use wardline_adapters::actuators;
use wardline_domain::{Action, ActionRequest};

const N_TIMES: usize = 20;
const N_CLIENTS: usize = 8;
const N_AFTER: usize = 500;

fn share(percent: f64) -> ActionRequest {
    let (model, version, standing) = ("fraud".to_owned(), "2.1".to_owned(), "2.0".to_owned());
    ActionRequest {
        id: "measured".to_owned(),
        action: Action::SetShare { model, version, standing, percent },
        reason: "to measure it".to_owned(),
    }
}

async fn measure(name: &str, url: &str, settings: Value) {
    let actuator = actuators::build(&settings, &|_| None).unwrap();
    let (mut milliseconds, mut leaked, mut failed, mut asked_after) = (Vec::new(), 0, 0, 0);
    for _ in 0..N_TIMES {
        actuator.carry_out(&share(50.0)).await.unwrap();
        let clients = Clients::start(url, N_CLIENTS, "2.1");
        // Only once everybody has been answered is there traffic that could leak.
        traffic::answers(url, 50).await;
        let decided = Instant::now();
        actuator.carry_out(&share(0.0)).await.unwrap();
        milliseconds.push(decided.elapsed().as_secs_f64() * 1e3);
        clients.acknowledged();
        let seen = clients.seen_after(N_AFTER).await;
        leaked += seen.leaked;
        failed += seen.failed;
        asked_after += seen.asked_after;
    }
    milliseconds.sort_by(f64::total_cmp);
    println!(
        "{name:<8} decision to weight 0: median {:.1} ms, most {:.1} ms of {N_TIMES}; {leaked} of {asked_after} answers leaked, \
         {failed} failed",
        (milliseconds[N_TIMES / 2 - 1] + milliseconds[N_TIMES / 2]) / 2.0,
        milliseconds[N_TIMES - 1],
    );
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let haproxy = proxies::HaProxy::start();
    runtime.block_on(measure("haproxy", &haproxy.url(), haproxy.settings()));
    drop(haproxy);
    let envoy = proxies::Envoy::start(true);
    runtime.block_on(measure("envoy", &envoy.url(), envoy.settings()));
}
